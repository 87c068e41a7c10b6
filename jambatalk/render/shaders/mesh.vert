#version 330 core
// A vertex, seen from the camera. Locations are pyrender's: position, normal, COLOR_0.

layout(location = 0) in vec3 position;
layout(location = 1) in vec3 normal;
layout(location = 2) in vec4 surface;  // linear RGB, gloss 0 (matt) to 1 (wet)

uniform mat4 V;  // world to camera
uniform mat4 P;  // camera to screen

out vec3 eye_position;
out vec3 eye_normal;
out vec4 eye_surface;

void main() {
    vec4 seen = V * vec4(position, 1.0);
    eye_position = seen.xyz;
    eye_normal = mat3(V) * normal;
    eye_surface = surface;
    gl_Position = P * seen;
}
