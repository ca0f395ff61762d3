// What an explorer's page knows and asks: frames, from whoever computes them, for every state that
// the controls move to. Moves are sent one at a time, and what a later one has overtaken is not
// shown. Neighbours of the last move are fetched ahead, so that the next step paints at once.
// All views of a model share one feed. No DOM here: Node's tests drive it with a fake model.

const BUSY_MS = 250; // later than this, a move says that it is being computed
const PATIENCE_MS = 5000; // without an answer for this long, the kernel is taken to be gone
const IDLE_MS = 120; // after this long without a move, neighbours are fetched
const AHEAD = 6; // steps fetched in each direction; on the way that a control moves, half as many
const QUICK_MS = 60; // slower frames are not fetched ahead: a move may have to wait for one
const KEPT = 300; // frames kept

export const GONE =
  "The kernel does not answer. If it is busy with another cell, wait: the explorer goes on " +
  "afterwards. If it was stopped or restarted, click into this explorer's cell, choose Run → Run " +
  "All Above Selected Cell (classic Notebook: Cell → Run All Above), then run this cell " +
  "(Shift + Enter).";

// The same for the same values, whatever their order.
export function stateKey(state) {
  return JSON.stringify(Object.keys(state).sort().map((name) => [name, state[name]]));
}

// Listeners hear of: "show" (a frame), "steer" (controls stand elsewhere), "busy" (a boolean),
// "say" (a message).
export class Feed {
  frame = null; // the last one shown
  state = null; // where the controls stand; ahead of the frame while a move is computed
  said = ""; // the message shown
  #model;
  #listeners = new Set();
  #kept = new Map(); // frames by state
  #waiting = null; // what to send next: { move } or { link }
  #sent = null; // what is being computed: { number, overtaken }
  #ahead = null; // the frame on its way: { number, key }
  #wanted = []; // states to fetch ahead, one at a time
  #last = null; // the control moved last, and its way
  #number = 0;
  #timers = {};
  #receive = (content) => this.#received(content);

  constructor(model) {
    this.#model = model;
  }

  on(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start() {
    if (this.#number) return;
    this.#model.on("msg:custom", this.#receive);
    this.#ask({ ask: "frame" });
    this.#later("gone", PATIENCE_MS, () => this.#gone());
  }

  stop() {
    this.#model.off("msg:custom", this.#receive);
    this.#calm(...Object.keys(this.#timers));
  }

  move(changes) {
    if (!this.state) return;
    this.#last = this.#movement(changes) ?? this.#last;
    this.state = { ...this.state, ...changes };
    this.#emit("steer", this.state);
    const key = stateKey(this.state);
    const known = this.#kept.get(key);
    if (known) return this.#jump(known);
    this.#waiting = { move: this.state };
    if (this.#ahead?.key !== key) this.#pump();
  }

  link(text) {
    this.#waiting = { link: text };
    this.#pump();
  }

  // What was seen last, in a notebook whose kernel has not answered yet.
  recall(shown) {
    if (this.frame || !shown?.state) return;
    this.frame = shown;
    this.#emit("show", shown);
  }

  #emit(event, detail) {
    for (const listener of this.#listeners) listener(event, detail);
  }

  #say(text) {
    this.said = text;
    this.#emit("say", text);
  }

  #later(name, wait, what) {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = setTimeout(what, wait);
  }

  #calm(...names) {
    for (const name of names) clearTimeout(this.#timers[name]);
  }

  #ask(content) {
    this.#number += 1;
    this.#send({ ...content, number: this.#number });
    return this.#number;
  }

  #send(content) {
    try {
      this.#model.send(content);
    } catch {
      // no kernel: patience runs out
    }
  }

  // To a frame that is here already.
  #jump(known) {
    this.#waiting = null;
    if (this.#sent) this.#sent.overtaken = true;
    this.#send({ moved: known.state });
    this.#show(known);
  }

  #pump() {
    if (this.#sent || !this.#waiting) return;
    this.#sent = { number: this.#ask(this.#waiting), overtaken: false };
    this.#waiting = null;
    this.#later("busy", BUSY_MS, () => this.#emit("busy", true));
    this.#later("gone", PATIENCE_MS, () => this.#gone());
  }

  #received(content) {
    if (content.ahead) return this.#fetched(content);
    const { frame, error } = content;
    if (frame) this.#keep(frame);
    if (this.#sent && content.number === this.#sent.number) {
      const { overtaken } = this.#sent;
      this.#settle();
      if (!overtaken && frame) this.#show(frame);
      if (!overtaken && error !== undefined) this.#refuse(error);
      this.#pump();
    } else if (frame && !this.#sent && !this.#waiting) {
      this.#calm("gone");
      this.#show(frame); // the first; set from code; or an answer that comes late
    } else if (error !== undefined && !this.#sent && !this.#waiting) {
      this.#refuse(error);
    }
  }

  #settle() {
    this.#sent = null;
    this.#calm("busy", "gone");
    this.#emit("busy", false);
  }

  #show(frame) {
    this.frame = frame;
    this.said = frame.message ?? "";
    if (!this.#waiting) {
      this.state = frame.state;
      this.#fetch(true);
      this.#later("idle", IDLE_MS, () => this.#fetch(false));
    }
    this.#emit("show", frame);
  }

  // Controls go back to what is shown.
  #refuse(text) {
    if (this.#waiting) return;
    if (this.state) this.state = this.frame.state;
    this.#emit("steer", this.state);
    this.#say(text);
  }

  #gone() {
    this.#waiting = null;
    this.#ahead = null;
    this.#wanted = [];
    this.#settle();
    this.#refuse(GONE);
  }

  // Of a source that grows, frames are out of date when it has grown.
  #keep(frame) {
    if (frame.growing) return;
    this.#kept.set(stateKey(frame.state), frame);
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value);
  }

  #movement(changes) {
    const [name] = Object.keys(changes);
    const values = this.#values(name);
    const way = Math.sign(values.indexOf(changes[name]) - values.indexOf(this.state[name]));
    return values.length ? { name, way: way || (this.#last?.way ?? 1) } : null;
  }

  #values(name) {
    const about = (this.frame?.controls ?? []).find((control) => control.name === name);
    return (about?.options ?? []).map(([, value]) => value);
  }

  #fetch(onTheWay) {
    if (!this.#last || this.frame.growing || this.frame.took > QUICK_MS) return;
    const { name, way } = this.#last;
    const values = this.#values(name);
    const here = values.indexOf(this.state[name]);
    const reach = onTheWay
      ? [here - (way < 0 ? AHEAD / 2 : 0), here + (way > 0 ? AHEAD / 2 : 0)]
      : [here - AHEAD, here + AHEAD];
    this.#wanted = values
      .slice(Math.max(0, reach[0]), reach[1] + 1)
      .map((value) => ({ ...this.state, [name]: value }));
    this.#fetchNext();
  }

  #fetchNext() {
    if (this.#sent || this.#ahead) return;
    this.#wanted = this.#wanted.filter((state) => !this.#kept.has(stateKey(state)));
    const state = this.#wanted.shift();
    if (!state) return;
    this.#ahead = { number: this.#ask({ ahead: state }), key: stateKey(state) };
    this.#later("ahead", PATIENCE_MS / 2, () => this.#fetched({ number: this.#number }));
  }

  // A frame that was asked for ahead, or none: it failed or is lost, and the move itself will say.
  #fetched({ number, frame }) {
    if (frame) this.#keep(frame);
    if (number !== this.#ahead?.number) return;
    const { key } = this.#ahead;
    this.#ahead = null;
    this.#calm("ahead");
    if (!this.#waiting?.move || stateKey(this.#waiting.move) !== key) return this.#fetchNext();
    if (frame) this.#jump(frame);
    else this.#pump();
  }
}
