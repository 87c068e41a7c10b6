// Which tab is open, and so what the viewer does.

import { player } from "./animate.js";
import * as live from "./live.js";

const viewer = () => document.getElementById("viewer");

// Compare shows a video; the other tabs share the viewer.
export function open(tab) {
  if (tab === viewer().dataset.tab) return;
  viewer().dataset.tab = tab;
  viewer().hidden = tab === "compare";
  if (tab !== "animate") player.pause();
  if (tab === "live") live.openTab();
  else live.closeTab();
}
