// The tab *Live*: sends sound to the server, receives motion, and moves the head of the page.

import { player } from "./animate.js";
import { MotionBuffer } from "./motion.js";
import { Sound } from "./sound.js";
import { viewer } from "./viewer.js";

const SOCKET = new URL("../../socket", import.meta.url);
SOCKET.protocol = SOCKET.protocol.replace("http", "ws");
const STATISTICS_PERIOD = 500; // milliseconds
const DEBOUNCE = 200; // milliseconds, for a slider that is dragged

let session; // one per page
let pendingChoice; // timer of a choice that has not been sent

const details = (name) => document.getElementById(`viewer-${name}`);
const showStatus = (text, kind) => viewer.showStatus(text, kind);

// Make room for a session.
export function openTab() {
  player.leave();
  viewer.use();
  showStatus("Press Speak and talk, or play the voice that you chose.");
}

// Another tab was opened.
export function closeTab() {
  stop();
  showStatus("");
}

// Start a session; `recording` is a file of the page, or null for the microphone.
async function start(recording, style, strength, name, mood, intensity, monitor) {
  stop();
  const started = (session = new Session({ style, strength, head: name, mood, intensity }));
  showStatus("Connecting …");
  player.leave();
  viewer.canvas.scrollIntoView({ block: "nearest" });
  try {
    await viewer.showHead(name);
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

// Change style, head and mood, also while a session runs.
export function setChoice(style, strength, name, mood, intensity) {
  clearTimeout(pendingChoice);
  const choice = { style, strength, head: name, mood, intensity };
  pendingChoice = setTimeout(() => session?.choose(choice), DEBOUNCE);
  return viewer.showHead(name);
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
  head: viewer.head?.name, frame: session?.shown, second: session?.second, ...session?.statistics,
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
    this.sound.start(
      (samples) => this.socket?.readyState === WebSocket.OPEN && this.socket.send(samples),
      () => this.send({ end: true }),
    );
    showStatus(this.isRecording ? "Playing." : "Speak: the head says it after you.", "on");
    this.measured = performance.now();
    viewer.use(this);
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  choose(choice) {
    this.choice = choice;
    this.send(choice);
  }

  // Return weights and pose at this time; null as long as no motion has come.
  frames(time) {
    const now = this.sound.now();
    this.motion.adaptDelay(now, (time - (this.previous ?? time)) / 1000);
    this.previous = time;
    this.sound.delay = this.motion.delay;
    const second = now - this.motion.delay - this.sound.outputLatency;
    this.second = Math.min(second, this.motion.end); // the head waits for motion that is late
    const frame = this.motion.at(this.second);
    if (frame) this.shown = frame;
    if (time - this.measured > STATISTICS_PERIOD) this.measure(time, now);
    if (this.ended && second > this.motion.end) {
      this.close();
      showStatus("Finished.");
    }
    return frame && [frame];
  }

  measure(time, now) {
    this.statistics = {
      delay: this.motion.shown ? Math.round(1000 * (now - this.second)) : null,
      fps: Math.round(this.motion.rate(now)),
      drawRate: viewer.drawRate,
    };
    this.measured = time;
    const { delay, fps, drawRate } = this.statistics;
    if (delay === null) return;
    details("details").classList.add("on");
    const seconds = `${(delay / 1000).toFixed(1)} s`;
    details("delay").textContent = this.isRecording ? `Delay ${seconds}` : `${seconds} behind you`;
    details("figures").textContent =
      `${delay} ms · ${fps} motion frames per second · drawn ${drawRate} times per second`;
  }

  fail(message) {
    if (session !== this || this.closed) return;
    this.close();
    showStatus(message, "error");
  }

  close() {
    this.closed = true;
    this.socket?.close();
    this.sound?.close();
    if (session === this) session = null;
    if (viewer.source === this) viewer.use();
    details("details").classList.remove("on");
  }
}
