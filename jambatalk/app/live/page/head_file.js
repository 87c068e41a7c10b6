// A head's file, see jambatalk/app/live/head_file.py.

const HEADS = new URL("../head/", import.meta.url);
const TYPES = {
  uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, int16: Int16Array,
};
export const SKIN = "skin", STUDIO = "studio"; // shading and light of the page that is opened
const DELTA_STEP = 1e-5; // metres

// Load a head: the header's entries, and its arrays as numbers of which there are three or two for a
// vertex, x, y, z of one after the other.
export async function loadHead(name, shading) {
  const query = shading === SKIN ? "" : `?shading=${shading}`;
  const response = await fetch(new URL(name + query, HEADS));
  if (!response.ok) throw new Error(`there is no head '${name}'.`);
  const file = await response.arrayBuffer();
  const length = new DataView(file).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 4, length)));
  const bytes = new Uint8Array(file, 4 + length);
  const read = (array) => unpack(bytes, head.arrays[array]);
  const [positionScale, uvScale] = head.scales;
  const { pivot, camera, blendshapes, landmarks, lights, batches, textures, previews } = head;
  return {
    name, pivot, camera, blendshapes, landmarks, lights, batches, textures, previews,
    positions: interleave(read("positions"), 3, positionScale.step, positionScale.low),
    uv: interleave(read("uv"), 2, uvScale.step, uvScale.low),
    colors: interleave(read("colors"), 3, 1 / 255),
    gloss: fractions(read("gloss"), 255),
    occlusion: fractions(read("occlusion"), 255),
    share: fractions(read("share"), 65535),
    weld: read("weld").map((back, vertex) => vertex - back),
    triangles: sum(read("triangles")),
    targets: targets(read("counts"), read("rows"), read("deltas")),
  };
}

// Join the bytes of numbers: the lowest of all numbers come first.
function unpack(bytes, { type, start, count }) {
  const array = new TYPES[type](count), width = array.BYTES_PER_ELEMENT;
  const joined = new Uint8Array(array.buffer);
  for (let place = 0; place < width; place++)
    for (let i = 0; i < count; i++) joined[i * width + place] = bytes[start + place * count + i];
  return array;
}

function interleave(values, width, step, low = [0, 0, 0]) {
  const array = new Float32Array(values.length), count = values.length / width;
  for (let k = 0; k < width; k++)
    for (let i = 0; i < count; i++) array[i * width + k] = low[k] + step * values[k * count + i];
  return array;
}

const fractions = (values, most) => Float32Array.from(values, (value) => value / most);

// Undo differences; the numbers wrap around, as the array's type does.
function sum(values) {
  for (let i = 1; i < values.length; i++) values[i] += values[i - 1];
  return values;
}

// The vertices that each blendshape moves, and by how many metres.
function targets(counts, rows, deltas) {
  const all = interleave(deltas, 3, DELTA_STEP);
  let start = 0;
  return Array.from(counts, (count) => {
    const own = sum(rows.slice(start, start + count));
    const target = { rows: own, deltas: all.subarray(3 * start, 3 * (start + count)) };
    start += count;
    return target;
  });
}
