// A 3D head, drawn with WebGL and the shaders of the videos.

import {
  Box3, Color, DoubleSide, GLSL3, GLTFLoader, Matrix3, Matrix4, PerspectiveCamera, Scene,
  ShaderMaterial, Vector3, WebGLRenderer,
} from "./vendor/three.min.js";

const MIN_PIXEL_RATIO = 0.5, MAX_PIXEL_RATIO = 2;
const BACKGROUND = "#2b3036"; // as in jambatalk/render/view.py
// As in jambatalk/render/camera.py: degrees, and the head's height and centre in the picture.
const FIELD_OF_VIEW = 18, HEAD_HEIGHT = 0.7, HEAD_CENTRE = 0.54;
const SHADERS = new URL("../shaders/", import.meta.url);
const HEADS = new URL("../head/", import.meta.url);

export class Head {
  // Draws on `canvas`, at the size at which the page shows it.
  constructor(canvas) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, powerPreference: "low-power" });
    this.resetResolution();
    this.scene = new Scene();
    this.scene.background = new Color(BACKGROUND);
    this.camera = new PerspectiveCamera(FIELD_OF_VIEW, 1);
  }

  // Load the head of this name and draw it at rest.
  async load(name) {
    this.requested = name;
    const [glb, ...shaders] = await Promise.all([
      new GLTFLoader().loadAsync(new URL(`${name}.glb`, HEADS).href),
      ...["mesh.vert", "mesh.frag"].map(async (file) => (await fetch(new URL(file, SHADERS))).text()),
    ]);
    if (this.requested !== name) return; // another was requested meanwhile
    let mesh;
    glb.scene.traverse((node) => { if (node.isMesh) mesh = node; });
    const { pivot, chin } = mesh.userData;
    mesh.material = createMaterial(...shaders, mesh.material.side, new Vector3(...pivot));
    mesh.frustumCulled = false;
    this.attributes = extractMorphTargets(mesh.geometry);
    this.mesh?.geometry.dispose();
    this.mesh?.material.dispose();
    this.scene.clear();
    this.scene.add(mesh);
    this.mesh = mesh;
    this.name = name;
    this.targetIndices = null;
    this.frameCamera(mesh.geometry, chin);
    this.draw();
  }

  // Map the blendshapes of a motion to the mesh's morph targets.
  setBlendshapes(blendshapes) {
    this.targetIndices = blendshapes.map((name) => this.mesh.morphTargetDictionary[name]);
  }

  // Apply one frame: blendshape weights, and the head's pitch, yaw and roll in radians.
  setPose(weights, [pitch, yaw, roll]) {
    this.targetIndices?.forEach((target, k) => {
      this.mesh.morphTargetInfluences[target] = weights[k];
    });
    this.morph();
    const rotation = new Matrix4().makeRotationY(yaw)
      .multiply(new Matrix4().makeRotationX(pitch))
      .multiply(new Matrix4().makeRotationZ(roll));
    this.mesh.material.uniforms.rotation.value.setFromMatrix4(rotation);
  }

  rest() {
    this.mesh.morphTargetInfluences.fill(0);
    this.morph();
    this.mesh.material.uniforms.rotation.value.identity();
    this.draw();
  }

  // Add the weighted targets to the rest shape. Targets are sparse, so this takes a fraction of the
  // time of three.js, whose vertex shader reads all targets at every vertex.
  morph() {
    for (const { attribute, rest, targets } of this.attributes) {
      const values = attribute.array;
      values.set(rest);
      this.mesh.morphTargetInfluences.forEach((weight, k) => {
        if (!weight) return;
        const { indices, deltas } = targets[k];
        for (let i = 0; i < indices.length; i++) values[indices[i]] += weight * deltas[i];
      });
      attribute.needsUpdate = true;
    }
  }

  resetResolution() {
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, MAX_PIXEL_RATIO));
  }

  reduceResolution() {
    this.renderer.setPixelRatio(Math.max(0.8 * this.renderer.getPixelRatio(), MIN_PIXEL_RATIO));
  }

  draw() {
    const { clientWidth, clientHeight } = this.renderer.domElement;
    this.renderer.setSize(clientWidth, clientHeight, false);
    this.camera.aspect = clientWidth / Math.max(clientHeight, 1);
    this.camera.updateProjectionMatrix();
    this.renderer.render(this.scene, this.camera);
  }

  // Put the camera in front of the face; the head is what lies above the height `chin`.
  frameCamera(geometry, chin) {
    const position = geometry.attributes.position, bounds = new Box3(), point = new Vector3();
    for (let i = 0; i < position.count; i++) {
      point.fromBufferAttribute(position, i);
      if (point.y >= chin) bounds.expandByPoint(point);
    }
    const height = (bounds.max.y - bounds.min.y) / HEAD_HEIGHT; // metres that the picture shows
    const centre = bounds.getCenter(new Vector3());
    centre.y += (0.5 - HEAD_CENTRE) * height;
    const distance = height / 2 / Math.tan((FIELD_OF_VIEW * Math.PI) / 360);
    this.camera.position.set(centre.x, centre.y, centre.z + distance);
    this.camera.near = distance / 4;
    this.camera.far = distance * 2;
  }
}

// Move the morph targets out of a geometry: positions and normals at rest, and sparse deltas.
function extractMorphTargets(geometry) {
  const attributes = ["position", "normal"].map((name) => {
    const attribute = geometry.attributes[name];
    const targets = geometry.morphAttributes[name].map(({ array }) => {
      const indices = Uint32Array.from(array.keys()).filter((index) => array[index]);
      return { indices, deltas: Float32Array.from(indices, (index) => array[index]) };
    });
    return { attribute, rest: attribute.array.slice(), targets };
  });
  geometry.morphAttributes = {};
  return attributes;
}

// The videos' shaders, adapted to three.js and with the head's rotation about `pivot`.
function createMaterial(vertex, fragment, side, pivot) {
  const lighting = withoutVersion(vertex)
    .replace(/layout\(.*\n/g, "") // inputs become arguments
    .replace(/uniform mat4 [VP];.*\n/g, "")
    .replace(/^out /gm, "centroid out ") // without it, antialiased edges have dark specks
    .replace("void main()", "void light(vec3 position, vec3 normal, vec4 surface)");
  return new ShaderMaterial({
    glslVersion: GLSL3,
    side,
    vertexColors: true,
    defines: side === DoubleSide ? { WET: 1, HOLLOW: 1 } : { WET: 1 },
    uniforms: { rotation: { value: new Matrix3() }, pivot: { value: pivot } },
    vertexShader: `
      #define V modelViewMatrix
      #define P projectionMatrix
      in float _gloss;
      in float _neck;
      uniform mat3 rotation;
      uniform vec3 pivot;
      ${lighting}
      void main() {
        vec3 arm = position - pivot;
        vec3 rotated = position + _neck * (rotation * arm - arm);
        light(rotated, mix(normal, rotation * normal, _neck), vec4(color.rgb, _gloss));
      }`,
    fragmentShader: withoutVersion(fragment).replace(/^in /gm, "centroid in "),
  });
}

const withoutVersion = (shader) => shader.replace(/^#version.*\n/, "");
