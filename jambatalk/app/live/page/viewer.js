// The viewer of the page: one canvas with one head, and one loop that draws it. Whoever moves the
// head is a source: an object with `blendshapes`, and `frames(time)`, which returns weights and pose
// at this time in milliseconds, or null for as long as the head shall idle. Several frames show the
// head as often, side by side; so many are its `heads`.

import { Head } from "./head.js";
import { SKIN } from "./head_file.js";
import { Idle, mix } from "./idle.js";
import { Orbit } from "./orbit.js";

const SEEN = 5; // pictures, of which two are seen: browsers let pages draw that far ahead
const BLEND = 200; // milliseconds from one motion to another
const STATISTICS_PERIOD = 500; // milliseconds
const PERIOD = 20; // milliseconds between looks whether the page is there
const MIN_DRAW_RATE = 28; // pictures per second, below which the resolution is reduced
const REST = { blendshapes: [], frame: () => [new Float32Array(0), new Float32Array(3)] };

const still = matchMedia("(prefers-reduced-motion: reduce)");
const element = (name) => document.getElementById(`viewer-${name}`);

class Viewer {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.canvas.id = "viewer-canvas";
    this.canvas.style.visibility = "hidden"; // it is black before the first picture
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", "Talking head");
    this.drawRate = 0;
    this.drawn = this.counted = 0; // pictures
    this.blendEnd = 0;
    this.shading = SKIN;
  }

  // Show a head where the stage will be, and move it there as soon as Gradio has built the page.
  async open(name) {
    performance.mark("viewer-started");
    const idle = Idle.load().then((loaded) => { this.idle = loaded; }).catch(() => {});
    const early = document.createElement("div");
    early.id = "viewer-early";
    early.append(this.canvas);
    await until(() => document.body);
    document.body.append(early);
    const mount = mounted().then(() => {
      element("stage").prepend(this.canvas);
      early.remove();
      this.head?.resetResolution();
      new IntersectionObserver(([{ isIntersecting }]) => {
        this.visible = isIntersecting;
      }).observe(this.canvas);
    });
    await this.showHead(name).catch(async (error) => {
      await mount;
      this.canvas.remove();
      throw error;
    });
    await idle;
    performance.mark("viewer-loaded");
    this.canvas.style.visibility = "";
    this.visible = true;
    this.measured = performance.now();
    requestAnimationFrame((time) => this.animate(time));
  }

  async showHead(name, shading = this.shading) {
    Object.assign(this, { name, shading });
    try {
      this.head ??= new Head(this.canvas);
      this.orbit ??= new Orbit(this.canvas, this.head);
      if (this.head.requested !== `${name} ${shading}`) await this.head.load(name, shading);
    } catch (error) {
      const cure = this.head ? "Try again." : "Use a browser with WebGL, or download the video.";
      const message = `The head cannot be drawn: ${error.message} ${cure}`;
      await mounted();
      this.showStatus(message, "error");
      throw new Error(message);
    }
    mounted().then(() => this.head.refine()).catch(() => {}); // then it stays coarse
  }

  showStatus(text, kind = "") {
    element("status").textContent = text;
    element("status").className = kind;
    element("status").role = kind === "error" ? "alert" : "status";
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
    element("titles")?.style.setProperty("--columns", this.head.columns);
    if (++this.drawn === SEEN) performance.mark("viewer-moved");
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
    const settled = this.head.whole; // else the page is being built meanwhile
    if (settled && this.drawRate < MIN_DRAW_RATE) this.head.reduceResolution();
    [this.measured, this.counted] = [time, this.drawn];
  }
}

// Wait until Gradio has built the page.
export const mounted = () => until(() => element("stage"));

async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, PERIOD));
}

export const viewer = new Viewer();
