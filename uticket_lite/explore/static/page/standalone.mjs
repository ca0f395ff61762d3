// An explorer in a file of its own, without a kernel: the same feed and view, over frames that
// were computed before. The file holds them packed; see `uticket_lite.explore.export`.

import { fromBase64, importVega, inflated } from "./chart.mjs";
import { Feed } from "./feed.mjs";
import { render } from "./render.mjs";

const ABSENT = "not in this file";

// Stands in for anywidget's model, and answers as the kernel would.
export class Recorded {
  #packed;
  #handlers = new Set();

  constructor(packed) {
    this.#packed = packed;
  }

  get(name) {
    return this.#packed[name];
  }

  set() {} // nothing is kept

  on(_, handler) {
    this.#handlers.add(handler);
  }

  off(_, handler) {
    this.#handlers.delete(handler);
  }

  send(content) {
    const { number } = content;
    const state = content.move ?? content.ahead ?? (content.ask && this.#packed.first);
    if (content.link !== undefined) this.#say({ number, ...this.#linked(content.link) });
    else if (state) this.#say({ number, frame: this.frame(state), ahead: "ahead" in content });
  }

  #say(content) {
    queueMicrotask(() => this.#handlers.forEach((handler) => handler(content)));
  }

  #linked(link) {
    const [kind, query = ""] = link.trim().split("?");
    const { first, moving } = this.#packed;
    const state = { ...first };
    const wrong = (what) => ({ error: `${what} is not in this file.` });
    if (kind !== this.#packed.kind) return wrong(`The explorer “${kind}”`);
    for (const [name, text] of new URLSearchParams(query)) {
      if (!(name in first)) return wrong(`A control “${name}”`);
      const value = (moving[name] ?? [first[name]]).find((each) => String(each) === text);
      if (value === undefined && !this.#follows(name)) return wrong(`${name} = ${text}`);
      state[name] = value ?? first[name];
    }
    return { frame: this.frame(state) };
  }

  // Whether a control that is not moved here goes along with those that are.
  #follows(name) {
    return this.#packed.following.includes(name);
  }

  // The frame where the controls that can be moved here stand as in this state.
  frame(state) {
    const { moving, table, frames, columns, controls } = this.#packed;
    let place = 0;
    for (const [name, values] of Object.entries(moving)) {
      place = place * values.length + Math.max(0, values.indexOf(state[name]));
    }
    const [values, shown, data, rest] = frames[table[place]];
    const names = Object.keys(this.#packed.first);
    return {
      ...rest,
      took: 0,
      state: Object.fromEntries(names.map((name, i) => [name, values[i]])),
      controls: shown.map((i) => this.#bounded(controls[i])),
      data: Object.fromEntries(
        Object.entries(data).map(([name, table]) => [
          name,
          Object.fromEntries(Object.entries(table).map(([column, i]) => [column, columns[i]])),
        ]),
      ),
    };
  }

  #bounded(about) {
    const values = this.#packed.moving[about.name];
    if (!values) return { ...about, closed: about.closed || (about.options.length > 1 ? ABSENT : "") };
    return { ...about, options: about.options.filter(([, value]) => values.includes(value)) };
  }
}

export default async function start() {
  const text = (id) => fromBase64(document.getElementById(id).textContent.trim());
  globalThis.__uticketVega = importVega(text("uticket-vega"));
  const model = new Recorded(JSON.parse(await inflated(text("uticket-frames"))));
  const feed = new Feed(model);
  const el = document.getElementById("uticket-explorer");
  document.getElementById("uticket-still")?.remove();
  render(feed, model, el);
  feed.start();
}
