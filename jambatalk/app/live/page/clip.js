// A motion that is there as a whole, see pack_motion in jambatalk/app/live/clips.py.

const POSE = 3; // numbers after the weights: pitch, yaw, roll

// Return the bytes of a text in base64.
export const decode = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

export class Clip {
  constructor({ blendshapes, fps, step, length, frames }) {
    Object.assign(this, { blendshapes, fps, step });
    this.width = blendshapes.length + POSE;
    this.values = new Int16Array(decode(frames).buffer);
    this.count = this.values.length / this.width; // of the frames that are there, from the first on
    this.length = length;
  }

  get duration() {
    return this.length / this.fps;
  }

  get whole() {
    return this.count === this.length;
  }

  // Return weights and pose at this second, interpolated; those of the nearest frame outside.
  at(second) {
    const place = Math.min(Math.max(second * this.fps, 0), this.count - 1);
    const first = Math.floor(place), next = Math.min(first + 1, this.count - 1);
    const values = new Float32Array(this.width), share = place - first;
    for (let k = 0; k < this.width; k++) {
      const from = this.values[first * this.width + k], to = this.values[next * this.width + k];
      values[k] = this.step * (from + (to - from) * share);
    }
    return [values.subarray(0, -POSE), values.subarray(-POSE)];
  }
}
