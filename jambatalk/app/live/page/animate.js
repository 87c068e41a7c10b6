// The page's first screen: the head is there, says an example on the first visit, and says what the
// visitor's recording says as soon as its motion has come, in one style or in several.

import { Clip } from "./clip.js";
import { acceptFiles } from "./drop.js";
import { Player } from "./player.js";
import { connectTransport } from "./transport.js";
import { mounted, viewer } from "./viewer.js";

const INTRO = new URL("../clips/intro", import.meta.url);
const INTRO_SOUND = new URL("../intro.wav", import.meta.url);
const VISITED = "jambatalk-visited";
const PAUSE = 700; // milliseconds in which the head looks at the visitor before it speaks

export const player = new Player(viewer);
export const waveform = connectTransport(player, viewer);
let heard = {}; // name of a tab → address of its last voice
let own = false; // whether the visitor has chosen a voice

// On the first visit, let the head speak.
export async function open() {
  acceptFiles(() => { heard = {}; }); // the same file is a new voice
  if (matchMedia("(prefers-reduced-motion: reduce)").matches || visited()) return;
  const [motion] = await Promise.all([fetch(INTRO).then((answer) => answer.json()), wait(PAUSE)]);
  await mounted();
  if (own || !viewer.drawn || viewer.source || !isOpen("animate")) return;
  await player.play([new Clip(motion)], INTRO_SOUND.href, { muted: true, caption: motion.caption });
  remember();
}

export const showHead = (name) => viewer.showHead(name);
export const showShading = (shading) => viewer.showHead(viewer.name, shading);

// Say that the motion is being computed; return what it is computed of.
export function expect(tab, voice, ...choices) {
  if (!voice || !isOpen(tab)) return [null, ...choices];
  own = true;
  viewer.showStatus("Predicting motion …", "busy");
  return [voice, ...choices];
}

// The same for a voice that has come; Gradio tells some of them twice.
export function expectNew(tab, voice, ...choices) {
  const address = voice?.url, isNew = address !== heard[tab];
  heard[tab] = address;
  return expect(tab, isNew ? voice : null, ...choices);
}

// Say a recording, whose motions have come, with their titles.
export function play(tab, motions, voice) {
  if (!motions || !voice || !isOpen(tab)) return;
  own = true;
  viewer.showStatus("");
  viewer.canvas.scrollIntoView({ block: "nearest" }); // on a phone it may be out of sight
  const clips = motions.map((motion) => new Clip(motion));
  return player.play(clips, voice.url, { titles: titles(motions) });
}

// Return the voice, and the choices, of which only the beginning is there; no voice if it is whole.
export const askForRest = (voice, ...choices) =>
  [player.clip?.whole !== false || voice?.url !== waveform.address ? null : voice, ...choices];

// Go on with the whole of what has begun.
export function addRest(tab, motions) {
  if (player.clip?.whole === false) change(tab, motions);
}

// Go on in other styles, or with another head.
export function change(tab, motions) {
  if (!motions || !isOpen(tab)) return;
  const clips = motions.map((motion) => new Clip(motion));
  if (clips[0].length === player.clip?.length) player.change(clips, titles(motions));
}

// Show the phones that were recognised in the voice, [name, start, end] each.
export function showPhones(phones, voice) {
  if (phones && voice?.url === waveform.address) waveform.setPhones(phones);
}

const titles = (motions) => (motions.length > 1 ? motions.map((motion) => motion.title) : []);

export function fail() {
  viewer.showStatus("");
}

// Look as the video will.
export function setBackground(background) {
  const channels = /^#(..)(..)(..)$/.exec(background);
  if (channels && viewer.head)
    viewer.head.background = channels.slice(1).map((hex) => parseInt(hex, 16) / 255);
}

export function setLight(light) {
  if (viewer.head) viewer.head.light = light;
}

export const setCamera = (...angles) => viewer.orbit?.set(angles);
export const readCamera = () => viewer.orbit.angles;

const isOpen = (tab) => document.getElementById("viewer").dataset.tab === tab;

// Save a file that the server has made.
export function save(file) {
  if (!file) return;
  const { url, orig_name: name } = file.video ?? file;
  const link = document.createElement("a");
  link.href = url;
  link.download = name ?? "";
  link.click();
}

const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));

// Storage may be forbidden.
function visited() {
  try {
    return Boolean(localStorage.getItem(VISITED));
  } catch {
    return false;
  }
}

function remember() {
  try {
    localStorage.setItem(VISITED, "1");
  } catch {
    // every visit is the first
  }
}
