// The light, fixed to the camera, and how surfaces reflect it: used per vertex and per pixel. Its
// values are those of jambatalk/render/light.py. Directions: x right, y up, z to the camera.

uniform vec3 key_light;
uniform vec3 key_color;
uniform vec3 key_half;    // between the key light and the middle of the camera
uniform vec3 key_across;  // level, at a right angle to the key light
uniform vec3 rim_light;
uniform vec3 rim_color;
uniform vec3 surroundings_color;
const vec3 ABOVE = vec3(-0.083, 0.414, 0.906);  // between light from above and the camera

// Light of the surroundings on a surface of normal n.
vec3 surroundings(vec3 n) {
    vec3 light = SURROUNDINGS[0]
        + SURROUNDINGS[1] * n.y + SURROUNDINGS[2] * n.z + SURROUNDINGS[3] * n.x
        + SURROUNDINGS[4] * (n.x * n.y) + SURROUNDINGS[5] * (n.y * n.z)
        + SURROUNDINGS[6] * (3.0 * n.z * n.z - 1.0)
        + SURROUNDINGS[7] * (n.x * n.z) + SURROUNDINGS[8] * (n.x * n.x - n.y * n.y);
    return surroundings_color * max(light, 0.0);
}

// Part of the key light that a surface reflects: light scattered below the surface softens the edge
// of the shadow, some colours more than others.
vec3 diffuse(float cosine) {
    vec3 part = max((cosine + SCATTER) / (1.0 + SCATTER), 0.0);
    return part * part;
}

// Square of the highlight's width (GGX's alpha) for a gloss from 0, matt, to 1, wet.
float width_of(float gloss) {
    float roughness = 0.66 - 0.54 * gloss;
    roughness *= roughness;
    return roughness * roughness;
}

// GGX's distribution, times pi; `aligned` is the cosine between the normal and the half vector.
float highlight(float aligned, float width) {
    float spread = aligned * aligned * (width - 1.0) + 1.0;
    return width / (spread * spread);
}

// Tone mapping: per channel it makes bright skin pale, by the brightest channel leathery; so both
// are mixed. Then gamma 2, as the pictures are decoded.
vec3 display(vec3 linear) {
    float brightest = max(linear.r, max(linear.g, linear.b));
    vec3 alone = linear * (1.0 + 0.12 * linear) / (1.0 + linear);
    vec3 together = linear * ((1.0 + 0.12 * brightest) / (1.0 + brightest));
    return sqrt(1.25 * mix(alone, together, 0.5));
}
