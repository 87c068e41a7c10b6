// A recording and its motion: the sound's clock moves the head, and the controls move the sound.

const STEP = 1; // seconds per arrow key
const MAX_LEAD = 0.3, GAIN = 0.15; // seconds by which motion is ahead, and how fast it follows
const JUMP = 0.5; // seconds that are a change of place, not a lag

const element = (name) => document.getElementById(`viewer-${name}`);

export class Player {
  constructor(viewer) {
    this.viewer = viewer;
    this.sound = new Audio();
    this.sound.preload = "auto";
    this.second = this.lag = 0; // shown, and how late it is seen
    this.lead = 0.03;
    this.connect();
  }

  // Say a clip with the recording at this address, from its start.
  async play(clip, address, { muted = false, caption = "" } = {}) {
    const { sound } = this;
    this.clip = clip;
    this.caption = caption;
    this.ended = false;
    if (sound.src !== new URL(address, document.baseURI).href) sound.src = address;
    sound.muted = muted;
    sound.currentTime = 0;
    element("transport").classList.add("on");
    this.viewer.use(this);
    this.viewer.blend();
    try {
      await sound.play();
    } catch (error) {
      if (error.name === "NotAllowedError") return this.pause(); // no gesture: the button is there
      if (error.name === "AbortError") return; // another recording was chosen meanwhile
      this.viewer.showStatus("This browser cannot play the recording. Use WAV or MP3.", "error");
      this.viewer.use();
    }
  }

  // Go on with another motion of the same sound.
  change(clip) {
    this.clip = clip;
    this.viewer.blend();
  }

  get blendshapes() {
    return this.clip.blendshapes;
  }

  // The motion of what will be heard when the picture is seen, which is when the next one begins.
  frame() {
    if (this.ended) return null;
    const { currentTime: now, paused } = this.sound;
    const lag = now - this.second; // of the picture that is seen now
    this.lag = !paused && Math.abs(lag) < JUMP ? lag : 0;
    this.lead = Math.max(0, Math.min(this.lead + GAIN * this.lag, MAX_LEAD));
    this.second = paused ? now : Math.min(now + this.lead, this.duration);
    return this.clip.at(this.second);
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

  // Hear it from the start.
  unmute() {
    this.sound.muted = false;
    this.seek(0);
    if (this.sound.paused) this.sound.play();
    this.update();
  }

  // Another source has the head now.
  leave() {
    this.pause();
    this.clip = null;
    element("transport")?.classList.remove("on");
    this.update();
  }

  connect() {
    const { sound } = this;
    sound.addEventListener("ended", () => {
      this.ended = true; // the head idles
      this.update();
    });
    for (const event of ["play", "pause", "timeupdate", "seeked", "volumechange"])
      sound.addEventListener(event, () => this.update());
    document.addEventListener("click", ({ target }) => {
      if (target.closest?.("#viewer-play")) this.toggle();
      if (target.closest?.("#viewer-unmute")) this.unmute();
      if (target.closest?.("#viewer-loop")) sound.loop = !sound.loop;
      this.update();
    });
    document.addEventListener("input", ({ target }) => {
      if (target.id === "viewer-seek") this.seek(Number(target.value));
    });
    document.addEventListener("keydown", (event) => this.press(event));
  }

  // Keys work on the viewer, and where nothing has the focus.
  press(event) {
    const { target, key } = event;
    const free = target === document.body || target.id === "viewer-stage";
    if (!free || !this.clip || event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === " ") this.toggle();
    else if (key === "ArrowLeft") this.seek(this.sound.currentTime - STEP);
    else if (key === "ArrowRight") this.seek(this.sound.currentTime + STEP);
    else return;
    event.preventDefault();
  }

  update() {
    const { sound } = this;
    if (!element("play")) return;
    const playing = Boolean(this.clip) && !sound.paused && !this.ended;
    element("play").classList.toggle("playing", playing);
    element("play").setAttribute("aria-label", playing ? "Pause the head" : "Play the head");
    element("loop").setAttribute("aria-pressed", String(sound.loop));
    element("seek").max = this.duration.toFixed(2);
    element("seek").value = sound.currentTime;
    element("seek").setAttribute("aria-valuetext", `${sound.currentTime.toFixed(1)} seconds`);
    element("time").textContent = `${clock(sound.currentTime)} / ${clock(this.duration)}`;
    element("unmute").hidden = !(this.clip && sound.muted);
    element("caption").textContent = this.clip && playing ? this.caption : "";
  }
}

function clock(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
