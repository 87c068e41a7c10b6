// Which tab is open, and so what moves the head.

import { player } from "./animate.js";
import { keepTab } from "./choices.js";
import * as live from "./live.js";

export function open(tab) {
  const { dataset } = document.getElementById("viewer");
  if (tab === dataset.tab) return;
  dataset.tab = tab;
  keepTab(tab);
  player.leave();
  if (tab === "live") live.openTab();
  else live.closeTab();
}
