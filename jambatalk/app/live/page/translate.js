// Replaces the page's English texts by those of the visitor's language, before they are drawn. See
// jambatalk/app/languages.py for the dictionaries.

const ATTRIBUTES = ["aria-label", "aria-valuetext", "placeholder", "title", "data-text"];
const UNTOUCHED = "script, style, [translate=no], .api-docs";

const LONGEST = 600; // characters of a text; more are data
const NUMBER = /^n\d?$/; // a name in texts

const { lang } = document.documentElement;
const exact = new Map(); // text → translation
const patterns = []; // [regular expression, translation] of texts that differ from case to case

// Return a text in the visitor's language, as far as the dictionary has it.
export function translate(text) {
  const key = text.trim();
  return key && key.length <= LONGEST && text.replace(key, () => find(key) ?? sentences(key) ?? key);
}

function find(key) {
  if (exact.has(key)) return exact.get(key);
  for (const [pattern, translation] of patterns) {
    const match = pattern.exec(key);
    if (match) return translation.replace(/\{(\w+)\}/g, (_, name) => insert(match.groups[name]));
  }
}

function insert(part) {
  const decimals = /^\d+\.?(\d*)$/.exec(part)?.[1].length;
  if (decimals === undefined) return translate(part);
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return Number(part).toLocaleString(lang, { ...digits, useGrouping: false });
}

// All sentences of a text, or nothing: half of it would be read by nobody.
function sentences(key) {
  const found = key.split(/(?<=[.!?]) (?=\S)/).map(find);
  if (found.length > 1 && !found.includes(undefined)) return found.join(" ").replaceAll("。 ", "。");
}

function translateText(node) {
  const text = translate(node.data);
  if (text && text !== node.data && !node.parentElement?.closest(UNTOUCHED)) node.data = text;
}

function translateAttribute(element, name) {
  const before = element.getAttribute(name), text = before && translate(before);
  if (text && text !== before && !element.closest(UNTOUCHED)) element.setAttribute(name, text);
}

function translateTree(root) {
  if (root.nodeType === Node.TEXT_NODE) return translateText(root);
  if (root.nodeType !== Node.ELEMENT_NODE) return;
  for (const element of [root, ...root.querySelectorAll(ATTRIBUTES.map((name) => `[${name}]`))])
    for (const name of ATTRIBUTES) translateAttribute(element, name);
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) translateText(texts.currentNode);
}

function open(dictionary) {
  for (const [text, translation] of Object.entries(dictionary)) {
    if (!/\{\w+\}/.test(text)) exact.set(text, translation);
    else patterns.push([patternOf(text), translation]);
  }
  const observer = new MutationObserver((records) => {
    for (const { type, target, addedNodes, attributeName } of records) {
      if (type === "childList") addedNodes.forEach(translateTree);
      else if (type === "characterData") translateText(target);
      else translateAttribute(target, attributeName);
    }
    observer.takeRecords(); // of the translations
  });
  observer.observe(document.documentElement, {
    subtree: true, childList: true, characterData: true, attributeFilter: ATTRIBUTES,
  });
  translateTree(document.documentElement);
}

function patternOf(text) {
  const escaped = text.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
  const group = (_, name) => `(?<${name}>${NUMBER.test(name) ? "[\\d.]+" : "[^]+?"})`;
  return new RegExp(`^${escaped.replace(/\{(\w+)\}/g, group)}$`);
}

if (lang !== "en")
  open(await (await fetch(new URL(`languages/${lang}.json`, import.meta.url))).json());
