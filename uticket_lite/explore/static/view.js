// One view: a Vega chart whose data the kernel replaces, figures beside it, and a spoken summary.
// The chart is embedded once; a move only pushes new data into it.

const page = globalThis; // Vega is fetched from the kernel once per page, by the first view

function loadVega(model) {
  page.__uticketVega ??= new Promise((resolve, reject) => {
    const receive = async (message, buffers) => {
      if (message?.vega === undefined) return;
      model.off("msg:custom", receive);
      try {
        const packed = new Blob([buffers[0]]).stream();
        const source = packed.pipeThrough(new DecompressionStream("deflate"));
        const script = new Blob([await new Response(source).blob()], { type: "text/javascript" });
        const url = URL.createObjectURL(script);
        resolve(await import(/* webpackIgnore: true */ url));
        URL.revokeObjectURL(url);
      } catch (error) {
        page.__uticketVega = undefined;
        reject(error);
      }
    };
    model.on("msg:custom", receive);
    model.send({ ask: "vega" });
  });
  return page.__uticketVega;
}

// Colours of JupyterLab's theme, light or dark; black on white elsewhere.
function themeConfig(el) {
  const style = getComputedStyle(el);
  const ink = style.getPropertyValue("--jp-ui-font-color1").trim() || "#222";
  const faint = style.getPropertyValue("--jp-border-color2").trim() || "#ccc";
  const axis = { labelColor: ink, titleColor: ink, tickColor: faint, domainColor: faint, gridColor: faint };
  return {
    background: null,
    axis,
    legend: { labelColor: ink, titleColor: ink },
    title: { color: ink, subtitleColor: ink },
    view: { stroke: null },
    text: { color: ink },
  };
}

function rows(columns) {
  const names = Object.keys(columns);
  return columns[names[0]].map((_, i) => Object.fromEntries(names.map((name) => [name, columns[name][i]])));
}

function element(tag, className, parent, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  parent.appendChild(made);
  return made;
}

async function render({ model, el }) {
  el.classList.add("uticket-view");
  const message = element("div", "uticket-message", el);
  message.setAttribute("role", "status");
  const figures = element("dl", "uticket-figures", el);
  const chart = element("div", "uticket-chart", el, "Loading the chart …");
  chart.setAttribute("role", "img");
  const summary = element("p", "uticket-summary", el);
  summary.setAttribute("aria-live", "polite");

  let api = null;
  let painting = false;
  let stale = false;

  function showText(frame) {
    message.textContent = frame.message ?? "";
    message.hidden = !frame.message;
    summary.textContent = frame.summary ?? "";
    chart.setAttribute("aria-label", frame.summary ?? "");
    figures.replaceChildren();
    for (const [label, value] of frame.figures ?? []) {
      const pair = element("div", "", figures);
      element("dt", "", pair, label);
      element("dd", "", pair, value).dataset.figure = label;
    }
  }

  // Moves that arrive while one is being painted are dropped, except the last.
  async function paint() {
    stale = true;
    if (painting) return;
    painting = true;
    try {
      while (stale) {
        stale = false;
        const frame = model.get("frame");
        if (api) {
          for (const [name, columns] of Object.entries(frame.data ?? {})) {
            const fresh = api.view.changeset().remove(() => true).insert(rows(columns));
            api.view.change(name, fresh);
          }
          await api.view.runAsync();
        }
        showText(frame);
        el.dataset.frame = frame.number;
      }
    } finally {
      painting = false;
    }
  }

  async function embed() {
    try {
      const { vegaEmbed } = await loadVega(model);
      api?.finalize();
      // With the first data in the specification, Vega lays out axes and legends for it.
      const frame = model.get("frame");
      const spec = { ...structuredClone(model.get("spec")), datasets: {} };
      for (const [name, columns] of Object.entries(frame.data ?? {})) spec.datasets[name] = rows(columns);
      api = await vegaEmbed(chart, spec, {
        actions: false,
        renderer: "canvas",
        config: themeConfig(el),
      });
      await paint();
    } catch (error) {
      message.hidden = false;
      message.textContent = `The chart could not be drawn: ${error.message}. The figures are still right.`;
    }
  }

  showText(model.get("frame"));
  model.on("change:frame", paint);
  const theme = new MutationObserver(embed);
  theme.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  await embed();
  return () => {
    model.off("change:frame", paint);
    theme.disconnect();
    api?.finalize();
  };
}

export default { render };
