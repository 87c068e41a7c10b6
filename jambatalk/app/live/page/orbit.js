// Turns and zooms the camera: drag, wheel, pinch; a double click looks the head in the face again.
// The page's sliders and this are one state: what is seen is what they say, and what the video shows.

const DEGREE = Math.PI / 180;
const MAX_YAW = 90, MAX_PITCH = 30, MAX_ZOOM = 4; // as in jambatalk/render/view.py, degrees
const TURN = 0.46; // degrees per pixel
const WHEEL = 0.0015; // of the zoom's logarithm, per unit of the wheel
const ZOOMS = 20; // steps of the zoom in each of its units
const QUIET = 200; // milliseconds after the last turn of the wheel

export class Orbit {
  constructor(canvas, head) {
    Object.assign(this, { head, yaw: 0, pitch: 0, zoom: 1 });
    this.pointers = new Map();
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, event);
    });
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"])
      canvas.addEventListener(end, (event) => {
        this.pointers.delete(event.pointerId);
        this.settle();
      });
    canvas.addEventListener("dblclick", () => this.turn(0, 0, 1).settle());
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && document.activeElement !== canvas.parentElement) return; // page scrolls
      event.preventDefault();
      this.turn(this.yaw, this.pitch, this.zoom * Math.exp(-WHEEL * event.deltaY));
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.settle(), QUIET);
    }, { passive: false });
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const distance = this.spread(), { yaw, pitch, zoom } = this;
    this.pointers.set(event.pointerId, event);
    if (this.pointers.size === 2) return this.turn(yaw, pitch, zoom * (this.spread() / distance));
    this.turn(yaw - TURN * (event.clientX - before.clientX),
              pitch + TURN * (event.clientY - before.clientY));
  }

  // The distance of two fingers.
  spread() {
    const [one, other] = [...this.pointers.values()];
    return other ? Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) : 1;
  }

  turn(yaw, pitch, zoom = this.zoom) {
    this.yaw = Math.max(-MAX_YAW, Math.min(MAX_YAW, yaw));
    this.pitch = Math.max(-MAX_PITCH, Math.min(MAX_PITCH, pitch));
    this.zoom = Math.max(1, Math.min(MAX_ZOOM, zoom));
    this.head.camera = { yaw: DEGREE * this.yaw, pitch: DEGREE * this.pitch, zoom: this.zoom };
    return this;
  }

  zoomTo(zoom) {
    this.turn(this.yaw, this.pitch, zoom).settle();
  }

  // Go to where the sliders can say that it is, and tell them.
  settle() {
    this.settling = null;
    if (this.pointers.size) return;
    this.turn(Math.round(this.yaw), Math.round(this.pitch), Math.round(ZOOMS * this.zoom) / ZOOMS);
    document.getElementById("viewer-turned")?.click();
  }

  // Go to where the sliders say.
  set(angles) {
    if (!this.pointers.size && !this.settling) this.turn(...angles);
  }

  get angles() {
    return [this.yaw, this.pitch, this.zoom];
  }
}
