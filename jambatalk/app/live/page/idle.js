// What the head does when nobody speaks: it breathes, blinks and looks about.

import { Clip } from "./clip.js";

const MOTION = new URL("../clips/idle", import.meta.url);
const JOIN = 1; // second that leads from the end of the clip to its start
const BREATH = 4.2; // seconds
const NOD = 0.008, TILT = 0.004; // radians by which a breath moves the head

export class Idle {
  static async load() {
    const idle = new Idle();
    idle.clip = new Clip(await (await fetch(MOTION)).json());
    idle.blendshapes = idle.clip.blendshapes;
    return idle;
  }

  // Return weights and pose at this time, in milliseconds.
  frame(time) {
    const { clip } = this, second = time / 1000;
    const period = clip.duration - JOIN, place = second % period;
    const [weights, pose] = clip.at(place + JOIN);
    const join = Math.max(0, (place - period + JOIN) / JOIN); // from the end to the start
    if (join) {
      const [nextWeights, nextPose] = clip.at(place - period + JOIN);
      mix(weights, nextWeights, join);
      mix(pose, nextPose, join);
    }
    const breath = Math.sin((2 * Math.PI * second) / BREATH);
    pose[0] -= NOD * breath;
    pose[2] += TILT * Math.sin((2 * Math.PI * second) / (2.7 * BREATH));
    return [weights, pose];
  }
}

// Move values towards others, in place.
export function mix(values, others, share) {
  for (let k = 0; k < values.length; k++) values[k] += share * (others[k] - values[k]);
}
