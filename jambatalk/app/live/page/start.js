// Starts the viewer, before Gradio has begun to build the page; the rest comes when the head moves.

import { viewer } from "./viewer.js";

export async function start(name) {
  await viewer.open(name).catch(() => {}); // which says why
  (await import("./animate.js")).open();
}
