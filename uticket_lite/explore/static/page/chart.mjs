// The chart: Vega draws it once and gets new data with every frame.

const page = globalThis; // Vega is fetched from the kernel once per page, by the first explorer
const VEGA_MS = 20_000;
const WIDEST = 1.6; // plots grow up to this with the room,
const ALONE = 560; // below each other up to so many pixels,
const NARROWEST = 60; // and shrink down to so many pixels
const HIGH = 880; // in lower windows plots are lower, so that what stands around them is seen too,
const LOWEST = 0.6; // down to this share of their height
const LEGEND = 480; // narrower, the entries of legends stand in rows
const ANYWHERE = { ink: "#7a7a7a", faint: "#7a7a7a66", paper: "transparent" }; // seen in both themes
const FITTINGS = 4; // axes and names take their own room: fitted again so often

export function element(tag, className, parent, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  parent.appendChild(made);
  return made;
}

export async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}

export function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

export async function importVega(bytes) {
  const script = new Blob([await inflated(bytes)], { type: "text/javascript" });
  const url = URL.createObjectURL(script);
  try {
    return await import(/* webpackIgnore: true */ url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

// From the kernel, as bytes; as text where a front end loses bytes.
function askForVega(model) {
  return new Promise((resolve, reject) => {
    const done = () => {
      model.off("msg:custom", receive);
      clearTimeout(patience);
    };
    const receive = (message, buffers) => {
      if (message?.vega === undefined) return;
      const bytes = message.vega ? fromBase64(message.vega) : buffers?.[0];
      if (!bytes?.byteLength) return model.send({ ask: "vega", text: true });
      done();
      resolve(importVega(bytes));
    };
    const patience = setTimeout(() => {
      done();
      reject(new Error("The kernel did not send the drawing program."));
    }, VEGA_MS);
    model.on("msg:custom", receive);
    model.send({ ask: "vega" });
  });
}

function loadVega(model) {
  page.__uticketVega ??= askForVega(model).catch((error) => {
    page.__uticketVega = undefined; // the next explorer tries again
    throw error;
  });
  return page.__uticketVega;
}

// Colours of JupyterLab's theme, light or dark; black on white elsewhere.
function themeColours(el) {
  const style = getComputedStyle(el);
  const colour = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  return {
    ink: colour("--jp-ui-font-color1", "#222"),
    faint: colour("--jp-border-color2", "#ccc"),
    paper: colour("--jp-layout-color0", "#fff"),
  };
}

// What of a picture is coloured by the theme; the colours are signals, so that they can change.
function themeConfig(el) {
  const [ink, faint, paper] = ["ink", "faint", "paper"].map((expr) => ({ expr }));
  const axis = { labelColor: ink, titleColor: ink, tickColor: faint, domainColor: faint, gridColor: faint };
  return {
    background: paper,
    axis,
    legend: { labelColor: ink, titleColor: ink, ...(el.clientWidth < LEGEND && { columns: 2 }) },
    header: { labelColor: ink, titleColor: ink },
    title: { color: ink, subtitleColor: ink },
    view: { stroke: null },
    text: { color: ink },
  };
}

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

export function rows(columns) {
  const names = Object.keys(columns);
  return columns[names[0]].map((_, i) => Object.fromEntries(names.map((name) => [name, columns[name][i]])));
}

export function csv(data) {
  const tables = Object.entries(data);
  const names = [...new Set(tables.flatMap(([, columns]) => Object.keys(columns)))];
  const cell = (value) => {
    const text = String(value ?? "");
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = tables.flatMap(([table, columns]) =>
    rows(columns).map((row) => [table, ...names.map((name) => cell(row[name]))].join(",")),
  );
  return [["table", ...names].join(","), ...lines, ""].join("\n");
}

export class Chart {
  api = null;
  #el;
  #model;
  #clicked;
  #frame = null; // the newest to draw
  #wide = 0; // what charts side by side need, once that is known
  #plots = {}; // Vega's name of each plot's width, and how wide it was made
  #heights = {}; // the same of heights, except where rows are counted
  #stacked = false;
  #painting = null;
  #turn = Promise.resolve();

  // clicked: hears of the data of a mark that is clicked on.
  constructor(el, model, clicked) {
    this.#el = el;
    this.#model = model;
    this.#clicked = clicked;
  }

  // Draw; frames that come while one is being painted are dropped, except the last.
  async draw(frame, painted) {
    this.#frame = frame;
    this.#painting ??= this.#inTurn(() => this.#paint(painted)).finally(() => (this.#painting = null));
    return this.#painting;
  }

  // In the colours of the present theme.
  async recolour() {
    return this.#inTurn(() => this.api && this.#colour(themeColours(this.#el)));
  }

  // As it is, to be looked at in any theme; null while there is none.
  async kept() {
    return this.#inTurn(async () => {
      if (!this.api) return null;
      await this.#colour(ANYWHERE);
      const url = this.#el.querySelector("canvas").toDataURL("image/webp", 0.9);
      await this.#colour(themeColours(this.#el));
      return url;
    });
  }

  // Charts stand side by side where there is room, below each other where there isn't.
  async fit() {
    return this.#inTurn(async () => {
      if (!this.api) return;
      const known = !this.#beside() || !this.#el.clientWidth || this.#wide;
      if (!known || this.#stacked !== this.#narrow()) await this.#embed(this.#frame);
      else await this.#fill();
    });
  }

  async #colour(colours) {
    const view = this.api?.view; // none when the chart was taken away meanwhile
    for (const [name, colour] of Object.entries(colours)) view?.signal(name, colour);
    await view?.runAsync();
  }

  // Frames, themes and widths change at the same time: one is drawn, and measured, after another.
  #inTurn(what) {
    this.#turn = this.#turn.then(what, what);
    return this.#turn;
  }

  // How wide each plot was made, by Vega's name: a single one has the page's, and plots beside each
  // other that are equally wide share one.
  #widths() {
    const named = (name) => /_width$|^childWidth$/.test(name);
    const { signals } = this.api.view.getState({ signals: named });
    return Object.keys(signals).length ? signals : { width: this.api.view.width() };
  }

  #highs() {
    const { signals = [], height } = this.api.vgSpec;
    const named = signals.filter(({ name, value }) => /_height$|^childHeight$/.test(name) && value);
    const alone = typeof height === "number" ? [["height", height]] : [];
    return Object.fromEntries([...named.map(({ name, value }) => [name, value]), ...alone]);
  }

  // Plots as wide as there is room for, and as high as the window allows.
  async #fill() {
    const { view } = this.api;
    // A frame may be as high as what it holds: then it is the screen that says.
    const high = page.top === page ? innerHeight : screen.availHeight;
    const lowered = Math.max(LOWEST, Math.min(1, 1 - (HIGH - high) / 530));
    if (view.signal("lowered") !== lowered) {
      view.signal("lowered", lowered);
      for (const [name, height] of Object.entries(this.#heights)) {
        view.signal(name, Math.round(lowered * height));
      }
      await view.resize().runAsync();
    }
    const widths = Object.values(this.#plots);
    const [first] = widths;
    const beside = "childWidth" in this.#plots ? this.#beside() * first : sum(widths);
    const whole = this.#stacked ? Math.max(...widths) : beside;
    for (let i = 0; i < FITTINGS; i++) {
      const canvas = this.#el.querySelector("canvas");
      const room = this.#el.clientWidth - canvas.offsetWidth;
      const present = view.signal(Object.keys(this.#plots)[0]) / (this.#stacked ? whole : first);
      const scale = Math.min(this.#stacked ? ALONE / whole : WIDEST, present + room / whole);
      const fits = room >= 0 && (scale - present) * whole < 2;
      if (!this.#el.clientWidth || fits) return;
      for (const [name, width] of Object.entries(this.#plots)) {
        const natural = this.#stacked ? whole : width; // below each other all are equally wide
        view.signal(name, Math.max(NARROWEST, Math.floor(scale * natural)));
      }
      await view.resize().runAsync();
    }
  }

  // How many charts can stand side by side.
  #beside() {
    return this.#model.get("spec").hconcat?.length ?? 0;
  }

  // Hidden, as for a moment when JupyterLab changes its theme, it has no width and stays as it was.
  #narrow() {
    return this.#el.clientWidth ? this.#el.clientWidth < this.#wide : this.#stacked;
  }

  finalize() {
    this.api?.finalize();
    this.api = null;
  }

  async #paint(painted) {
    let drawn = null;
    while (drawn !== this.#frame) {
      drawn = this.#frame;
      if (this.api) await this.#change(drawn);
      else await this.#embed(drawn);
      painted(drawn);
    }
  }

  async #change(frame) {
    for (const [name, columns] of Object.entries(frame.data)) {
      const fresh = this.api.view.changeset().remove(() => true).insert(rows(columns));
      this.api.view.change(name, fresh);
    }
    await this.api.view.runAsync();
  }

  async #embed(frame) {
    const { vegaEmbed } = await loadVega(this.#model);
    this.finalize();
    // With the first data in the specification, Vega lays out axes and legends for it.
    const spec = { ...structuredClone(this.#model.get("spec")), datasets: {} };
    for (const [name, columns] of Object.entries(frame.data)) spec.datasets[name] = rows(columns);
    this.#stacked = this.#narrow();
    if (this.#stacked) {
      Object.assign(spec, { vconcat: spec.hconcat, spacing: 30, bounds: "full" });
      delete spec.hconcat;
      for (const param of spec.params ?? []) if (param.name === "stacked") param.value = true;
    }
    const known = { lowered: 1, ...themeColours(this.#el) };
    const others = (spec.params ?? []).filter(({ name }) => !(name in known));
    spec.params = [...others, ...Object.entries(known).map(([name, value]) => ({ name, value }))];
    const options = { actions: false, renderer: "canvas", config: themeConfig(this.#el) };
    this.api = await vegaEmbed(this.#el, spec, options);
    if (!this.#stacked && this.#beside()) {
      this.#wide = this.#el.querySelector("canvas").offsetWidth;
      if (this.#narrow()) return this.#embed(frame);
    }
    this.#plots = this.#widths();
    this.#heights = this.#highs();
    await this.#fill();
    this.api.view.addEventListener("click", (event, item) => {
      if (["line", "area"].includes(item?.mark?.marktype)) return; // it would name their first point
      if (item?.datum) this.#clicked(item.datum);
    });
  }
}
