// Textures of a head, packed from its pictures as in jambatalk/render/pictures.py.

import { decode } from "./clip.js";
import { compile, fullScreen } from "./programs.js";

const PICTURES = new URL("../textures/", import.meta.url);

export class Textures {
  constructor(gl) {
    this.gl = gl;
    this.programs = new Map(); // by what they compute
  }

  // Load a texture of a head: a small one from its file, or the whole one.
  async load(head, { kind, pictures }, whole) {
    const open = (name) => name && (whole ? fetchPicture(head.name, name) : preview(head, name));
    const [first, second] = await Promise.all(pictures.map(open));
    const weighted = kind === "albedo" && !second; // alpha shows what is cut out
    return this.pack(kind, first, second, weighted);
  }

  // Join the channels of two pictures: colours and cavity, or the tilts of pores and wrinkles.
  pack(kind, first, second, weighted) {
    const { gl } = this, { width, height } = first;
    const levels = 1 + Math.floor(Math.log2(Math.max(width, height)));
    const packed = texture(gl, width, height, levels);
    const sources = [first, second ?? first].map((image) => upload(gl, image));
    const from = kind === "albedo"
      ? `color = texture(first, place); ${second ? "color.a = texture(second, place).b;" : ""}`
      : `color.rg = texture(first, place).rg;
         color.ba = ${second ? "texture(second, place).rg" : "vec2(128.0 / 255.0)"};`;
    this.draw(packed, 0, width, height, sources,
      `vec2 place = gl_FragCoord.xy / vec2(textureSize(first, 0)); ${from}`);
    sources.forEach((source) => gl.deleteTexture(source));
    gl.bindTexture(gl.TEXTURE_2D, packed);
    if (weighted) this.halve(packed, width, height, levels);
    else gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_BASE_LEVEL, 0);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAX_LEVEL, levels - 1);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_NEAREST);
    return packed;
  }

  // Compute mipmaps in which colours count as much as they are opaque.
  halve(packed, width, height, levels) {
    const { gl } = this;
    for (let level = 1; level < levels; level++) {
      gl.bindTexture(gl.TEXTURE_2D, packed);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_BASE_LEVEL, level - 1);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAX_LEVEL, level - 1);
      const size = [width, height].map((side) => Math.max(side >> level, 1));
      this.draw(packed, level, ...size, [packed], `
        ivec2 last = textureSize(first, 0) - 1, corner = 2 * ivec2(gl_FragCoord.xy);
        vec4 total = vec4(0);
        for (int i = 0; i < 4; i++) {
          vec4 texel = texelFetch(first, min(corner + ivec2(i & 1, i >> 1), last), 0);
          total += vec4(texel.rgb * texel.a, texel.a);
        }
        color = vec4(total.rgb / max(total.a, 1e-4), total.a / 4.0);`);
    }
  }

  // Fill a level of a texture by a shader that reads others.
  draw(target, level, width, height, sources, body) {
    const { gl, programs } = this;
    if (!programs.has(body))
      programs.set(body, compile(gl, ...fullScreen(body, "uniform sampler2D first, second;")));
    const { program, uniforms } = programs.get(body);
    const framebuffer = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, target, level);
    gl.viewport(0, 0, width, height);
    gl.useProgram(program);
    ["first", "second"].forEach((name, unit) => {
      if (!sources[unit]) return;
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, sources[unit]);
      if (name in uniforms) gl.uniform1i(uniforms[name], unit);
    });
    for (const capability of [gl.DEPTH_TEST, gl.BLEND, gl.CULL_FACE]) gl.disable(capability);
    gl.bindVertexArray(null);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.activeTexture(gl.TEXTURE0);
    gl.deleteFramebuffer(framebuffer);
  }
}

async function fetchPicture(head, name) {
  const response = await fetch(new URL(`${head}/${name}`, PICTURES));
  if (!response.ok) throw new Error(`picture '${name}' is missing.`);
  return decodePicture(await response.blob());
}

const preview = (head, name) => decodePicture(new Blob([decode(head.previews[name])]));

const decodePicture = (blob) =>
  createImageBitmap(blob, { premultiplyAlpha: "none", colorSpaceConversion: "none" });

function texture(gl, width, height, levels) {
  const created = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, created);
  gl.texStorage2D(gl.TEXTURE_2D, levels, gl.RGBA8, width, height);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  return created;
}

function upload(gl, image) {
  const created = texture(gl, image.width, image.height, 1);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, gl.RGBA, gl.UNSIGNED_BYTE, image);
  return created;
}
