// The feed with a fake model: what it asks, and what its views hear, whatever the kernel does.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Feed, GONE, stateKey } from "../../uticket_lite/explore/static/page/feed.mjs";

const OPTIONS = Array.from({ length: 64 }, (_, i) => [`${i + 1}`, i + 1]);
const controls = [{ kind: "slider", name: "n_pe", label: "PEs", options: OPTIONS }];
const frameAt = (n_pe, more = {}) => ({ state: { run: "a", n_pe }, controls, message: "", took: 1, ...more });

class Model {
  sent = [];
  handlers = new Set();
  on(name, handler) {
    this.handlers.add(handler);
  }
  off(name, handler) {
    this.handlers.delete(handler);
  }
  send(content) {
    this.sent.push(structuredClone(content));
  }
  say(content) {
    for (const handler of [...this.handlers]) handler(structuredClone(content));
  }
  // The kernel's answer to the last message of this kind.
  answer(kind, content) {
    const asked = this.sent.findLast((message) => kind in message);
    this.say({ number: asked.number, ...content });
  }
  count(kind) {
    return this.sent.filter((message) => kind in message).length;
  }
}

let model, feed, heard;
const listen = (events) => feed.on((event, detail) => events.push([event, detail]));
const shown = () => feed.frame.state.n_pe;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  model = new Model();
  feed = new Feed(model);
  heard = [];
  listen(heard);
  feed.start();
  model.answer("ask", { frame: frameAt(16) });
});

test("the first frame is asked for once, and shown", () => {
  feed.start();
  assert.equal(model.count("ask"), 1);
  assert.deepEqual(heard.map(([event]) => event), ["show"]);
  assert.equal(shown(), 16);
});

test("a state is the same whatever the order of its fields", () => {
  assert.equal(stateKey({ a: 1, b: "x" }), stateKey({ b: "x", a: 1 }));
  assert.notEqual(stateKey({ a: 1, b: "x" }), stateKey({ a: "x", b: 1 }));
  assert.notEqual(stateKey({ a: 1 }), stateKey({ a: "1" }));
  feed.move({ n_pe: 17 });
  model.answer("move", { frame: { ...frameAt(17), state: { n_pe: 17, run: "a" } } });
  feed.move({ n_pe: 16 });
  assert.equal(model.count("move"), 1, "16 is known, though the fields came in another order");
});

test("frames of a source that grows are shown, but neither kept nor fetched ahead", () => {
  feed.move({ n_pe: 17 });
  model.answer("move", { frame: frameAt(17, { growing: true, summary: "half" }) });
  mock.timers.tick(1000);
  assert.equal(model.count("ahead"), 0);
  model.say({ frame: frameAt(17, { growing: true, summary: "more" }) });
  assert.equal(feed.frame.summary, "more");
  feed.move({ n_pe: 18 });
  model.answer("move", { frame: frameAt(18, { growing: true }) });
  feed.move({ n_pe: 17 });
  assert.equal(model.count("move"), 3, "17 is asked for again: there may be more by now");
});

test("of moves that pile up only the last is sent, and the answer on its way is shown meanwhile", () => {
  for (const n_pe of [17, 18, 19, 20]) feed.move({ n_pe });
  assert.equal(model.count("move"), 1);
  model.answer("move", { frame: frameAt(17) });
  assert.equal(shown(), 17);
  assert.equal(feed.state.n_pe, 20, "controls stay where they were moved to");
  assert.deepEqual(model.sent.at(-1).move, { run: "a", n_pe: 20 });
  model.answer("move", { frame: frameAt(20) });
  assert.equal(shown(), 20);
});

test("a move taken back while it is computed stays taken back", () => {
  feed.move({ n_pe: 17 });
  feed.move({ n_pe: 16 });
  assert.deepEqual(model.sent.at(-1), { moved: { run: "a", n_pe: 16 } });
  model.answer("move", { frame: frameAt(17) });
  assert.equal(shown(), 16);
  assert.equal(feed.state.n_pe, 16);
});

test("an answer that is lost: controls go back, words say what to run, the next move works", () => {
  feed.move({ n_pe: 17 });
  mock.timers.tick(300);
  assert.deepEqual(heard.at(-1), ["busy", true]);
  mock.timers.tick(5000);
  assert.deepEqual(heard.slice(-3), [["busy", false], ["steer", frameAt(16).state], ["say", GONE]]);
  assert.equal(feed.state.n_pe, 16);
  assert.match(GONE, /Run All Above Selected Cell/);
  feed.move({ n_pe: 18 });
  model.answer("move", { frame: frameAt(18) });
  assert.equal(shown(), 18);
  assert.equal(feed.said, "");
});

test("a kernel that was only busy: its late answer is shown, and the words go", () => {
  feed.move({ n_pe: 17 });
  mock.timers.tick(6000);
  assert.equal(feed.said, GONE);
  model.answer("move", { frame: frameAt(17) });
  assert.equal(shown(), 17);
  assert.equal(feed.state.n_pe, 17);
  assert.equal(feed.said, "");
});

test("a kernel that is gone, where sending fails too", () => {
  model.send = () => {
    throw new Error("no comm");
  };
  feed.move({ n_pe: 17 });
  mock.timers.tick(6000);
  assert.equal(feed.said, GONE);
  assert.equal(feed.state.n_pe, 16);
});

test("a kernel that was never there", () => {
  const alone = new Feed(new Model());
  const events = [];
  alone.on((event, detail) => events.push([event, detail]));
  alone.recall({ state: { n_pe: 3 }, controls, summary: "seen last" });
  alone.start();
  alone.move({ n_pe: 4 });
  mock.timers.tick(6000);
  assert.equal(alone.frame.summary, "seen last");
  assert.equal(alone.state, null, "no control can be moved");
  assert.deepEqual(events.at(-1), ["say", GONE]);
});

test("an error is said and controls go back to what is shown", () => {
  feed.move({ n_pe: 17 });
  model.answer("move", { error: "a planted error" });
  assert.deepEqual(heard.slice(-2), [["steer", frameAt(16).state], ["say", "a planted error"]]);
  assert.equal(feed.state.n_pe, 16);
  feed.move({ n_pe: 18 });
  model.answer("move", { frame: frameAt(18) });
  assert.equal(feed.said, "");
});

test("an error of an overtaken move is not said", () => {
  feed.move({ n_pe: 17 });
  feed.move({ n_pe: 16 });
  model.answer("move", { error: "a planted error" });
  assert.equal(feed.said, "");
});

// Answer all that is fetched ahead, with these frames.
function fetchAll(frame = frameAt) {
  const fetched = [];
  for (let last = -1; model.count("ahead") > last; ) {
    last = model.count("ahead");
    const asked = model.sent.findLast((message) => "ahead" in message);
    if (!asked || fetched.includes(asked.ahead.n_pe)) break;
    fetched.push(asked.ahead.n_pe);
    model.say({ ahead: true, number: asked.number, frame: frame && frame(asked.ahead.n_pe) });
  }
  return fetched;
}

test("frames on the way of a slider are fetched ahead one at a time, and shown without asking", () => {
  feed.move({ n_pe: 17 });
  model.answer("move", { frame: frameAt(17) });
  assert.equal(model.count("ahead"), 1);
  assert.deepEqual(fetchAll(), [18, 19, 20]);
  feed.move({ n_pe: 18 });
  assert.equal(shown(), 18);
  assert.equal(model.count("move"), 1);
  assert.deepEqual(model.sent.findLast((message) => message.moved).moved, { run: "a", n_pe: 18 });
  mock.timers.tick(200);
  assert.ok(fetchAll().includes(12), "and all around, once it rests");
});

test("slow frames are not fetched ahead", () => {
  feed.move({ n_pe: 17 });
  model.answer("move", { frame: frameAt(17, { took: 500 }) });
  mock.timers.tick(200);
  assert.equal(model.count("ahead"), 0);
});

test("a move to the frame on its way waits for it", () => {
  feed.move({ n_pe: 17 });
  model.answer("move", { frame: frameAt(17) });
  feed.move({ n_pe: 18 });
  assert.equal(model.count("move"), 1);
  model.answer("ahead", { ahead: true, frame: frameAt(18) });
  assert.equal(shown(), 18);
});

for (const [how, lose] of [
  ["failed", () => model.answer("ahead", { ahead: true, frame: null })],
  ["was lost", () => mock.timers.tick(2600)],
])
  test(`a move to a frame that ${how} ahead is asked for`, () => {
    feed.move({ n_pe: 17 });
    model.answer("move", { frame: frameAt(17) });
    feed.move({ n_pe: 18 });
    assert.equal(model.count("move"), 1);
    lose();
    assert.equal(model.count("move"), 2);
    model.answer("move", { frame: frameAt(18) });
    assert.equal(shown(), 18);
  });

test("what code sets is shown, but not while a move is computed", () => {
  model.say({ frame: frameAt(5) });
  assert.equal(shown(), 5);
  feed.move({ n_pe: 6 });
  model.say({ frame: frameAt(40) });
  assert.equal(shown(), 5);
  model.answer("move", { frame: frameAt(6) });
  assert.equal(shown(), 6);
});

test("a link is asked for, and a wrong one moves nothing", () => {
  feed.link("workload?n_pe=700");
  assert.equal(model.sent.at(-1).link, "workload?n_pe=700");
  model.answer("link", { error: "no control can stand there" });
  assert.equal(feed.said, "no control can stand there");
  assert.equal(feed.state.n_pe, 16);
});

test("two views of one model hear the same, and one that comes later finds what is shown", () => {
  const second = [];
  const leave = listen(second);
  feed.move({ n_pe: 17 });
  assert.deepEqual(second, [["steer", { run: "a", n_pe: 17 }]]);
  model.answer("move", { frame: frameAt(17) });
  assert.equal(second.at(-1)[0], "show");
  leave();
  const silent = second.length;
  feed.move({ n_pe: 16 });
  assert.equal(second.length, silent);
  assert.equal(feed.frame.state.n_pe, 16);
});

test("a feed that was stopped hears nothing and says nothing", () => {
  feed.move({ n_pe: 17 });
  feed.stop();
  mock.timers.tick(10_000);
  model.answer("move", { frame: frameAt(17) });
  assert.equal(shown(), 16);
  assert.equal(feed.said, "");
  assert.equal(model.handlers.size, 0);
});
