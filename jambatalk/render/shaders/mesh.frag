#version 330 core
// A face under three lights that stand around the camera: key, fill and rim.
// pyrender's own shader evaluates twelve lights on every pixel, which a software rasteriser pays.

in vec3 eye_position;
in vec3 eye_normal;
in vec4 eye_surface;  // linear RGB, gloss

out vec4 color;

// Towards the light (x right, y up, z to the camera), and its colour times strength.
const vec3 KEY = vec3(-0.497, 0.500, 0.709);  // azimuth -35, elevation 30 degrees
const vec3 KEY_COLOR = 0.95 * vec3(1.00, 0.95, 0.88);
const vec3 FILL = vec3(0.763, 0.087, 0.640);  // azimuth 50, elevation 5
const vec3 FILL_COLOR = 0.30 * vec3(0.86, 0.93, 1.00);
const vec3 RIM = vec3(0.224, 0.500, -0.837);  // azimuth 165, elevation 30
const vec3 RIM_COLOR = 0.85 * vec3(0.92, 0.96, 1.00);
const vec3 SKY = vec3(0.16, 0.17, 0.19);
const vec3 GROUND = vec3(0.09, 0.075, 0.07);

const vec3 INSIDE = vec3(0.10, 0.025, 0.022);  // what is seen of a surface from behind: the throat

vec3 diffuse(vec3 normal, vec3 light, vec3 softness) {
    // Light goes round the edge of the shadow inside the skin, red the furthest.
    vec3 lit = max((dot(normal, light) + softness) / (1.0 + softness), 0.0);
    return lit * lit;
}

float specular(vec3 normal, vec3 view, vec3 light, float sharpness) {
    // Blinn-Phong, normalised so that a sharper highlight is also brighter.
    float facing = max(dot(normal, normalize(light + view)), 0.0);
    return pow(facing, sharpness) * (sharpness + 8.0) * 0.04 * max(dot(normal, light), 0.0);
}

void main() {
    if (!gl_FrontFacing) {
        color = vec4(sqrt(INSIDE), 1.0);
        return;
    }
    vec3 normal = normalize(eye_normal);
    vec3 view = normalize(-eye_position);
    vec3 albedo = eye_surface.rgb;
    float gloss = eye_surface.a;

    vec3 softness = 0.15 + 0.5 * albedo;
    vec3 light = mix(GROUND, SKY, 0.5 + 0.5 * normal.y)
        + KEY_COLOR * diffuse(normal, KEY, softness)
        + FILL_COLOR * diffuse(normal, FILL, softness)
        + RIM_COLOR * diffuse(normal, RIM, softness);

    float sharpness = 8.0 + 150.0 * gloss * gloss;
    float fresnel = 1.0 - max(dot(normal, view), 0.0);
    fresnel *= fresnel;
    float shine = (0.03 + 0.20 * gloss) * (1.0 + 3.0 * fresnel * fresnel);
    vec3 highlight = shine * (KEY_COLOR * specular(normal, view, KEY, sharpness)
        + FILL_COLOR * specular(normal, view, FILL, sharpness));

    vec3 linear = 1.55 * albedo * light + highlight;
    linear /= 1.0 + 0.25 * linear;  // highlights bend instead of clipping
    color = vec4(sqrt(linear), 1.0);  // gamma 2
}
