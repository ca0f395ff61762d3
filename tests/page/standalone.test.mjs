// The model that stands in for a kernel, over what `Explorer.export` packs.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Recorded } from "../../uticket_lite/explore/static/page/standalone.mjs";

const about = (name, values) => ({ name, options: values.map((value) => [`${value}`, value]), closed: "" });
const packed = {
  kind: "workload",
  spec: {},
  first: { run: "a", n_pe: 2, layer: "x", mapping: "m" },
  moving: { run: ["a", "b"], n_pe: [2, 4] },
  following: ["layer"],
  table: [0, 1, 2, 2],
  controls: [about("run", ["a", "b"]), about("n_pe", [1, 2, 3, 4]), about("mapping", ["m", "o"])],
  columns: [[1, 2], [3, 4]],
  frames: [
    [["a", 2, "x", "m"], [0, 1, 2], { bars: { load: 0 } }, { summary: "a 2", message: "", figures: [] }],
    [["a", 4, "x", "m"], [0, 1, 2], { bars: { load: 1 } }, { summary: "a 4", message: "", figures: [] }],
    [["b", 4, "y", "m"], [0, 1, 2], { bars: { load: 1 } }, { summary: "b 4", message: "", figures: [] }],
  ],
};

async function asked(content) {
  const heard = [];
  const model = new Recorded(packed);
  model.on("msg:custom", (answer) => heard.push(answer));
  model.send({ number: 1, ...content });
  await Promise.resolve();
  return heard[0];
}

test("the first frame is where the explorer stood", async () => {
  const { frame } = await asked({ ask: "frame" });
  assert.equal(frame.summary, "a 2");
  assert.deepEqual(frame.data, { bars: { load: [1, 2] } });
});

test("a move finds its frame, also where controls follow others", async () => {
  const { frame, number } = await asked({ move: { run: "b", n_pe: 2, layer: "x", mapping: "m" } });
  assert.equal(number, 1);
  assert.deepEqual(frame.state, { run: "b", n_pe: 4, layer: "y", mapping: "m" });
});

test("controls offer what is in the file, and say so where nothing is", async () => {
  const { frame } = await asked({ ask: "frame" });
  const [run, pes, mapping] = frame.controls;
  assert.deepEqual(run.options.map(([, value]) => value), ["a", "b"]);
  assert.deepEqual(pes.options.map(([, value]) => value), [2, 4]);
  assert.match(mapping.closed, /not in this file/);
});

test("links lead to what is in the file, and to words where it is not", async () => {
  assert.equal((await asked({ link: "workload?n_pe=4&run=a" })).frame.summary, "a 4");
  assert.match((await asked({ link: "workload?n_pe=3" })).error, /n_pe = 3 is not in this file/);
  assert.match((await asked({ link: "timeline?n_pe=4" })).error, /timeline/);
  assert.match((await asked({ link: "workload?pes=4" })).error, /pes/);
});
