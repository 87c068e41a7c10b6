// The sound: a microphone or a recording, on one clock. It goes to the server, and, late, to the ear.

const WORKLET = new URL("worklet.js", import.meta.url);
const LONGEST_DELAY = 10; // seconds

export class Sound {
  // `recording` is the address of one; without it the microphone is opened.
  static async open(recording, hear) {
    if (!globalThis.isSecureContext)
      throw new Error("Browsers give no sound to pages without HTTPS. Open this page by https:// or on localhost.");
    const sound = new Sound();
    sound.context = new AudioContext({ latencyHint: "interactive" });
    try {
      await sound.context.audioWorklet.addModule(WORKLET);
      await sound.context.resume();
      sound.source = recording ? await sound.recorded(recording) : await sound.microphone();
    } catch (error) {
      sound.close();
      throw error;
    }
    sound.late = sound.context.createDelay(LONGEST_DELAY);
    sound.volume = sound.context.createGain();
    sound.hear(Boolean(recording) || hear);
    sound.source.connect(sound.late).connect(sound.volume).connect(sound.context.destination);
    return sound;
  }

  async microphone() {
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch (error) {
      throw new Error({
        NotAllowedError: "The microphone is not allowed. Allow it for this page in the browser, or play a recording.",
        NotFoundError: "No microphone is found. Connect one, or play a recording.",
        NotReadableError: "The microphone cannot be opened. Close other programs that use it.",
      }[error.name] ?? `The microphone does not work (${error.message}).`);
    }
    return this.context.createMediaStreamSource(this.stream);
  }

  async recorded(address) {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error("The recording is gone. Choose it again.");
    try {
      const file = await answer.arrayBuffer();
      const buffer = await this.context.decodeAudioData(file);
      return new AudioBufferSourceNode(this.context, { buffer });
    } catch {
      throw new Error("This browser cannot play the recording. Use WAV or MP3.");
    }
  }

  // Begins; `take` gets chunks of 16-bit samples, `end` is called after the last.
  start(take, end) {
    this.capture = new AudioWorkletNode(this.context, "capture");
    this.capture.port.onmessage = ({ data }) => {
      if (data.began !== undefined) this.began = data.began;
      if (data.sound) take(data.sound);
      if (data.end) end();
    };
    this.source.connect(this.capture).connect(this.context.destination); // it adds silence
    if (!this.source.start) return;
    this.source.onended = () => this.capture.port.postMessage("end");
    this.source.start();
  }

  // Whether the sound is heard, as late as the head moves.
  hear(on) {
    this.heard = on;
    this.volume.gain.value = on ? 1 : 0;
  }

  set delay(seconds) {
    this.late.delayTime.setTargetAtTime(seconds, this.context.currentTime, 0.02);
  }

  // Seconds that the device takes to let sound be heard.
  get outputLatency() {
    return this.heard ? this.context.outputLatency || 0 : 0;
  }

  // Seconds since the sound began; negative before. The context's clock goes by blocks, so between
  // them the display's fills in.
  now() {
    const clock = this.context.currentTime, display = performance.now() / 1000;
    const guess = this.clock + display - this.display;
    this.clock = Math.abs(clock - guess) < 0.1 ? guess + 0.05 * (clock - guess) : clock;
    this.display = display;
    return this.began === undefined ? -1 : this.clock - this.began;
  }

  close() {
    this.stream?.getTracks().forEach((track) => track.stop());
    if (this.context.state !== "closed") this.context.close();
  }
}
