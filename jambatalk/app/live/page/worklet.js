// Converts sound to 16-bit mono at 16 kHz, in chunks of 40 ms, on the audio thread.

const RATE = 16000; // Hz, the network's sample rate
const CHUNK = 640; // samples
const CROSSINGS = 16; // zero crossings of the sinc on each side
const PHASES = 256; // kernels for positions between two samples

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = sampleRate / RATE; // input samples per output sample
    const cutoff = Math.min(1, RATE / sampleRate) * 0.94; // relative to the input's Nyquist frequency
    this.halfLength = Math.ceil(CROSSINGS / cutoff); // taps on each side
    this.kernels = Array.from({ length: PHASES + 1 }, (_, k) => sincKernel(k / PHASES, this.halfLength, cutoff));
    this.input = new Float32Array(this.halfLength); // silence before the first sample
    this.position = this.halfLength; // of the next output, in input samples
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
    const length = channels[0]?.length ?? 128; // silence if nothing is connected
    const input = new Float32Array(this.input.length + length);
    input.set(this.input);
    for (const channel of channels)
      for (let i = 0; i < length; i++)
        input[this.input.length + i] += channel[i] / channels.length;
    this.resample(input);
    return true;
  }

  resample(input) {
    while (Math.floor(this.position) + this.halfLength < input.length) {
      const whole = Math.floor(this.position);
      const taps = this.kernels[Math.round((this.position - whole) * PHASES)];
      let sum = 0;
      for (let k = 0; k < taps.length; k++) sum += taps[k] * input[whole - this.halfLength + 1 + k];
      this.chunk[this.count++] = Math.round(Math.max(-1, Math.min(1, sum)) * 32767);
      if (this.count === CHUNK) this.send();
      this.position += this.step;
    }
    const done = Math.min(Math.floor(this.position) - this.halfLength, input.length);
    this.input = input.slice(done);
    this.position -= done;
  }

  send() {
    const { buffer } = this.chunk.slice(0, this.count);
    this.port.postMessage({ sound: buffer }, [buffer]);
    this.count = 0;
  }
}

// Return a Hann-windowed sinc centred `fraction` of the way from one sample to the next.
function sincKernel(fraction, halfLength, cutoff) {
  const taps = Float32Array.from({ length: 2 * halfLength }, (_, k) => {
    const x = k - halfLength + 1 - fraction;
    const sinc = x ? Math.sin(Math.PI * cutoff * x) / (Math.PI * x) : cutoff;
    return Math.abs(x) < halfLength ? sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / halfLength)) : 0;
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

registerProcessor("capture", Capture);
