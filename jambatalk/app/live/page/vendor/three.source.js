export {
  Box3, Color, DoubleSide, GLSL3, Matrix3, Matrix4, PerspectiveCamera, Scene, ShaderMaterial,
  Vector3, WebGLRenderer,
} from "three";
export { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
