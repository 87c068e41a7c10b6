// Sound from a microphone or a recording, on one clock: captured for the server, played with a delay.

const WORKLET = new URL("worklet.js", import.meta.url);
const MAX_DELAY = 10; // seconds

export class Sound {
  // Open the recording at this address, or the microphone if there is none.
  static async open(recording, monitor) {
    if (!globalThis.isSecureContext)
      throw new Error("Browsers give no sound to pages without HTTPS. Open this page by https:// or on localhost.");
    const sound = new Sound();
    sound.context = new AudioContext({ latencyHint: "interactive" });
    try {
      await sound.context.audioWorklet.addModule(WORKLET);
      await sound.context.resume();
      sound.source = recording ? await sound.openRecording(recording) : await sound.openMicrophone();
    } catch (error) {
      sound.close();
      throw error;
    }
    sound.delayNode = sound.context.createDelay(MAX_DELAY);
    sound.gainNode = sound.context.createGain();
    sound.setPlayback(Boolean(recording) || monitor);
    sound.source.connect(sound.delayNode).connect(sound.gainNode).connect(sound.context.destination);
    return sound;
  }

  async openMicrophone() {
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

  async openRecording(address) {
    const response = await fetch(address);
    if (!response.ok) throw new Error("The recording is gone. Choose it again.");
    try {
      const file = await response.arrayBuffer();
      const buffer = await this.context.decodeAudioData(file);
      return new AudioBufferSourceNode(this.context, { buffer });
    } catch {
      throw new Error("This browser cannot play the recording. Use WAV or MP3.");
    }
  }

  // Start; `onSamples` receives chunks of 16-bit samples, `onEnd` is called after the last one.
  start(onSamples, onEnd) {
    this.capture = new AudioWorkletNode(this.context, "capture");
    this.capture.port.onmessage = ({ data }) => {
      if (data.began !== undefined) this.began = data.began;
      if (data.sound) onSamples(data.sound);
      if (data.end) onEnd();
    };
    // Only nodes with a way to the destination are run; this one outputs silence.
    this.source.connect(this.capture).connect(this.context.destination);
    if (!this.source.start) return;
    this.source.onended = () => this.capture.port.postMessage("end");
    this.source.start();
  }

  // Play the sound, in sync with the head, or not.
  setPlayback(on) {
    this.audible = on;
    this.gainNode.gain.value = on ? 1 : 0;
  }

  set delay(seconds) {
    this.delayNode.delayTime.setTargetAtTime(seconds, this.context.currentTime, 0.02);
  }

  // Seconds from the audio context to the loudspeaker.
  get outputLatency() {
    return this.audible ? this.context.outputLatency || 0 : 0;
  }

  // Seconds since the sound began, negative before. The context's clock advances by blocks; the
  // display's clock interpolates it.
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
