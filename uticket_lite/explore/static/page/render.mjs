// A view: controls above, figures, chart and words below, over a feed.

import { Chart, csv, element } from "./chart.mjs";
import { keepKeys, makeControl } from "./controls.mjs";

const SPOKEN_MS = 600; // a summary is spoken when it has stood for this long
const FIT_MS = 150; // a new width is fitted when it has stood for this long
const SAVED_MS = 1000; // a picture is kept when it has stood for this long

function showFigures(figures, pairs) {
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

export function render(feed, model, el) {
  el.classList.add("uticket-view");
  const bar = element("div", "uticket-controls", el);
  const message = element("div", "uticket-message", el);
  message.setAttribute("role", "status");
  const figures = element("dl", "uticket-figures", el);
  const picture = element("div", "uticket-chart", el, "Loading the chart …");
  picture.setAttribute("role", "img");
  const summary = element("p", "uticket-summary", el);
  const spoken = element("p", "uticket-spoken", el);
  spoken.setAttribute("aria-live", "polite");
  const tools = element("div", "uticket-tools", el);

  const controls = new Map();
  const timers = {};
  const later = (name, wait, what) => {
    clearTimeout(timers[name]);
    timers[name] = setTimeout(what, wait);
  };

  const chart = new Chart(picture, model, (datum) => {
    const clicked = (feed.frame.clicks ?? []).filter((name) => datum[name] !== undefined);
    if (clicked.length) feed.move(Object.fromEntries(clicked.map((name) => [name, datum[name]])));
  });

  function say(text) {
    message.textContent = text;
    message.classList.toggle("uticket-silent", !text);
  }

  function showText(frame) {
    say(feed.said);
    if (summary.textContent !== frame.summary) {
      summary.textContent = frame.summary;
      later("spoken", SPOKEN_MS, () => (spoken.textContent = summary.textContent));
    }
    picture.setAttribute("aria-label", frame.summary);
    showFigures(figures, frame.figures);
  }

  function showControls(frame, state) {
    for (const about of frame.controls) {
      if (!controls.has(about.name)) {
        const moved = (value) => feed.move({ [about.name]: value });
        controls.set(about.name, makeControl(bar, about, moved));
      }
      controls.get(about.name).update(about, state[about.name], Boolean(feed.state));
    }
  }

  async function draw(frame) {
    try {
      await chart.draw(frame, (drawn) => {
        showText(drawn);
        el.dataset.frame = Number(el.dataset.frame ?? 0) + 1;
        el.dataset.state = JSON.stringify(drawn.state);
      });
      later("saved", SAVED_MS, () => remember(frame));
    } catch (error) {
      showText(frame);
      say(`The chart could not be drawn: ${error.message} The figures are right.`);
    }
  }

  // What a reader sees who opens the notebook without its kernel; none of it goes to the kernel.
  async function remember({ controls, figures, summary, message, state, link }) {
    const url = await chart.kept();
    if (!url) return;
    model.set("shown", { controls, figures, summary, message, state, link });
    model.set("picture", url);
  }

  function show(frame) {
    link.value = frame.link ?? "";
    showControls(frame, feed.state ?? frame.state);
    if (frame.data) return draw(frame);
    showText(frame);
    const kept = model.get("picture"); // seen last: no data to draw, a picture of it
    if (!kept) return;
    picture.replaceChildren();
    Object.assign(element("img", "", picture), { src: kept, alt: "" });
  }

  function steer(state) {
    if (!state) return;
    for (const [name, control] of controls) control.stand(state[name]);
    link.value = feed.frame?.link ?? "";
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
    SVG: async () => save("svg", file(await chart.api.view.toSVG(), "image/svg+xml")),
    PNG: async () => save("png", await chart.api.view.toImageURL("png", 2)),
    CSV: async () => save("csv", file(csv(feed.frame.data), "text/csv")),
  };
  for (const [name, download] of Object.entries(downloads)) {
    const button = element("button", "", tools, name);
    button.title = name === "CSV" ? "download the data behind the picture" : "download the picture";
    keepKeys(button);
    button.addEventListener("click", () => chart.api && download());
  }
  const link = element("input", "", tools);
  keepKeys(link);
  link.setAttribute("aria-label", "state as text: copy it, or paste another and press Enter");
  link.title = "the state as text: copy it, or paste another and press Enter";
  link.addEventListener("focus", () => link.select());
  link.addEventListener("keydown", (event) => event.key === "Enter" && feed.link(link.value));

  const hear = {
    show,
    steer,
    say,
    busy: (busy) => el.classList.toggle("uticket-busy", busy),
  };
  const silence = feed.on((event, detail) => hear[event](detail));
  if (feed.frame) show(feed.frame);
  if (feed.said) say(feed.said);
  const theme = new MutationObserver(() => chart.recolour());
  theme.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  const fit = () => later("fit", FIT_MS, () => chart.fit());
  const room = new ResizeObserver(fit);
  room.observe(picture);
  window.addEventListener("resize", fit); // of its height
  return () => {
    silence();
    theme.disconnect();
    room.disconnect();
    window.removeEventListener("resize", fit);
    chart.finalize();
    Object.values(timers).forEach(clearTimeout);
  };
}
