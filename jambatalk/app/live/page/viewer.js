// The viewer of the page: one canvas with one head, and one loop that draws it. Whoever moves the
// head is a source: an object with `blendshapes`, and `frames(time)`, which returns weights and pose
// at this time in milliseconds, or null for as long as the head shall idle. Several frames show the
// head as often, side by side; so many are its `heads`.

import { Head } from "./head.js";
import { Idle, mix } from "./idle.js";
import { Orbit } from "./orbit.js";

const BLEND = 200; // milliseconds from one motion to another
const STATISTICS_PERIOD = 500; // milliseconds
const MIN_DRAW_RATE = 28; // pictures per second, below which the resolution is reduced
const REST = { blendshapes: [], frame: () => [new Float32Array(0), new Float32Array(3)] };

const still = matchMedia("(prefers-reduced-motion: reduce)");
const element = (name) => document.getElementById(`viewer-${name}`);

class Viewer {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.canvas.id = "viewer-canvas";
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", "Talking head");
    this.drawRate = 0;
    this.drawn = this.counted = 0; // pictures
    this.blendEnd = 0;
  }

  // Load what is needed before the page has room for the canvas, and then put it there.
  async open(name) {
    if (this.opened) return this.opened;
    this.opened = this.showHead(name);
    Idle.load().then((idle) => { this.idle = idle; }).catch(() => {});
    await mounted();
    element("stage").prepend(this.canvas);
    this.visible = true;
    new IntersectionObserver(([{ isIntersecting }]) => {
      this.visible = isIntersecting;
    }).observe(this.canvas);
    await this.opened;
    this.measured = performance.now();
    requestAnimationFrame((time) => this.animate(time));
    return this.opened;
  }

  async showHead(name) {
    try {
      this.head ??= new Head(this.canvas);
      if (this.head.requested !== name) await this.head.load(name);
      this.orbit ??= new Orbit(this.canvas, this.head);
    } catch (error) {
      const cure = this.head ? "Try again." : "Use a browser with WebGL, or download the video.";
      const message = `The head cannot be drawn: ${error.message} ${cure}`;
      await mounted();
      this.showStatus(message, "error");
      throw new Error(message);
    }
  }

  showStatus(text, kind = "") {
    element("status").textContent = text;
    element("status").className = kind;
  }

  // Let a source move the head, or let it idle.
  use(source = null) {
    if (source === this.source) return;
    this.source = source;
    this.changed = true;
    this.head?.resetResolution();
  }

  // The motion changes within a source too: another style, another place in the sound.
  blend() {
    this.changed = true;
  }

  animate(time) {
    requestAnimationFrame((next) => this.animate(next));
    if (!this.visible || !this.head.mesh) return;
    const frames = this.frames(time);
    const alike = (others) =>
      others?.length === frames.length && others[0].length === frames[0].length;
    if (this.changed && alike(this.shown)) {
      this.from = this.shown;
      this.blendEnd = time + BLEND;
    }
    this.changed = false;
    if (time < this.blendEnd && alike(this.from)) {
      const share = (this.blendEnd - time) / BLEND;
      frames.forEach((frame, k) => mix(frame, this.from[k], share));
    }
    this.shown = frames;
    this.head.draw(frames);
    element("titles").style.setProperty("--columns", this.head.columns);
    this.drawn++;
    this.firstDrawn ??= performance.now();
    if (time - this.measured > STATISTICS_PERIOD) this.measure(time);
  }

  // Return this moment's frames: weights, in the order of the head's blendshapes, and pose.
  frames(time) {
    const idle = still.matches || !this.idle ? REST : this.idle;
    const { source } = this; // which may leave with this frame
    const frames = source?.frames(time);
    if (this.active !== Boolean(frames)) this.changed = true;
    this.active = Boolean(frames);
    const { blendshapes } = frames ? source : idle;
    if (this.named !== blendshapes || this.orderOf !== this.head.mesh) {
      this.order = this.head.blendshapes.map((name) => blendshapes.indexOf(name));
      [this.named, this.orderOf] = [blendshapes, this.head.mesh];
    }
    const all = frames ?? Array(source?.heads ?? 1).fill(idle.frame(time));
    return all.map(([weights, pose]) =>
      Float32Array.from([...this.order.map((k) => weights[k] ?? 0), ...pose]));
  }

  measure(time) {
    this.drawRate = Math.round((1000 * (this.drawn - this.counted)) / (time - this.measured));
    if (this.drawRate < MIN_DRAW_RATE) this.head.reduceResolution();
    [this.measured, this.counted] = [time, this.drawn];
  }
}

// Wait until Gradio has built the page.
async function mounted() {
  while (!element("stage")) await new Promise((resolve) => setTimeout(resolve, 30));
}

export const viewer = new Viewer();
