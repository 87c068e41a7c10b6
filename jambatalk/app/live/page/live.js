// The tab *Live*: sound goes out, motion comes in, and the head on the page moves.

import { Head } from "./head.js";
import { MotionBuffer } from "./motion.js";
import { Sound } from "./sound.js";

const SOCKET = new URL("../socket", import.meta.url);
SOCKET.protocol = SOCKET.protocol.replace("http", "ws");
const FIGURES = 500; // milliseconds between two updates of the figures
const FLUENT = 24; // pictures a second; where there are fewer, they are made coarser

const SETTLED = 200; // milliseconds after which a slider that is dragged counts

let head, live; // one a page
let chosen; // a choice that is not yet sent

const element = (name) => document.getElementById(`live-${name}`);

function say(words, kind = "") {
  element("status").textContent = words;
  element("status").className = kind;
}

// Shows a head at rest.
export async function show(name) {
  try {
    if (head?.renderer.domElement !== element("canvas")) head = new Head(element("canvas"));
    if (head.name !== name) await head.wear(name);
    if (live?.motion) head.order(live.blendshapes);
    head.draw();
  } catch (error) {
    const cure = head ? "Try again." : "Use a browser with WebGL.";
    const why = `The head cannot be drawn: ${error.message} ${cure}`;
    say(why, "error");
    throw new Error(why);
  }
}

// Begins: `recording` is a file of the page, or null for the microphone.
async function start(recording, style, strength, name, hear) {
  stop();
  const mine = (live = new Live({ style, strength, head: name }));
  say("Connecting …");
  element("figures").textContent = "";
  element("stage").scrollIntoView({ behavior: "smooth", block: "nearest" });
  try {
    await show(name);
    head.refine();
    const sound = await Sound.open(recording?.url, hear);
    if (live !== mine) return sound.close(); // stopped meanwhile
    mine.open(sound, Boolean(recording));
  } catch (error) {
    mine.fail(error.message);
  }
}

export const speak = (...choices) => start(null, ...choices);

export function play(recording, ...choices) {
  if (recording) return start(recording, ...choices);
  say("Record your voice or choose a file first.", "error");
}

// Changes style and head while somebody speaks.
export function choose(style, strength, name) {
  clearTimeout(chosen);
  chosen = setTimeout(() => live?.choose({ style, strength, head: name }), SETTLED);
  return show(name);
}

// Nobody sees a page in the background, and nothing is drawn there.
document.addEventListener("visibilitychange", () => document.hidden && stop());

// Whether whoever speaks into the microphone hears himself.
export function hear(on) {
  if (!live?.recorded) live?.sound?.hear(on);
}

export function stop() {
  if (!live) return;
  live.close();
  say("Stopped.");
}

// What is shown now: for whoever wants to look on.
export const state = () =>
  ({ head: head?.name, numbers: live?.numbers, second: live?.second, ...live?.figures });

class Live {
  constructor(choice) {
    this.choice = choice;
    this.figures = {};
  }

  open(sound, recorded) {
    this.sound = sound;
    this.recorded = recorded;
    this.socket = new WebSocket(SOCKET);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.send(this.choice);
    this.socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.motion.take(data, this.sound.now());
      else this.read(JSON.parse(data));
    };
    this.socket.onclose = () => this.ended || this.fail("The connection was lost. Start again.");
  }

  read({ error, end, blendshapes, fps, look_ahead: lookAhead }) {
    if (error) this.fail(error);
    if (end) this.ended = true;
    if (!blendshapes) return;
    this.blendshapes = blendshapes;
    this.motion = new MotionBuffer(blendshapes, fps, lookAhead);
    head.order(blendshapes);
    this.sound.start(
      (samples) => this.socket?.readyState === WebSocket.OPEN && this.socket.send(samples),
      () => this.send({ end: true }),
    );
    say(this.recorded ? "Playing." : "Speak: the head says it after you.", "on");
    this.counted = performance.now();
    this.drawn = 0;
    this.frame = requestAnimationFrame((now) => this.show(now, now));
  }

  send(order) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(order));
  }

  choose(choice) {
    this.choice = choice;
    this.send(choice);
  }

  // One picture.
  show(time, before) {
    if (!head.renderer.domElement.offsetParent) return stop(); // somebody looks at another tab
    const now = this.sound.now();
    this.motion.adapt(now, (time - before) / 1000);
    this.sound.delay = this.motion.delay;
    const second = now - this.motion.delay - this.sound.outputLatency;
    this.second = Math.min(second, this.motion.end); // or the head waits for what has not come
    const numbers = this.motion.at(this.second);
    if (numbers) {
      this.numbers = numbers;
      head.move(...numbers);
    }
    head.draw();
    this.drawn++;
    if (time - this.counted > FIGURES) this.measure(time, now);
    if (this.ended && second > this.motion.end) {
      this.close();
      return say("That was all.");
    }
    this.frame = requestAnimationFrame((next) => this.show(next, time));
  }

  measure(time, now) {
    this.figures = {
      delay: this.motion.shown ? Math.round(1000 * (now - this.second)) : null,
      frames: Math.round(this.motion.rate(now)),
      pictures: Math.round((1000 * this.drawn) / (time - this.counted)),
    };
    if (this.figures.pictures < FLUENT) head.coarsen();
    this.counted = time;
    this.drawn = 0;
    const { delay, frames, pictures } = this.figures;
    if (delay === null) return;
    element("figures").textContent =
      `Delay ${delay} ms · ${frames} motion frames a second · drawn ${pictures} times a second`;
  }

  fail(why) {
    if (live !== this || this.closed) return;
    this.close();
    say(why, "error");
  }

  close() {
    this.closed = true;
    cancelAnimationFrame(this.frame);
    this.socket?.close();
    this.sound?.close();
    if (live === this) live = null;
    if (head?.mesh) head.rest();
  }
}
