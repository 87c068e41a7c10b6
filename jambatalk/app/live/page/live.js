// The tab *Live*: sends sound to the server, receives motion, and moves the head on the page.

import { Head } from "./head.js";
import { MotionBuffer } from "./motion.js";
import { Sound } from "./sound.js";

const SOCKET = new URL("../socket", import.meta.url);
SOCKET.protocol = SOCKET.protocol.replace("http", "ws");
const STATISTICS_PERIOD = 500; // milliseconds
const MIN_DRAW_RATE = 28; // pictures per second, below which the resolution is reduced
const DEBOUNCE = 200; // milliseconds, for a slider that is dragged

let head, session; // one of each per page
let pendingChoice; // timer of a choice that has not been sent

const element = (name) => document.getElementById(`live-${name}`);

function showStatus(text, kind = "") {
  element("status").textContent = text;
  element("status").className = kind;
}

// Show a head at rest.
export async function showHead(name) {
  try {
    if (head?.canvas !== element("canvas")) head = new Head(element("canvas"));
    if (head.name !== name) await head.load(name);
    if (session?.motion) head.setBlendshapes(session.blendshapes);
    head.draw();
  } catch (error) {
    const cure = head ? "Try again." : "Use a browser with WebGL.";
    const message = `The head cannot be drawn: ${error.message} ${cure}`;
    showStatus(message, "error");
    throw new Error(message);
  }
}

// Start a session; `recording` is a file of the page, or null for the microphone.
async function start(recording, style, strength, name, monitor) {
  stop();
  const started = (session = new Session({ style, strength, head: name }));
  showStatus("Connecting …");
  element("details").classList.remove("on");
  element("stage").scrollIntoView({ behavior: "smooth", block: "nearest" });
  try {
    await showHead(name);
    head.resetResolution();
    const sound = await Sound.open(recording?.url, monitor);
    if (session !== started) return sound.close(); // stopped meanwhile
    started.open(sound, Boolean(recording));
  } catch (error) {
    started.fail(error.message);
  }
}

export const startMicrophone = (...choices) => start(null, ...choices);

export function startRecording(recording, ...choices) {
  if (recording) return start(recording, ...choices);
  showStatus("Record your voice or choose a file first.", "error");
}

// Change style and head, also while a session runs.
export function setChoice(style, strength, name) {
  clearTimeout(pendingChoice);
  pendingChoice = setTimeout(() => session?.choose({ style, strength, head: name }), DEBOUNCE);
  return showHead(name);
}

// Browsers do not draw pages in the background.
document.addEventListener("visibilitychange", () => document.hidden && stop());

// Play the microphone's sound back, or not; recordings are always played.
export function setMonitoring(on) {
  if (!session?.isRecording) session?.sound?.setPlayback(on);
}

export function stop() {
  if (!session) return;
  session.close();
  showStatus("Stopped.");
}

// What is shown now, for tests and measurements.
export const state = () => ({
  head: head?.name, frame: session?.frame, second: session?.second, ...session?.statistics,
});

class Session {
  constructor(choice) {
    this.choice = choice;
    this.statistics = {};
  }

  open(sound, isRecording) {
    this.sound = sound;
    this.isRecording = isRecording;
    this.socket = new WebSocket(SOCKET);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.send(this.choice);
    this.socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.motion.add(data, this.sound.now());
      else this.receive(JSON.parse(data));
    };
    this.socket.onclose = () => this.ended || this.fail("The connection was lost. Start again.");
  }

  receive({ error, end, blendshapes, fps, look_ahead: lookAhead }) {
    if (error) this.fail(error);
    if (end) this.ended = true;
    if (!blendshapes) return;
    this.blendshapes = blendshapes;
    this.motion = new MotionBuffer(blendshapes, fps, lookAhead);
    head.setBlendshapes(blendshapes);
    this.sound.start(
      (samples) => this.socket?.readyState === WebSocket.OPEN && this.socket.send(samples),
      () => this.send({ end: true }),
    );
    showStatus(this.isRecording ? "Playing." : "Speak: the head says it after you.", "on");
    this.measured = performance.now();
    this.drawCount = 0;
    this.request = requestAnimationFrame((now) => this.animate(now, now));
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  choose(choice) {
    this.choice = choice;
    this.send(choice);
  }

  // Draw one picture.
  animate(time, previous) {
    if (!head.canvas.offsetParent) return stop(); // another tab was opened
    const now = this.sound.now();
    this.motion.adaptDelay(now, (time - previous) / 1000);
    this.sound.delay = this.motion.delay;
    const second = now - this.motion.delay - this.sound.outputLatency;
    this.second = Math.min(second, this.motion.end); // the head waits for motion that is late
    const frame = this.motion.at(this.second);
    if (frame) {
      this.frame = frame;
      head.setPose(...frame);
    }
    head.draw();
    this.drawCount++;
    if (time - this.measured > STATISTICS_PERIOD) this.measure(time, now);
    if (this.ended && second > this.motion.end) {
      this.close();
      return showStatus("Finished.");
    }
    this.request = requestAnimationFrame((next) => this.animate(next, time));
  }

  measure(time, now) {
    this.statistics = {
      delay: this.motion.shown ? Math.round(1000 * (now - this.second)) : null,
      fps: Math.round(this.motion.rate(now)),
      drawRate: Math.round((1000 * this.drawCount) / (time - this.measured)),
    };
    if (this.statistics.drawRate < MIN_DRAW_RATE) head.reduceResolution();
    this.measured = time;
    this.drawCount = 0;
    const { delay, fps, drawRate } = this.statistics;
    if (delay === null) return;
    element("details").classList.add("on");
    const seconds = `${(delay / 1000).toFixed(1)} s`;
    element("delay").textContent = this.isRecording ? `Delay ${seconds}` : `${seconds} behind you`;
    element("figures").textContent =
      `${delay} ms · ${fps} motion frames per second · drawn ${drawRate} times per second`;
  }

  fail(message) {
    if (session !== this || this.closed) return;
    this.close();
    showStatus(message, "error");
  }

  close() {
    this.closed = true;
    cancelAnimationFrame(this.request);
    this.socket?.close();
    this.sound?.close();
    if (session === this) session = null;
    if (head?.mesh) head.rest();
  }
}
