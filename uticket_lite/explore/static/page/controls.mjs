// Menus and sliders, by keyboard as well as by mouse.

import { element } from "./chart.mjs";

const STEP_MS = 120; // between steps of a slider that plays

// Keys pressed here are for the control, not for the notebook around it.
export function keepKeys(input) {
  input.dataset.lmSuppressShortcuts = "true";
  input.addEventListener("keydown", (event) => event.stopPropagation());
}

// A menu or a slider over labelled values; `moved` hears of the value chosen.
export function makeControl(parent, about, moved) {
  const row = element("div", "uticket-control", parent);
  globalThis.__uticketIds = (globalThis.__uticketIds ?? 0) + 1; // each explorer has its own copy of this file
  const id = `uticket-control-${globalThis.__uticketIds}`;
  const label = element("label", "", row, about.label);
  label.htmlFor = id;
  const slider = about.kind === "slider";
  const input = element(slider ? "input" : "select", "", row);
  const output = element("span", "uticket-value", row);
  const why = element("span", "uticket-why", row);
  why.id = `${id}-why`;
  let values = [];
  let options = "";
  let timer = 0;
  input.id = id;
  input.dataset.control = about.name;
  if (slider) input.type = "range";
  keepKeys(input);

  const at = () => (slider ? Number(input.value) : input.selectedIndex);
  const say = (text) => {
    if (!slider) return;
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
  };
  input.addEventListener("input", () => {
    say(values[at()][0]);
    moved(values[at()][1]);
  });

  const button = about.play ? element("button", "", row, "▶") : null;
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
  if (button) {
    stop();
    keepKeys(button);
    button.addEventListener("click", () => {
      if (timer) return stop();
      if (at() + 1 >= values.length) input.value = 0;
      timer = setInterval(step, STEP_MS);
      button.textContent = "❚❚";
      button.setAttribute("aria-label", `pause ${about.label}`);
    });
  }

  function stand(value) {
    const found = Math.max(0, values.findIndex(([, v]) => v === value));
    if (slider) input.value = found;
    else input.selectedIndex = found;
    say(values[found][0]);
  }

  return {
    stand,
    update(now, value, live) {
      const wanted = JSON.stringify(now.options);
      if (wanted !== options) {
        options = wanted;
        values = now.options;
        if (slider) input.max = values.length - 1;
        else input.replaceChildren(...values.map(([text]) => new Option(text)));
      }
      input.disabled = !live || Boolean(now.closed) || values.length < 2;
      if (button) button.disabled = input.disabled;
      input.title = now.help ?? "";
      why.textContent = now.closed ?? "";
      if (now.closed) input.setAttribute("aria-describedby", why.id);
      else input.removeAttribute("aria-describedby");
      stand(value);
    },
  };
}
