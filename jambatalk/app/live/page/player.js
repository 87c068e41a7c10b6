// A recording and its motion: the sound's clock moves the heads.

const MAX_LEAD = 0.3, GAIN = 0.15; // seconds by which motion is ahead, and how fast it follows
const JUMP = 0.5; // seconds that are a change of place, not a lag

export class Player extends EventTarget {
  constructor(viewer) {
    super();
    this.viewer = viewer;
    this.sound = new Audio();
    this.sound.preload = "auto";
    this.second = this.lag = 0; // shown, and how late it is seen
    this.single = null; // number of the style that is seen alone, if one is
    this.lead = 0.03;
    this.sound.addEventListener("ended", () => {
      this.ended = true; // the head idles
      this.update();
    });
    for (const event of ["play", "pause", "timeupdate", "seeked", "volumechange", "ratechange"])
      this.sound.addEventListener(event, () => this.update());
  }

  // Say clips, side by side, with the recording at this address, from its start.
  async play(clips, address, { muted = false, caption = "", titles = [] } = {}) {
    const { sound } = this;
    Object.assign(this, { clips, caption, titles });
    this.ended = false;
    if (sound.src !== new URL(address, document.baseURI).href) this.load(address);
    sound.muted = muted;
    sound.currentTime = 0;
    this.viewer.use(this);
    this.viewer.blend();
    this.update();
    try {
      await sound.play();
    } catch (error) {
      if (error.name === "NotAllowedError") return this.pause(); // no gesture: the button is there
      if (error.name === "AbortError") return; // another recording was chosen meanwhile
      this.viewer.showStatus("This browser cannot play the recording. Use WAV or MP3.", "error");
      this.viewer.use();
    }
  }

  load(address) {
    this.sound.src = address;
    this.dispatchEvent(new CustomEvent("load", { detail: this.sound.src }));
  }

  // Go on with other motions of the same sound.
  change(clips, titles = []) {
    Object.assign(this, { clips, titles });
    this.viewer.blend();
    this.update();
  }

  get clip() {
    return this.clips?.[0];
  }

  get heads() {
    return this.seen(this.clips).length;
  }

  // Of things in the order of the styles, those of the styles that are seen.
  seen(things) {
    const alone = this.single !== null && things.length > 1;
    return alone ? [things[this.single % things.length]] : things;
  }

  // See one style alone, or all side by side.
  toggleSingle() {
    this.single = this.single === null ? 0 : null;
    this.viewer.blend();
    this.update();
  }

  // See the next style in the place of the one that is seen alone, at the same time of the sound.
  switch() {
    if (this.single === null || !this.clip) return;
    this.single = (this.single + 1) % this.clips.length;
    this.viewer.blend();
    this.update();
  }

  get blendshapes() {
    return this.clip.blendshapes;
  }

  get playing() {
    return Boolean(this.clip) && !this.sound.paused && !this.ended;
  }

  // The motion of what will be heard when the picture is seen, which is when the next one begins.
  frames() {
    if (this.ended) return null;
    const { currentTime: now, paused, playbackRate: rate } = this.sound;
    const lag = (now - this.second) / rate; // of the picture that is seen now
    this.lag = !paused && Math.abs(lag) < JUMP ? lag : 0;
    this.lead = Math.max(0, Math.min(this.lead + GAIN * this.lag, MAX_LEAD));
    this.second = paused ? now : Math.min(now + this.lead * rate, this.duration);
    return this.seen(this.clips).map((clip) => clip.at(this.second));
  }

  get duration() {
    return this.clip?.duration ?? 0;
  }

  toggle() {
    if (!this.clip) return;
    if (!this.sound.paused) return this.pause();
    if (this.ended) this.sound.currentTime = 0;
    this.ended = false;
    this.viewer.use(this);
    this.sound.play();
  }

  pause() {
    this.sound.pause();
  }

  seek(second) {
    if (!this.clip) return;
    this.ended = false;
    this.viewer.use(this);
    this.viewer.blend();
    this.sound.currentTime = Math.max(0, Math.min(second, this.duration));
    this.update();
  }

  // Play it aloud from the start.
  unmute() {
    this.sound.muted = false;
    this.seek(0);
    if (this.sound.paused) this.sound.play();
    this.update();
  }

  // Another source has the head now.
  leave() {
    this.pause();
    this.clips = null;
    if (this.viewer.source === this) this.viewer.use();
    this.update();
  }

  // Tell the controls.
  update() {
    this.dispatchEvent(new Event("update"));
  }
}
