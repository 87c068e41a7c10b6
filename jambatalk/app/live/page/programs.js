// The videos' shaders, jambatalk/render/shaders, as WebGL programs.

const SHADERS = new URL("../shaders/", import.meta.url);
const VERSION = "#version 300 es\nprecision highp float;\n";

export class Programs {
  static async load(gl) {
    const [vertex, fragment] = await Promise.all(["mesh.vert", "mesh.frag"].map(read));
    const withDefines = (text, defines) =>
      text.replace(/^#version.*\n/, VERSION + defines.map((name) => `#define ${name}\n`).join(""));
    const programs = new Map();
    // Return a function that returns the program with these definitions; it is compiled meanwhile.
    return (defines) => {
      const key = defines.join();
      if (!programs.has(key))
        programs.set(key, start(gl, withDefines(vertex, defines), withDefines(fragment, defines)));
      return programs.get(key);
    };
  }
}

// Compile a program; return it, and the places of its uniforms by their names.
export const compile = (gl, vertex, fragment) => start(gl, vertex, fragment)();

// Start to compile a program; return a function that waits for it.
function start(gl, vertex, fragment) {
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  let finished;
  return () => (finished ??= finish(gl, program));
}

function finish(gl, program) {
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
    const logs = gl.getAttachedShaders(program).map((shader) => gl.getShaderInfoLog(shader));
    throw new Error(`a shader was refused (${[...logs, gl.getProgramInfoLog(program)].join(" ")}).`);
  }
  const uniforms = {};
  for (let i = 0; i < gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS); i++) {
    const { name } = gl.getActiveUniform(program, i);
    uniforms[name] = gl.getUniformLocation(program, name);
  }
  return { program, uniforms };
}

export const fullScreen = (body, uniforms = "") => [
  `${VERSION}void main() {
    gl_Position = vec4(vec2[](vec2(-1), vec2(3, -1), vec2(-1, 3))[gl_VertexID], 0, 1);
  }`,
  `${VERSION}out vec4 color;\n${uniforms}\nvoid main() { ${body} }`,
];

const read = async (name) => (await fetch(new URL(name, SHADERS))).text();
