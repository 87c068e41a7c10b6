// The head, drawn by WebGL under the light of the videos: its shaders are theirs.

import {
  Box3, Color, DoubleSide, GLSL3, GLTFLoader, Matrix3, Matrix4, PerspectiveCamera, Scene,
  ShaderMaterial, Vector3, WebGLRenderer,
} from "./vendor/three.min.js";

const COARSEST = 0.5; // pixels drawn for each of the page's
const BACKGROUND = "#2b3036"; // as jambatalk/render/view.py
// As jambatalk/render/framing.py: a portrait lens; the head's part of the picture, and its place.
const FIELD_OF_VIEW = 18, HEAD_HEIGHT = 0.7, HEAD_CENTRE = 0.54;
const SHADERS = new URL("../shaders/", import.meta.url);
const HEADS = new URL("../head/", import.meta.url);

export class Head {
  // Draws on `canvas`, which it keeps filled.
  constructor(canvas) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, powerPreference: "low-power" });
    this.refine();
    this.scene = new Scene();
    this.scene.background = new Color(BACKGROUND);
    this.camera = new PerspectiveCamera(FIELD_OF_VIEW, 1);
  }

  // Shows the head of this name at rest.
  async wear(name) {
    this.wanted = name;
    const [glb, ...shaders] = await Promise.all([
      new GLTFLoader().loadAsync(new URL(`${name}.glb`, HEADS).href),
      ...["mesh.vert", "mesh.frag"].map(async (file) => (await fetch(new URL(file, SHADERS))).text()),
    ]);
    if (this.wanted !== name) return; // another was chosen meanwhile
    let mesh;
    glb.scene.traverse((node) => { if (node.isMesh) mesh = node; });
    const { pivot, chin } = mesh.userData;
    mesh.material = skin(...shaders, mesh.material.side, new Vector3(...pivot));
    mesh.frustumCulled = false;
    this.shapes = shapesOf(mesh.geometry);
    this.mesh?.geometry.dispose();
    this.mesh?.material.dispose();
    this.scene.clear();
    this.scene.add(mesh);
    this.mesh = mesh;
    this.name = name;
    this.places = null;
    this.look(mesh.geometry, chin);
    this.draw();
  }

  // Where the numbers of a motion's blendshapes lie among the mesh's.
  order(blendshapes) {
    this.places = blendshapes.map((blendshape) => this.mesh.morphTargetDictionary[blendshape]);
  }

  // Moves: weights of the blendshapes, and the head's pitch, yaw and roll in radians.
  move(weights, [pitch, yaw, roll]) {
    this.places?.forEach((place, k) => { this.mesh.morphTargetInfluences[place] = weights[k]; });
    this.bend();
    const turn = new Matrix4().makeRotationY(yaw)
      .multiply(new Matrix4().makeRotationX(pitch))
      .multiply(new Matrix4().makeRotationZ(roll));
    this.mesh.material.uniforms.turn.value.setFromMatrix4(turn);
  }

  rest() {
    this.mesh.morphTargetInfluences.fill(0);
    this.bend();
    this.mesh.material.uniforms.turn.value.identity();
    this.draw();
  }

  // Rest plus every target by its weight. Few vertices belong to a target, so this takes a fraction of
  // the time that a vertex shader needs, which has to ask all targets for each of its vertices.
  bend() {
    for (const { attribute, rest, targets } of this.shapes) {
      const values = attribute.array;
      values.set(rest);
      this.mesh.morphTargetInfluences.forEach((weight, k) => {
        if (!weight) return;
        const { places, deltas } = targets[k];
        for (let i = 0; i < places.length; i++) values[places[i]] += weight * deltas[i];
      });
      attribute.needsUpdate = true;
    }
  }

  // As many pixels as the page has, up to two each way.
  refine() {
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
  }

  // Fewer pixels, for a machine that draws slowly.
  coarsen() {
    this.renderer.setPixelRatio(Math.max(0.8 * this.renderer.getPixelRatio(), COARSEST));
  }

  draw() {
    const { clientWidth, clientHeight } = this.renderer.domElement;
    this.renderer.setSize(clientWidth, clientHeight, false);
    this.camera.aspect = clientWidth / Math.max(clientHeight, 1);
    this.camera.updateProjectionMatrix();
    this.renderer.render(this.scene, this.camera);
  }

  // Places the camera before the face.
  look(geometry, chin) {
    const position = geometry.attributes.position, above = new Box3(), point = new Vector3();
    for (let i = 0; i < position.count; i++) {
      point.fromBufferAttribute(position, i);
      if (point.y >= chin) above.expandByPoint(point);
    }
    const height = (above.max.y - above.min.y) / HEAD_HEIGHT; // metres that the picture shows
    const centre = above.getCenter(new Vector3());
    centre.y += (0.5 - HEAD_CENTRE) * height;
    const distance = height / 2 / Math.tan((FIELD_OF_VIEW * Math.PI) / 360);
    this.camera.position.set(centre.x, centre.y, centre.z + distance);
    this.camera.near = distance / 4;
    this.camera.far = distance * 2;
  }
}

// Positions and normals at rest, and of each target where it adds what. The geometry keeps no targets.
function shapesOf(geometry) {
  const shapes = ["position", "normal"].map((name) => {
    const attribute = geometry.attributes[name];
    const targets = geometry.morphAttributes[name].map(({ array }) => {
      const places = Uint32Array.from(array.keys()).filter((place) => array[place]);
      return { places, deltas: Float32Array.from(places, (place) => array[place]) };
    });
    return { attribute, rest: attribute.array.slice(), targets };
  });
  geometry.morphAttributes = {};
  return shapes;
}

// The videos' shaders under three.js, and the turn of the head.
function skin(vertex, fragment, side, pivot) {
  const light = withoutVersion(vertex)
    .replace(/layout\(.*\n/g, "") // inputs come as arguments instead
    .replace(/uniform mat4 [VP];.*\n/g, "")
    .replace(/^out /gm, "centroid out ") // or edges that are smoothed would have dark specks
    .replace("void main()", "void light(vec3 position, vec3 normal, vec4 surface)");
  return new ShaderMaterial({
    glslVersion: GLSL3,
    side,
    vertexColors: true,
    defines: side === DoubleSide ? { WET: 1, HOLLOW: 1 } : { WET: 1 },
    uniforms: { turn: { value: new Matrix3() }, pivot: { value: pivot } },
    vertexShader: `
      #define V modelViewMatrix
      #define P projectionMatrix
      in float _gloss;
      in float _neck;
      uniform mat3 turn;
      uniform vec3 pivot;
      ${light}
      void main() {
        vec3 arm = position - pivot;
        vec3 turned = position + _neck * (turn * arm - arm);
        light(turned, mix(normal, turn * normal, _neck), vec4(color.rgb, _gloss));
      }`,
    fragmentShader: withoutVersion(fragment).replace(/^in /gm, "centroid in "),
  });
}

const withoutVersion = (shader) => shader.replace(/^#version.*\n/, "");
