// The page's first screen: the head is there, says an example on the first visit, and says what the
// visitor's recording says as soon as its motion has come.

import { Clip } from "./clip.js";
import { Player } from "./player.js";
import { viewer } from "./viewer.js";

const INTRO = new URL("../clips/intro", import.meta.url);
const INTRO_SOUND = new URL("../intro.wav", import.meta.url);
const VISITED = "jambatalk-visited";
const PAUSE = 700; // milliseconds in which the head looks at the visitor before it speaks

export const player = new Player(viewer);
let own = false; // whether the visitor has chosen a voice

// Show the head, and on the first visit let it speak.
export async function open(name) {
  await viewer.open(name);
  if (matchMedia("(prefers-reduced-motion: reduce)").matches || visited()) return;
  const [motion] = await Promise.all([fetch(INTRO).then((answer) => answer.json()), wait(PAUSE)]);
  if (own || viewer.source) return;
  await player.play(new Clip(motion), INTRO_SOUND.href, { muted: true, caption: motion.caption });
  remember();
}

export const showHead = (name) => viewer.showHead(name);

// Say that the motion is being computed.
export function expect(voice) {
  if (!voice || !isOpen()) return;
  own = true;
  viewer.showStatus("Listening …", "busy");
}

// Say a recording, whose motion has come.
export function play(motion, voice) {
  if (!motion || !voice || !isOpen()) return;
  own = true;
  viewer.showStatus("");
  return player.play(new Clip(motion), voice.url);
}

// Go on in another style, or with another head.
export function change(motion) {
  const clip = motion && new Clip(motion);
  if (clip && clip.length === player.clip?.length) player.change(clip);
}

export function fail() {
  viewer.showStatus("");
}

// Look as the video will.
export function setView(background, yaw) {
  if (!viewer.head) return;
  const channels = /^#(..)(..)(..)$/.exec(background);
  if (channels) viewer.head.background = channels.slice(1).map((hex) => parseInt(hex, 16) / 255);
  viewer.orbit?.turn((yaw * Math.PI) / 180);
}

// Whether the tab Animate is open.
const isOpen = () => Boolean(document.getElementById("animate")?.offsetParent);

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
