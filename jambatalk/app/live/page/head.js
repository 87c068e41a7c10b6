// A 3D head, drawn with WebGL and the shaders of the videos.

import { loadHead, SKIN, STUDIO } from "./head_file.js";
import { Mesh } from "./mesh.js";
import { Programs } from "./programs.js";
import { SampledPicture } from "./samples.js";
import { Textures } from "./textures.js";

const MIN_PIXEL_RATIO = 0.5, MAX_PIXEL_RATIO = 2;
const BACKGROUND = [0x2b, 0x30, 0x36].map((value) => value / 255); // as in jambatalk/render/view.py
// Location and size of inputs of mesh.vert: what moves, and what does not.
const MOVING = [[0, 3], [1, 3], [2, 1]], STILL = [[3, 4], [4, 2], [5, 1]];
const FLOAT_BYTES = 4, GROUP = 64; // triangles
const NARROW = 0.8; // width over height below which the head is drawn smaller, to fit

export class Head {
  // Draws on `canvas`, at the size at which the page shows it.
  constructor(canvas) {
    const gl = canvas.getContext("webgl2", {
      alpha: false, antialias: false, depth: false, powerPreference: "low-power",
    });
    if (!gl) throw new Error("this browser has no WebGL 2.");
    Object.assign(this, { canvas, gl, background: BACKGROUND, light: STUDIO });
    this.camera = { yaw: 0, pitch: 0, zoom: 1 }; // radians; positive to the head's left, and up
    this.picture = new SampledPicture(gl);
    this.loader = new Textures(gl);
    this.pixelRatio = MIN_PIXEL_RATIO; // as coarse as its first pictures
  }

  // Load the head of this name, at rest, with small pictures; the whole ones come later.
  async load(name, shading = SKIN) {
    const requested = (this.requested = `${name} ${shading}`);
    this.programs ??= Programs.load(this.gl);
    const [head, program] = await Promise.all([loadHead(name, shading), this.programs]);
    const compiled = head.batches.map(({ defines }) => program(defines));
    const mesh = new Mesh(head); // while the programs are compiled
    const textures = await Promise.all(
      head.textures.map((texture) => this.loader.load(head, texture, false)),
    );
    const batches = head.batches.map((batch, k) => ({ ...batch, ...compiled[k]() }));
    if (this.requested !== requested)  // another was requested meanwhile
      return textures.forEach((texture) => this.gl.deleteTexture(texture));
    this.release();
    Object.assign(this, { name, shading, mesh, textures, batches, whole: false });
    this.createBuffers(head);
    this.frameCamera(head.camera);
  }

  // Load the whole pictures of the head that is shown, one after the other.
  async refine() {
    const { gl, loader, textures, mesh: { head } } = this;
    for (const [k, texture] of head.textures.entries()) {
      const whole = await loader.load(head, texture, true);
      if (this.textures !== textures) return gl.deleteTexture(whole); // another head is shown
      gl.deleteTexture(textures[k]);
      textures[k] = whole;
      this.shown = null; // draw it
    }
    this.whole = true;
  }

  release() {
    const { gl } = this;
    this.textures?.forEach((texture) => gl.deleteTexture(texture));
    this.buffers?.forEach((buffer) => gl.deleteBuffer(buffer));
    if (this.array) gl.deleteVertexArray(this.array);
  }

  get blendshapes() {
    return this.mesh.head.blendshapes;
  }

  resetResolution() {
    this.pixelRatio = Math.min(devicePixelRatio, MAX_PIXEL_RATIO);
  }

  reduceResolution() {
    this.pixelRatio = Math.max(0.8 * this.pixelRatio, MIN_PIXEL_RATIO);
  }

  // Draw the head once for each frame: blendshape weights, then pitch, yaw and roll in radians.
  // What is shown already is not drawn again.
  draw(frames) {
    const { gl, canvas, mesh } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map(
      (size) => Math.max(Math.round(size * this.pixelRatio), 1),
    );
    const { yaw, pitch, zoom } = this.camera;
    const look = [...this.background, this.light, yaw, pitch, zoom];
    const shown = [[mesh, width, height, ...look], ...frames];
    if (equal(shown, this.shown)) return;
    this.shown = shown;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const { columns, rows } = grid(width, height, frames.length);
    this.columns = columns;
    const [paneWidth, paneHeight] = [Math.floor(width / columns), Math.floor(height / rows)];
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.clearColor(...this.background, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    frames.forEach((frame, k) => {
      mesh.pose(frame.subarray(0, -3), frame.subarray(-3));
      const [column, row] = [k % columns, Math.floor(k / columns)];
      this.drawPane(paneWidth, paneHeight, [column * paneWidth, height - (row + 1) * paneHeight]);
    });
  }

  drawPane(width, height, corner) {
    const { gl, picture, mesh } = this, light = Object.entries(mesh.head.lights[this.light]);
    picture.begin(width, height, this.background);
    this.placeCamera();
    const projection = picture.shear(this.project(width / height));
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[0]);
    gl.bufferSubData(gl.ARRAY_BUFFER, 0, mesh.moving);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    let first = 0;
    for (const { program, uniforms, count, numbers, culled, blended, textures } of this.batches) {
      gl.useProgram(program);
      gl.uniformMatrix4fv(uniforms.V, false, this.view);
      gl.uniformMatrix4fv(uniforms.P, false, projection);
      if (uniforms.opening) gl.uniform4fv(uniforms.opening, mesh.opening);
      if (uniforms.outward) gl.uniform3fv(uniforms.outward, mesh.outward);
      for (const [name, value] of light)
        if (uniforms[name]) gl.uniform3fv(uniforms[name], value);
      for (const [name, value] of Object.entries(numbers))
        if (uniforms[name]) gl.uniform1f(uniforms[name], value);
      Object.entries(textures).forEach(([sampler, number], unit) => {
        gl.activeTexture(gl.TEXTURE0 + unit);
        gl.bindTexture(gl.TEXTURE_2D, this.textures[number]);
        if (uniforms[sampler]) gl.uniform1i(uniforms[sampler], unit);
      });
      (culled ? gl.enable : gl.disable).call(gl, gl.CULL_FACE);
      (blended ? gl.enable : gl.disable).call(gl, gl.BLEND);
      gl.depthMask(!blended);
      gl.drawElements(gl.TRIANGLES, 3 * count, gl.UNSIGNED_INT, 12 * first);
      first += count;
    }
    picture.show(corner);
  }

  createBuffers(head) {
    const { gl } = this, count = this.mesh.count;
    const still = new Float32Array(7 * count);
    for (let vertex = 0; vertex < count; vertex++) {
      const color = head.colors.subarray(3 * vertex, 3 * vertex + 3).map(linear);
      still.set([...color, head.gloss[vertex]], 7 * vertex);
      still.set(head.uv.subarray(2 * vertex, 2 * vertex + 2), 7 * vertex + 4);
      still[7 * vertex + 6] = head.occlusion[vertex];
    }
    this.array = gl.createVertexArray();
    gl.bindVertexArray(this.array);
    this.buffers = [this.mesh.moving, still].map((values, k) => {
      const buffer = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, values, k ? gl.STATIC_DRAW : gl.STREAM_DRAW);
      let start = 0;
      for (const [location, size] of k ? STILL : MOVING) {
        gl.vertexAttribPointer(location, size, gl.FLOAT, false, 7 * FLOAT_BYTES, start);
        gl.enableVertexAttribArray(location);
        start += FLOAT_BYTES * size;
      }
      return buffer;
    });
    const indices = gl.createBuffer();
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, indices);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, inOrder(head), gl.STATIC_DRAW);
    this.buffers.push(indices);
    gl.bindVertexArray(null);
  }

  // Frame the face, as jambatalk/render/camera.py does.
  frameCamera({ centre, height, fieldOfView }) {
    this.centre = centre;
    this.focal = 1 / Math.tan(fieldOfView / 2);
    this.distance = (this.focal * height) / 2;
    this.lips = this.mesh.opening.slice(0, 3);
  }

  // Put the camera where the orbit says; the closer it is, the more it looks at the lips.
  placeCamera() {
    const { yaw, pitch, zoom } = this.camera;
    const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
    const columns = [[cy, -sp * sy, cp * sy], [0, cp, sp], [-sy, -sp * cy, cp * cy]];
    const close = this.mesh.head.landmarks.mouth_corners ? 1 - 1 / zoom : 0;
    const aim = this.centre.map((value, k) => value + close * (this.lips[k] - value));
    const place = [0, 1, 2].map((k) => -columns.reduce((sum, c, j) => sum + c[k] * aim[j], 0));
    place[2] -= this.distance / zoom;
    this.view = new Float32Array([...columns.flatMap((column) => [...column, 0]), ...place, 1]);
  }

  project(aspect) {
    const scale = this.focal * Math.min(1, aspect / NARROW);
    const near = this.distance / this.camera.zoom / 4, far = this.distance * 2;
    return new Float32Array([
      scale / aspect, 0, 0, 0, 0, scale, 0, 0,
      0, 0, (near + far) / (near - far), -1, 0, 0, (2 * near * far) / (near - far), 0,
    ]);
  }
}

// The columns and rows in which so many heads are drawn largest.
function grid(width, height, count) {
  const size = (columns) => Math.min(width / columns, height / Math.ceil(count / columns));
  let columns = 1;
  for (let more = 2; more <= count; more++) if (size(more) > size(columns)) columns = more;
  return { columns, rows: Math.ceil(count / columns) };
}

// Whether two lists of lists hold the same.
const equal = (some, others) => some.length === others?.length && some.every(
  (list, k) => list.length === others[k].length && list.every((value, n) => value === others[k][n]),
);

const linear = (srgb) => (srgb <= 0.04045 ? srgb / 12.92 : ((srgb + 0.055) / 1.055) ** 2.4);

// The triangles of each batch: the nearest first, since hidden pixels are not shaded, in groups of
// neighbours, which share vertices that are shaded once; what is blended one by one, from back to
// front.
function inOrder({ triangles, positions, batches }) {
  const ordered = new Uint32Array(triangles.length);
  const depth = (from, to) => {
    let total = 0;
    for (let corner = from; corner < to; corner++) total += positions[3 * triangles[corner] + 2];
    return total / (to - from);
  };
  let first = 0, place = 0;
  for (const { count, blended } of batches) {
    const groups = [], size = blended ? 3 : 3 * GROUP, end = first + 3 * count;
    for (let from = first; from < end; from += size) {
      const to = Math.min(from + size, end);
      groups.push({ from, to, depth: depth(from, to) });
    }
    groups.sort((a, b) => (blended ? a.depth - b.depth : b.depth - a.depth));
    for (const { from, to } of groups) {
      ordered.set(triangles.subarray(from, to), place);
      place += to - from;
    }
    first = end;
  }
  return ordered;
}
