// Turns and zooms the camera: drag, wheel, pinch; a double click looks the head in the face again.

const MAX_YAW = Math.PI / 2, MAX_PITCH = 0.5; // radians
const MAX_ZOOM = 4;
const TURN = 0.008; // radians per pixel
const WHEEL = 0.0015; // of the zoom's logarithm, per unit of the wheel

export class Orbit {
  constructor(canvas, head) {
    this.head = head;
    this.pointers = new Map();
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, event);
    });
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"])
      canvas.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
    canvas.addEventListener("dblclick", () => this.reset());
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && document.activeElement !== canvas.parentElement) return; // page scrolls
      event.preventDefault();
      this.zoom(Math.exp(-WHEEL * event.deltaY));
    }, { passive: false });
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const distance = this.spread();
    this.pointers.set(event.pointerId, event);
    if (this.pointers.size === 2) return this.zoom(this.spread() / distance);
    const { camera } = this.head;
    this.turn(camera.yaw - TURN * (event.clientX - before.clientX),
              camera.pitch + TURN * (event.clientY - before.clientY));
  }

  // The distance of two fingers.
  spread() {
    const [one, other] = [...this.pointers.values()];
    return other ? Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) : 1;
  }

  turn(yaw, pitch = this.head.camera.pitch) {
    this.head.camera.yaw = Math.max(-MAX_YAW, Math.min(MAX_YAW, yaw));
    this.head.camera.pitch = Math.max(-MAX_PITCH, Math.min(MAX_PITCH, pitch));
  }

  zoom(factor) {
    this.zoomTo(this.head.camera.zoom * factor);
  }

  zoomTo(zoom) {
    this.head.camera.zoom = Math.max(1, Math.min(MAX_ZOOM, zoom));
  }

  reset() {
    this.turn(0, 0);
    this.head.camera.zoom = 1;
  }
}
