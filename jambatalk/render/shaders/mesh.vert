#version 330 core
// A face under three lights fixed to the camera: key, fill and rim.
// Light is computed per vertex, a few thousand times a frame; per sample, a software rasteriser
// would compute it half a million times. Only the highlights of WET surfaces are computed per
// sample; those of DRY ones are wide enough for the vertices.
// The locations of the inputs are pyrender's: position, normal, COLOR_0.

layout(location = 0) in vec3 position;
layout(location = 1) in vec3 normal;
layout(location = 2) in vec4 surface;  // linear RGB, gloss 0 (matt) to 1 (wet)

uniform mat4 V;  // world to camera
uniform mat4 P;  // camera to screen

out vec3 lit;  // display RGB, without the highlights of WET surfaces
#ifdef WET
out vec3 facing;   // the normal
out vec3 halfway;  // between the key light and the camera
out vec2 gleam;    // the highlight's sharpness and strength
#endif

// Direction to the light (x right, y up, z to the camera), and its colour times its strength.
const vec3 KEY = vec3(-0.505, 0.375, 0.778);  // azimuth -33 degrees, elevation 22
const vec3 KEY_COLOR = 1.65 * vec3(1.00, 0.95, 0.88);
const vec3 FILL = vec3(0.763, 0.087, 0.640);  // 50, 5
const vec3 FILL_COLOR = 0.42 * vec3(0.86, 0.93, 1.00);
const vec3 RIM = vec3(0.224, 0.500, -0.837);  // 165, 30
const vec3 RIM_COLOR = 1.30 * vec3(0.92, 0.96, 1.00);
const vec3 SKY = vec3(0.20, 0.21, 0.23);
const vec3 GROUND = vec3(0.12, 0.10, 0.095);

vec3 diffuse(vec3 n, vec3 light, vec3 softness) {
    vec3 part = max((dot(n, light) + softness) / (1.0 + softness), 0.0);
    return part * part;
}

// Schlick's approximation of a power, squared: "A Customizable Reflectance Model for Everyday
// Rendering", 1993. `aligned` is the cosine between the normal and the half vector.
vec3 highlight(vec3 lit, float aligned, vec2 gleam) {
    float spot = aligned / (gleam.x - gleam.x * aligned + aligned);
    return lit + (1.0 - lit) * min(gleam.y * spot * spot, 1.0);  // never brighter than 1
}

void main() {
    vec4 viewed = V * vec4(position, 1.0);
    vec3 n = normalize(mat3(V) * normal);
    vec3 view = normalize(-viewed.xyz);
    float gloss = surface.a;

    // Light scattered in the skin softens the edge of the shadow, red the most.
    vec3 softness = 0.15 + 0.5 * surface.rgb;
    float grazing = pow(1.0 - max(dot(n, view), 0.0), 4.0);
    vec3 rim = RIM_COLOR * max(dot(n, RIM) + 0.1, 0.0);
    vec3 linear = surface.rgb * (mix(GROUND, SKY, 0.5 + 0.5 * n.y)
        + KEY_COLOR * diffuse(n, KEY, softness)
        + FILL_COLOR * diffuse(n, FILL, softness)
        + rim) + 0.3 * sqrt(gloss) * grazing * rim;
    // Tone mapping: per channel it makes bright skin pale, by the brightest channel leathery; so
    // both are mixed. Then gamma 2.
    float brightest = max(linear.r, max(linear.g, linear.b)) + 1e-6;
    vec3 alone = 1.0 - exp(-1.2 * linear);
    vec3 together = linear * (1.0 - exp(-1.2 * brightest)) / brightest;
    lit = sqrt(mix(alone, together, 0.6));

    // Sharper highlights are brighter, and all are stronger at grazing angles.
    float sharpness = 4.0 * exp2(6.5 * gloss);
    float strength = 0.17 * sqrt(gloss) * (1.0 + 3.0 * grazing) * (0.3 + 0.07 * sharpness)
        * max(dot(n, KEY), 0.0);
    vec3 between = normalize(KEY + view);
#ifdef WET
    facing = n;
    halfway = between;
    gleam = vec2(sharpness, strength);
#else
    lit = highlight(lit, max(dot(n, between), 0.0), vec2(sharpness, strength));
#endif
    gl_Position = P * viewed;
}
