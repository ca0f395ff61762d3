// What anywidget loads: one feed for each model, shared by its views.

import { Feed } from "./feed.mjs";
import { render } from "./render.mjs";

const STILL =
  "A still picture: no kernel answers here. Open the notebook in Jupyter and run it to move the controls.";

// A page that nbconvert made holds its widgets' states and has no kernel.
const isStill = () => document.querySelector('script[type="application/vnd.jupyter.widget-state+json"]');

export default () => {
  let feed = null;
  function initialize({ model }) {
    feed ??= new Feed(model);
    return () => feed.stop();
  }
  return {
    initialize,
    render({ model, el }) {
      if (!feed) initialize({ model });
      feed.recall(model.get("shown"));
      if (isStill()) feed.said = STILL;
      else feed.start();
      return render(feed, model, el);
    },
  };
};
