// A buffer of received motion and the delay at which it is shown. Times are seconds of the sound's
// clock since the sound began.

const MARGIN = 0.03; // seconds between the arrival of motion and its use
const RATE_WINDOW = 3; // seconds over which received frames are counted
const DELAY_WINDOW = 5; // seconds for which a late message keeps the delay long
const MAX_GROWTH = 0.5, MAX_SHRINKAGE = 0.05; // of the delay, seconds per second
const POSE = 3; // numbers after the weights: pitch, yaw, roll

export class MotionBuffer {
  constructor(blendshapes, fps, lookAhead) {
    this.width = blendshapes.length + POSE;
    this.fps = fps;
    this.delay = lookAhead; // from a sound to its motion
    this.frames = []; // the one that is shown, and those after it
    this.first = 0; // number of the first of them
    this.delays = []; // the delay that each recent message needed
    this.arrivals = [];
    this.shown = false;
  }

  // Add a binary message of the server, see jambatalk/app/live/session.py, received at `now`.
  add(message, now) {
    const first = new DataView(message).getUint32(0, true);
    const values = new Float32Array(message, 4);
    const count = values.length / this.width;
    for (let k = 0; k < count; k++)
      this.frames.push(values.subarray(k * this.width, (k + 1) * this.width));
    // Its first frame is needed from the frame before on, for interpolation.
    this.delays.push({ now, delay: now - (first - 1) / this.fps });
    this.arrivals.push({ now, count });
  }

  // Follow the lateness of messages: fast where motion would be missing, else slowly, because the
  // sound that is played with the motion is stretched and squeezed.
  adaptDelay(now, elapsed) {
    this.delays = this.delays.filter((message) => message.now > now - DELAY_WINDOW);
    if (!this.delays.length) return;
    const wanted = Math.max(...this.delays.map((message) => message.delay)) + MARGIN;
    const change = wanted - this.delay;
    this.delay += this.shown
      ? Math.max(-MAX_SHRINKAGE * elapsed, Math.min(MAX_GROWTH * elapsed, change))
      : change;
  }

  // The second of the last frame.
  get end() {
    return (this.first + this.frames.length - 1) / this.fps;
  }

  // Return weights and pose at this second, interpolated; the last frame if no later one has come.
  at(second) {
    const position = second * this.fps;
    while (this.frames.length > 1 && this.first + 1 <= position) {
      this.frames.shift();
      this.first++;
    }
    if (!this.frames.length || second < 0) return null;
    this.shown = true;
    const [frame, next = frame] = this.frames;
    const fraction = Math.max(0, Math.min(1, position - this.first));
    const values = frame.map((value, k) => value + (next[k] - value) * fraction);
    return [values.subarray(0, -POSE), values.subarray(-POSE)];
  }

  // Return the frames per second received recently.
  rate(now) {
    this.arrivals = this.arrivals.filter((message) => message.now > now - RATE_WINDOW);
    const [oldest, ...later] = this.arrivals;
    const count = later.reduce((total, message) => total + message.count, 0);
    return later.length ? count / (later.at(-1).now - oldest.now) : 0;
  }
}
