// One explorer: controls, a Vega chart whose data the kernel replaces, figures, and a summary.
// The kernel describes the controls and computes frames; the page only shows them. Moves are
// sent one at a time, and those that a later one has overtaken are dropped. Frames of the
// neighbours of the last move are fetched ahead, so that the next step of a slider paints at once.

const page = globalThis; // Vega is fetched from the kernel once per page, by the first explorer

const BUSY_MS = 250; // later than this, a move shows that it is being computed
const PATIENCE_MS = 5000; // without an answer for this long, the kernel is taken to be gone
const IDLE_MS = 120; // after this long without a move, neighbours are fetched
const AHEAD = 6; // steps of a slider fetched in each direction
const QUICK_MS = 30; // slower frames are not fetched ahead
const KEPT = 300; // frames kept
const SPOKEN_MS = 600; // a summary is spoken when it has stood for this long

const GONE =
  "No answer from the kernel. If it was stopped or restarted, run this cell again (Shift + Enter).";

function loadVega(model) {
  page.__uticketVega ??= new Promise((resolve, reject) => {
    const receive = async (message, buffers) => {
      if (message?.vega === undefined) return;
      model.off("msg:custom", receive);
      clearTimeout(patience);
      try {
        const packed = new Blob([buffers[0]]).stream();
        const source = packed.pipeThrough(new DecompressionStream("deflate"));
        const script = new Blob([await new Response(source).blob()], { type: "text/javascript" });
        const url = URL.createObjectURL(script);
        resolve(await import(/* webpackIgnore: true */ url));
        URL.revokeObjectURL(url);
      } catch (error) {
        reject(error);
      }
    };
    const patience = setTimeout(() => {
      model.off("msg:custom", receive);
      reject(new Error(GONE));
    }, 4 * PATIENCE_MS);
    model.on("msg:custom", receive);
    model.send({ ask: "vega" });
  }).catch((error) => {
    page.__uticketVega = undefined; // the next explorer tries again
    throw error;
  });
  return page.__uticketVega;
}

// Colours of JupyterLab's theme, light or dark; black on white elsewhere.
function themeConfig(el) {
  const style = getComputedStyle(el);
  const ink = style.getPropertyValue("--jp-ui-font-color1").trim() || "#222";
  const faint = style.getPropertyValue("--jp-border-color2").trim() || "#ccc";
  const paper = style.getPropertyValue("--jp-layout-color0").trim() || "#fff";
  const axis = { labelColor: ink, titleColor: ink, tickColor: faint, domainColor: faint, gridColor: faint };
  return {
    background: paper,
    axis,
    legend: { labelColor: ink, titleColor: ink },
    header: { labelColor: ink, titleColor: ink },
    title: { color: ink, subtitleColor: ink },
    view: { stroke: null },
    text: { color: ink },
  };
}

function rows(columns) {
  const names = Object.keys(columns);
  return columns[names[0]].map((_, i) => Object.fromEntries(names.map((name) => [name, columns[name][i]])));
}

function csv(data) {
  const tables = Object.entries(data);
  const names = [...new Set(tables.flatMap(([, columns]) => Object.keys(columns)))];
  const cell = (value) => {
    const text = value ?? "";
    return /[",\n]/.test(text) ? `"${String(text).replaceAll('"', '""')}"` : String(text);
  };
  const lines = tables.flatMap(([table, columns]) =>
    rows(columns).map((row) => [table, ...names.map((name) => cell(row[name]))].join(",")),
  );
  return [["table", ...names].join(","), ...lines, ""].join("\n");
}

function element(tag, className, parent, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  parent.appendChild(made);
  return made;
}

// A menu or a slider over labelled values; `moved` hears of the value chosen.
function makeControl(parent, about, moved) {
  const row = element("div", "uticket-control", parent);
  page.__uticketIds = (page.__uticketIds ?? 0) + 1; // every explorer has its own copy of this file
  const id = `uticket-control-${page.__uticketIds}`;
  const label = element("label", "", row, about.label);
  label.htmlFor = id;
  const slider = about.kind === "slider";
  const input = element(slider ? "input" : "select", "", row);
  input.id = id;
  input.dataset.control = about.name;
  const output = slider ? element("span", "uticket-value", row) : null;
  let values = [];
  let options = "";
  let timer = 0;
  let before = 0;
  let way = 0; // -1 or 1, as it was moved last

  const at = () => (slider ? Number(input.value) : input.selectedIndex);
  const say = (label) => {
    if (!slider) return;
    output.textContent = label;
    input.setAttribute("aria-valuetext", label);
  };
  if (slider) input.type = "range";
  input.addEventListener("input", () => {
    way = Math.sign(at() - before) || way;
    before = at();
    say(values[at()][0]);
    moved(values[at()][1]);
  });

  function stop() {
    clearInterval(timer);
    timer = 0;
    button.textContent = "▶";
    button.setAttribute("aria-label", `play ${about.label}`);
  }
  function step() {
    const next = at() + 1;
    if (next >= values.length || !row.isConnected) return stop();
    input.value = next;
    input.dispatchEvent(new Event("input"));
  }
  const button = about.play ? element("button", "", row, "▶") : null;
  if (button) {
    stop();
    button.addEventListener("click", () => {
      if (timer) return stop();
      if (at() + 1 >= values.length) input.value = 0;
      timer = setInterval(step, 120);
      button.textContent = "❚❚";
      button.setAttribute("aria-label", `pause ${about.label}`);
    });
  }

  return {
    update(now, value) {
      const wanted = JSON.stringify(now.options);
      if (wanted !== options) {
        options = wanted;
        values = now.options;
        if (slider) input.max = values.length - 1;
        else input.replaceChildren(...values.map(([text]) => new Option(text)));
      }
      input.disabled = values.length < 2;
      input.title = now.help ?? "";
      const found = Math.max(0, values.findIndex(([, v]) => v === value));
      if (slider) input.value = found;
      else input.selectedIndex = found;
      say(values[found][0]);
      before = found;
    },
    // Values near the present one: on the way that it was moved, or all around.
    neighbours(onTheWay) {
      const here = at();
      const reach = onTheWay ? [here - (way < 0 ? 3 : 0), here + (way > 0 ? 3 : 0)] : [here - AHEAD, here + AHEAD];
      return values.slice(Math.max(0, reach[0]), reach[1] + 1).map(([, value]) => value);
    },
  };
}

async function render({ model, el }) {
  el.classList.add("uticket-view");
  const bar = element("div", "uticket-controls", el);
  bar.dataset.lmSuppressShortcuts = "true"; // arrow keys and letters are for the controls
  bar.addEventListener("keydown", (event) => event.stopPropagation());
  const message = element("div", "uticket-message", el);
  message.setAttribute("role", "status");
  const figures = element("dl", "uticket-figures", el);
  const chart = element("div", "uticket-chart", el, "Loading the chart …");
  chart.setAttribute("role", "img");
  const summary = element("p", "uticket-summary", el);
  const spoken = element("p", "uticket-spoken", el);
  spoken.setAttribute("aria-live", "polite");
  const tools = element("div", "uticket-tools", el);
  tools.dataset.lmSuppressShortcuts = "true";
  tools.addEventListener("keydown", (event) => event.stopPropagation());

  const controls = new Map();
  const kept = new Map();
  const asked = new Set(); // the frame on its way
  let api = null;
  let embedded = false;
  let frame = null; // the last one shown
  let state = null; // where the controls stand; ahead of the frame while a move is computed
  let waiting = null; // the newest move, not sent yet
  let sent = false; // a move is being computed
  let overtaken = false; // it was, and the state has changed since: its answer is not shown
  let asking = []; // states to fetch ahead, one at a time
  const me = `${Math.random()}`; // a model may have several views; each hears all answers
  let number = 0;
  let timers = {};
  let last = null; // the control moved last
  let painting = false;
  let stale = false;

  const later = (name, wait, what) => {
    clearTimeout(timers[name]);
    timers[name] = setTimeout(what, wait);
  };
  const calm = (...names) => names.forEach((name) => clearTimeout(timers[name]));
  const send = (content) => {
    try {
      model.send(content);
    } catch {
      // no kernel: patience runs out
    }
  };

  function gone() {
    sent = false;
    waiting = null;
    asked.clear();
    el.classList.remove("uticket-busy");
    say(GONE);
  }

  function say(text) {
    message.textContent = text;
    message.classList.toggle("uticket-silent", !text);
  }

  function showText(now) {
    say(now.message ?? "");
    if (summary.textContent !== now.summary) {
      summary.textContent = now.summary ?? "";
      later("spoken", SPOKEN_MS, () => (spoken.textContent = summary.textContent));
    }
    chart.setAttribute("aria-label", now.summary ?? "");
    const pairs = now.figures ?? [];
    while (figures.children.length > pairs.length) figures.lastChild.remove();
    pairs.forEach(([label, value], i) => {
      let pair = figures.children[i];
      if (!pair) {
        pair = element("div", "", figures);
        element("dt", "", pair);
        element("dd", "", pair);
      }
      if (pair.children[0].textContent !== label) pair.children[0].textContent = label;
      if (pair.children[1].textContent !== value) pair.children[1].textContent = value;
      pair.children[1].dataset.figure = label;
    });
  }

  function showControls(now) {
    for (const about of now.controls ?? []) {
      if (!controls.has(about.name)) {
        controls.set(
          about.name,
          makeControl(bar, about, (value) => {
            last = about.name;
            move({ [about.name]: value });
          }),
        );
      }
      controls.get(about.name).update(about, now.state[about.name]);
    }
    link.value = now.link ?? "";
  }

  function keep(now) {
    kept.set(JSON.stringify(now.state), now);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value);
  }

  function show(now) {
    frame = now;
    if (!waiting) {
      state = now.state;
      showControls(now);
      fetchAhead(true);
      later("ahead", IDLE_MS, () => fetchAhead(false));
    }
    if (embedded) return paint();
    embedded = true;
    return embed();
  }

  function move(changes) {
    state = { ...state, ...changes };
    const known = kept.get(JSON.stringify(state));
    waiting = known ? null : state;
    if (known) {
      overtaken = sent;
      send({ moved: state });
      show(known);
    } else if (asked.has(JSON.stringify(state))) later("gone", PATIENCE_MS, gone);
    else pump();
  }

  function pump() {
    if (sent || !waiting) return;
    request({ move: waiting });
    waiting = null;
  }

  function request(content) {
    sent = true;
    overtaken = false;
    number += 1;
    send({ ...content, number: `${me}:${number}` });
    later("busy", BUSY_MS, () => el.classList.add("uticket-busy"));
    later("gone", PATIENCE_MS, gone);
  }

  function fetchAhead(onTheWay) {
    if (!last || !frame || frame.took > QUICK_MS) return;
    asking = controls.get(last).neighbours(onTheWay).map((value) => ({ ...state, [last]: value }));
    fetchNext();
  }

  function fetchNext() {
    if (sent || asked.size) return;
    asking = asking.filter((values) => !kept.has(JSON.stringify(values)));
    const values = asking.shift();
    if (!values) return;
    asked.add(JSON.stringify(values));
    send({ ahead: values });
  }

  function arrived(now, name) {
    if (!asked.delete(name)) return; // another view's
    if (now) keep(now);
    if (!waiting || JSON.stringify(waiting) !== name) return fetchNext();
    calm("gone");
    if (!now) return pump(); // it failed: the kernel will say why
    waiting = null;
    overtaken = sent;
    send({ moved: now.state });
    show(now);
  }

  function answered() {
    sent = false;
    calm("busy", "gone");
    el.classList.remove("uticket-busy");
  }

  function receive(content) {
    if (content.ahead) return arrived(content.frame, JSON.stringify(content.ahead));
    if (content.frame) keep(content.frame);
    if (content.number === `${me}:${number}`) {
      const stale = overtaken;
      answered();
      if (content.frame && !stale) show(content.frame);
      if (content.error !== undefined && !stale) say(content.error);
      pump();
    } else if (content.frame && !sent && !waiting) {
      calm("gone");
      show(content.frame); // set from code, or moved in another view
    }
  }

  // Frames that arrive while one is being painted are dropped, except the last.
  async function paint() {
    stale = true;
    if (painting) return;
    painting = true;
    try {
      while (stale) {
        stale = false;
        const now = frame;
        if (api) {
          for (const [name, columns] of Object.entries(now.data ?? {})) {
            const fresh = api.view.changeset().remove(() => true).insert(rows(columns));
            api.view.change(name, fresh);
          }
          await api.view.runAsync();
        }
        showText(now);
        el.dataset.frame = Number(el.dataset.frame ?? 0) + 1;
        el.dataset.state = JSON.stringify(now.state);
      }
    } finally {
      painting = false;
    }
    later("saved", 1000, remember);
  }

  // What a reader sees who opens the notebook without its kernel; none of it goes to the kernel.
  function remember() {
    const canvas = chart.querySelector("canvas");
    if (!canvas || !frame) return;
    const { controls, figures, summary, message, state, link } = frame;
    model.set("shown", { controls, figures, summary, message, state, link });
    model.set("picture", canvas.toDataURL("image/webp", 0.9));
  }

  async function embed() {
    if (!frame) return;
    try {
      const { vegaEmbed } = await loadVega(model);
      api?.finalize();
      // With the first data in the specification, Vega lays out axes and legends for it.
      const spec = { ...structuredClone(model.get("spec")), datasets: {} };
      for (const [name, columns] of Object.entries(frame.data ?? {})) spec.datasets[name] = rows(columns);
      api = await vegaEmbed(chart, spec, { actions: false, renderer: "canvas", config: themeConfig(el) });
      api.view.addEventListener("click", (event, item) => {
        if (["line", "area"].includes(item?.mark?.marktype)) return; // it would name their first point
        const clicked = (frame.clicks ?? []).filter((name) => item?.datum?.[name] !== undefined);
        if (clicked.length) move(Object.fromEntries(clicked.map((name) => [name, item.datum[name]])));
      });
      await paint();
    } catch (error) {
      say(`The chart could not be drawn: ${error.message} The figures are still right.`);
    }
  }

  function save(name, url) {
    const anchor = document.createElement("a");
    anchor.href = url;
    anchor.download = `${model.get("kind")}.${name}`;
    anchor.click();
    if (url.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }
  const file = (text, type) => URL.createObjectURL(new Blob([text], { type }));
  const downloads = {
    SVG: async () => save("svg", file(await api.view.toSVG(), "image/svg+xml")),
    PNG: async () => save("png", await api.view.toImageURL("png", 2)),
    CSV: async () => save("csv", file(csv(frame.data), "text/csv")),
  };
  for (const [name, download] of Object.entries(downloads)) {
    const button = element("button", "", tools, name);
    button.title = name === "CSV" ? "download the data behind the picture" : "download the picture";
    button.addEventListener("click", () => (api && frame ? download() : say(GONE)));
  }
  const link = element("input", "", tools);
  link.setAttribute("aria-label", "state as text: copy it, or paste another and press Enter");
  link.title = "the state as text: copy it, or paste another and press Enter";
  link.addEventListener("focus", () => link.select());
  link.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    request({ link: link.value });
  });

  // Until the kernel answers: what was seen last.
  const shown = model.get("shown");
  if (shown?.state) {
    state = shown.state;
    showControls(shown);
    showText(shown);
    if (model.get("picture")) {
      chart.replaceChildren();
      element("img", "", chart).src = model.get("picture");
    }
  }
  model.on("msg:custom", receive);
  send({ ask: "frame" });
  later("gone", PATIENCE_MS, gone);
  const theme = new MutationObserver(embed);
  theme.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  return () => {
    model.off("msg:custom", receive);
    theme.disconnect();
    api?.finalize();
    Object.values(timers).forEach(clearTimeout);
  };
}

export default { render };
