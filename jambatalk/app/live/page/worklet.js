// Makes of whatever is heard 16-bit mono at 16 kHz, in chunks of 40 ms, on the sound's own thread.

const RATE = 16000; // Hz, what the network listens at
const CHUNK = 640; // samples
const CROSSINGS = 16; // of the sinc on each side
const PHASES = 256; // positions between two samples that are told apart

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = sampleRate / RATE; // of the output, in samples of the input
    const cutoff = Math.min(1, RATE / sampleRate) * 0.94; // of half the input's rate
    this.half = Math.ceil(CROSSINGS / cutoff); // taps on each side
    this.kernels = Array.from({ length: PHASES + 1 }, (_, k) => kernel(k / PHASES, this.half, cutoff));
    this.input = new Float32Array(this.half); // silence before the first sample
    this.place = this.half; // of the next output in it
    this.chunk = new Int16Array(CHUNK);
    this.count = 0;
    this.began = false;
    this.port.onmessage = () => { this.ended = true; };
  }

  process([channels]) {
    if (this.ended) {
      this.send();
      this.port.postMessage({ end: true });
      return false;
    }
    if (!channels.length && !this.began) return true;
    if (!this.began) this.port.postMessage({ began: currentTime });
    this.began = true;
    const length = channels[0]?.length ?? 128; // nothing is connected: silence
    const input = new Float32Array(this.input.length + length);
    input.set(this.input);
    for (const channel of channels)
      for (let i = 0; i < length; i++)
        input[this.input.length + i] += channel[i] / channels.length;
    this.resample(input);
    return true;
  }

  resample(input) {
    while (Math.floor(this.place) + this.half < input.length) {
      const whole = Math.floor(this.place);
      const taps = this.kernels[Math.round((this.place - whole) * PHASES)];
      let sum = 0;
      for (let k = 0; k < taps.length; k++) sum += taps[k] * input[whole - this.half + 1 + k];
      this.chunk[this.count++] = Math.round(Math.max(-1, Math.min(1, sum)) * 32767);
      if (this.count === CHUNK) this.send();
      this.place += this.step;
    }
    const done = Math.min(Math.floor(this.place) - this.half, input.length);
    this.input = input.slice(done);
    this.place -= done;
  }

  send() {
    const { buffer } = this.chunk.slice(0, this.count);
    this.port.postMessage({ sound: buffer }, [buffer]);
    this.count = 0;
  }
}

// A windowed sinc (Hann) about the point `part` of the way from one sample to the next.
function kernel(part, half, cutoff) {
  const taps = Float32Array.from({ length: 2 * half }, (_, k) => {
    const x = k - half + 1 - part;
    const sinc = x ? Math.sin(Math.PI * cutoff * x) / (Math.PI * x) : cutoff;
    return Math.abs(x) < half ? sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / half)) : 0;
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

registerProcessor("capture", Capture);
