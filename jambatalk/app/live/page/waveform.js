// The seconds around the one that is shown: the recording's waveform, and its phones below.

const SECONDS = 3; // in view
const RATE = 200; // peaks a second
const PHONES = 18; // pixels, the height of their row
const FONT = "12px system-ui, sans-serif";
const SILENCE = "SIL";

export class Waveform {
  constructor(player) {
    this.player = player;
    this.phones = [];
    this.peaks = new Float32Array();
    player.addEventListener("load", ({ detail }) => this.load(detail));
    requestAnimationFrame(() => this.draw());
  }

  // Compute the peaks of the recording at this address.
  async load(address) {
    Object.assign(this, { address, phones: [], peaks: new Float32Array(), drawn: null });
    try {
      const data = await (await fetch(address)).arrayBuffer();
      const sound = await new OfflineAudioContext(1, 1, 16000).decodeAudioData(data);
      if (this.address === address) this.peaks = peaks(sound);
    } catch {
      // without a waveform; the player says what is wrong with the recording
    }
    this.drawn = null;
  }

  setPhones(phones) {
    this.phones = phones.filter(([name]) => name !== SILENCE);
    this.drawn = null;
  }

  draw() {
    requestAnimationFrame(() => this.draw());
    const canvas = document.getElementById("viewer-waveform"), { second } = this.player;
    const width = canvas?.clientWidth * devicePixelRatio, height = canvas?.clientHeight * devicePixelRatio;
    if (!this.player.clip || !width || this.drawn === `${second} ${width}`) return;
    this.drawn = `${second} ${width}`;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const context = canvas.getContext("2d"), style = getComputedStyle(canvas);
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    const size = [canvas.clientWidth, canvas.clientHeight];
    context.clearRect(0, 0, ...size);
    this.drawPeaks(context, size, second, style.color);
    this.drawPhones(context, size, second, style.color);
    context.fillStyle = style.accentColor;
    context.fillRect(size[0] / 2 - 1, 0, 2, size[1]);
  }

  drawPeaks(context, [width, height], second, color) {
    const middle = (height - PHONES) / 2;
    context.fillStyle = color;
    for (let x = 0; x < width; x += 2) {
      const peak = this.peaks[Math.round((second + SECONDS * (x / width - 0.5)) * RATE)] ?? 0;
      const size = Math.max(peak * middle, 0.5);
      context.fillRect(x, middle - size, 1, 2 * size);
    }
  }

  drawPhones(context, [width, height], second, color) {
    const place = (time) => width * ((time - second) / SECONDS + 0.5);
    Object.assign(context, { font: FONT, textAlign: "center", textBaseline: "middle" });
    for (const [name, start, end] of this.phones) {
      const left = place(start), right = place(end);
      if (right < 0 || left > width) continue;
      context.globalAlpha = start <= second && second < end ? 0.35 : 0.12;
      context.fillStyle = color;
      context.fillRect(left + 0.5, height - PHONES, Math.max(right - left - 1, 1), PHONES);
      context.globalAlpha = 1;
      if (context.measureText(name).width < right - left)
        context.fillText(name, (left + right) / 2, height - PHONES / 2);
    }
  }
}

// Return the largest sample of each 1/RATE of a second, 1 for the largest of all.
function peaks(sound) {
  const samples = sound.getChannelData(0), step = sound.sampleRate / RATE;
  const found = Float32Array.from({ length: Math.ceil(samples.length / step) }, (_, k) => {
    let peak = 0;
    for (let n = Math.floor(k * step); n < Math.min((k + 1) * step, samples.length); n++)
      peak = Math.max(peak, Math.abs(samples[n]));
    return peak;
  });
  const largest = Math.max(found.reduce((a, b) => Math.max(a, b), 0), 1e-6);
  return found.map((peak) => peak / largest);
}
