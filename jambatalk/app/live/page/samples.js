// Antialiasing with two samples a pixel on its diagonal, see jambatalk/render/antialiasing.py.

import { compile, fullScreen } from "./programs.js";

export class SampledPicture {
  constructor(gl) {
    this.gl = gl;
    this.framebuffer = gl.createFramebuffer();
    this.depth = gl.createRenderbuffer();
    // Two rows make a row of pixels, and each row lies half a pixel to the right of the one below.
    this.resolve = compile(gl, ...fullScreen(
      `ivec2 pixel = ivec2(gl_FragCoord.xy) - corner;
       ivec2 left = ivec2(pixel.x + pixel.y, 2 * pixel.y);
       color = (texelFetch(samples, left, 0) + texelFetch(samples, left + 1, 0)) / 2.0;`,
      "uniform sampler2D samples; uniform ivec2 corner;",
    ));
  }

  // Draw into the samples of a picture of this size from now on.
  begin(width, height, background) {
    const { gl } = this;
    if (width !== this.width || height !== this.height) this.resize(width, height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer);
    gl.viewport(0, 0, width + height, 2 * height);
    gl.clearColor(...background, 1);
    gl.depthMask(true);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
  }

  resize(width, height) {
    const { gl } = this;
    Object.assign(this, { width, height });
    gl.deleteTexture(this.color ?? null);
    this.color = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.color);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, width + height, 2 * height);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.bindRenderbuffer(gl.RENDERBUFFER, this.depth);
    gl.renderbufferStorage(gl.RENDERBUFFER, gl.DEPTH_COMPONENT24, width + height, 2 * height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer);
    gl.framebufferTexture2D(
      gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.color, 0,
    );
    gl.framebufferRenderbuffer(
      gl.FRAMEBUFFER, gl.DEPTH_ATTACHMENT, gl.RENDERBUFFER, this.depth,
    );
  }

  // Show the picture on the canvas, its lower left corner at [x, y] pixels.
  show([x, y]) {
    const { gl, width, height, resolve } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(x, y, width, height);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.BLEND);
    gl.disable(gl.CULL_FACE);
    gl.useProgram(resolve.program);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.color);
    gl.uniform1i(resolve.uniforms.samples, 0);
    gl.uniform2i(resolve.uniforms.corner, x, y);
    gl.bindVertexArray(null);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  // Where a point of the picture lies in the samples: a projection (column by column) sheared.
  shear(projection) {
    const { width, height } = this, a = width / (width + height), b = height / (width + height);
    const sheared = projection.slice();
    for (let column = 0; column < 16; column += 4)
      sheared[column] = a * projection[column] + b * projection[column + 1];
    return sheared;
  }
}
