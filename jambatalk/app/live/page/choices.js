// The choices in the page's address: to share it, to reload it, and to go back to it.

const QUIET = 300; // milliseconds after a change, so that a slider that is dragged gives one address
const TAB = "tab"; // name of the open tab
const COPIED = 3000; // milliseconds for which the button says so

let defaults = {}; // name → value, what an empty address says
let chosen = {};
let opened; // what was chosen when the page was opened
let writing; // timer

// Return what to choose when the page is opened: what the address says, else what was stored.
// `served` is chosen as long as nothing else is; `local` has other values for some languages.
export function open(served, local, stored) {
  defaults = { ...served };
  const [language] = document.documentElement.lang.split("-");
  for (const [name, values] of Object.entries(local))
    if (name in served && values[language]) defaults[name] = values[language];
  const address = read();
  chosen = { ...defaults, ...(Object.keys(address).length ? address : stored) };
  opened = chosen;
  addEventListener("popstate", () => document.getElementById("choices-back").click());
  const differs = ([name, value]) => String(value) !== String(served[name]);
  return Object.fromEntries(Object.entries(chosen).filter(differs));
}

// Return what to choose now that the browser went back or forward.
export function restore() {
  chosen = { ...defaults, ...read() };
  return chosen;
}

// Keep the choices, in the order of their names, and return them to be stored.
export function keep(...values) {
  const names = Object.keys(defaults).filter((name) => name !== TAB);
  const kept = Object.fromEntries(names.map((name, k) => [name, values[k]]));
  const atFirst = names.every((name) => String(kept[name]) === String(opened[name]));
  if (!atFirst) opened = {};
  chosen = { ...kept, [TAB]: chosen[TAB] };
  clearTimeout(writing);
  writing = setTimeout(() => write(atFirst), QUIET);
  return kept;
}

export function keepTab(tab) {
  chosen = { ...chosen, [TAB]: tab };
  write();
}

// Copy the address to the clipboard.
export async function copyLink() {
  write();
  const button = document.getElementById("copy-link"), { textContent: label } = button;
  await navigator.clipboard.writeText(location.href);
  button.textContent = "Link copied";
  setTimeout(() => { button.textContent = label; }, COPIED);
}

// The choices that the address holds.
function read() {
  const found = {};
  for (const [name, text] of new URLSearchParams(location.search)) {
    const kind = defaults[name];
    if (typeof kind === "string") found[name] = text;
    else if (typeof kind === "number" && Number.isFinite(Number(text))) found[name] = Number(text);
    else if (typeof kind === "boolean") found[name] = text === "true";
    else if (Array.isArray(kind)) found[name] = text ? text.split(",") : [];
  }
  return found;
}

// Let the address hold what differs from an empty address.
function write(replace = false) {
  clearTimeout(writing);
  const url = new URL(location);
  for (const [name, value] of Object.entries(chosen)) {
    if (String(value) === String(defaults[name])) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  if (url.href === location.href) return;
  if (replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
}
