// The motion that has come, and how long after its sound it is shown. All times are seconds of the
// sound's clock since the sound began.

const MARGIN = 0.03; // seconds by which motion comes before it is needed
const LATELY = 3; // seconds over which frames are counted
const MEMORY = 5; // seconds for which a late message is remembered
const SLOWER = 0.5, FASTER = 0.05; // seconds a second by which the delay may grow and shrink
const POSE = 3; // numbers after the weights

export class MotionBuffer {
  constructor(blendshapes, fps, lookAhead) {
    this.width = blendshapes.length + POSE;
    this.fps = fps;
    this.delay = lookAhead; // from a sound to its motion
    this.frames = []; // that are not yet shown, and the last one that is
    this.first = 0; // number of the first of them
    this.needs = []; // what delay each of the last messages needed
    this.arrivals = [];
    this.shown = false;
  }

  // A message of the server, see jambatalk/live/session.py, that came at `now`.
  take(message, now) {
    const first = new DataView(message).getUint32(0, true);
    const numbers = new Float32Array(message, 4);
    const count = numbers.length / this.width;
    for (let k = 0; k < count; k++)
      this.frames.push(numbers.subarray(k * this.width, (k + 1) * this.width));
    // Towards its first frame the head moves from the one before.
    this.needs.push({ now, need: now - (first - 1) / this.fps });
    this.arrivals.push({ now, count });
  }

  // Follows the messages' lateness: fast if motion would be missing, else slowly, because the sound
  // that is heard with it is stretched and squeezed.
  adapt(now, elapsed) {
    this.needs = this.needs.filter((each) => each.now > now - MEMORY);
    if (!this.needs.length) return;
    const wanted = Math.max(...this.needs.map((each) => each.need)) + MARGIN;
    const change = wanted - this.delay;
    this.delay += this.shown
      ? Math.max(-FASTER * elapsed, Math.min(SLOWER * elapsed, change))
      : change;
  }

  // The second of the last frame.
  get end() {
    return (this.first + this.frames.length - 1) / this.fps;
  }

  // Weights and pose at this second, between two frames; the last one if no more have come.
  at(second) {
    const place = second * this.fps;
    while (this.frames.length > 1 && this.first + 1 <= place) {
      this.frames.shift();
      this.first++;
    }
    if (!this.frames.length || second < 0) return null;
    this.shown = true;
    const [one, other = one] = this.frames;
    const part = Math.max(0, Math.min(1, place - this.first));
    const numbers = one.map((value, k) => value + (other[k] - value) * part);
    return [numbers.subarray(0, -POSE), numbers.subarray(-POSE)];
  }

  // Frames a second that came lately.
  rate(now) {
    this.arrivals = this.arrivals.filter((each) => each.now > now - LATELY);
    const [oldest, ...later] = this.arrivals;
    const count = later.reduce((total, each) => total + each.count, 0);
    return later.length ? count / (later.at(-1).now - oldest.now) : 0;
  }
}
