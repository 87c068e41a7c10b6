#version 330 core
// One material of a face. Soft light is computed per vertex, a few thousand times a frame; what is
// fine or sharp per pixel. Defined by the program: the material's kind (SKIN, MOUTH, EYE, HAIR or
// CLOTH), what it has of PICTURE,
// DETAIL and CUTOUT, and how it is drawn: SHARP (key light per pixel), STRANDS (highlights along
// hair), BLENDED (soft edges of what is cut out), HOLLOW (backs are the inside of the mouth), CLAY (only alpha of the picture).

layout(location = 0) in vec3 position;
layout(location = 1) in vec3 normal;
layout(location = 2) in float compression;  // 1 where the skin is so compressed that it wrinkles
layout(location = 3) in vec4 surface;  // linear RGB, gloss 0 (matt) to 1 (wet)
layout(location = 4) in vec2 uv;
layout(location = 5) in float occlusion;  // 1 where all of the surroundings' light arrives

uniform mat4 V;  // world to camera
uniform mat4 P;  // camera to screen
#ifdef MOUTH
uniform vec4 opening;  // of the lips: centre, and the square of its radius
uniform vec3 outward;  // direction in which the mouth opens
#endif

out vec3 soft;  // soft light that the vertex reflects, before the picture's colour
out vec3 glow;  // light reflected by the surface, without the picture's colour
#ifdef PICTURE
out vec2 texel;
#endif
#ifdef SHARP
out vec3 keyed;   // key light that the vertex reflects where it faces it, before the picture
out vec2 gleam;   // strength and width of its highlight
#ifdef DETAIL
out vec3 to_key;   // cosines of normal, right and up along the surface to the key light
out vec4 to_half;  // the same to the half vector; how deep wrinkles are
#else
out vec3 facing;
#endif
#ifdef EYE
out vec3 viewer;
#endif
#endif
#ifdef STRANDS
out vec3 strand;  // cosines of strand and normal to the half vector; strength of the highlight
#endif

#include "kinds.glsl"
#include "surroundings.glsl"
#include "lighting.glsl"

void main() {
    vec4 viewed = V * vec4(position, 1.0);
    gl_Position = P * viewed;
    vec3 n = normalize(mat3(V) * normal);
    vec3 view = normalize(-viewed.xyz);
    vec3 albedo = surface.rgb;
    float gloss = surface.a;
#ifdef PICTURE
    texel = vec2(uv.x, 1.0 - uv.y);
#endif
#ifdef HAIR
    n = dot(n, view) < 0.0 ? -n : n;
#endif
    float grazing = 1.0 - max(dot(n, view), 0.0);
    grazing *= grazing;
    grazing *= grazing;

    float open = occlusion;
#ifdef EYE
    open *= 1.0 - 0.6 * smoothstep(0.0, 0.45, normal.y);  // in the shade of the upper lid
#endif
#ifdef MOUTH
    float depth = max(dot(opening.xyz - position, outward), 0.0);
    open *= opening.w / (opening.w + depth * depth);
    float arrives = open * sqrt(open);
#else
    float arrives = min(1.0, 2.0 * open);  // little of the key light reaches deep folds
#endif
    vec3 bounced = mix(vec3(open), vec3(sqrt(open)), vec3(0.6, 0.25, 0.2));  // red, on skin
    vec3 rim = rim_color * (max(dot(n, rim_light) + 0.1, 0.0) * open);
    soft = albedo * (surroundings(n) * bounced + rim);
    glow = (0.02 + 0.30 * grazing) * sqrt(gloss) * open * (surroundings(reflect(-view, n)) + rim);
#ifdef HAIR
    glow *= 0.3;
    soft += albedo * rim_color * (0.5 * grazing * open);  // through the strands at the outline
#endif
#ifdef CLOTH
    glow = (0.3 * grazing * open) * albedo * surroundings(n);  // fine fibres
#endif

    vec3 key = key_color * arrives;
#ifdef MOUTH
    vec3 reddened = mix(vec3(open), vec3(1.0), vec3(0.9, 0.35, 0.2));  // by what lies around
    key *= reddened;
    soft *= reddened;
    glow *= reddened * open;
#endif
    float cosine = dot(n, key_light);
    float strength = 0.785 * REFLECTANCE * arrives;  // pi / 4
#ifdef SHARP
    keyed = albedo * key;
    gleam = vec2(strength, width_of(gloss));
#ifdef DETAIL
    vec3 right = vec3(n.z, 0.0, -n.x) * inversesqrt(n.x * n.x + n.z * n.z + 1e-4);
    vec3 up = cross(n, right);
    to_key = vec3(cosine, dot(right, key_light), dot(up, key_light));
    to_half = vec4(dot(n, key_half), dot(right, key_half), dot(up, key_half), compression);
#else
    facing = n;
#endif
#ifdef EYE
    viewer = view;
#endif
#else
    soft += albedo * key * diffuse(cosine);
#ifdef STRANDS
    // Hair grows along the surface, roughly upwards.
    vec3 right = vec3(n.z, 0.0, -n.x) * inversesqrt(n.x * n.x + n.z * n.z + 1e-4);
    vec3 up = cross(n, right);
    strand = vec3(dot(up, key_half), dot(n, key_half), gloss * arrives * max(cosine + 0.2, 0.0));
#elif !defined(HAIR)
    glow += key * (strength * max(cosine, 0.0)
        * highlight(max(dot(n, key_half), 0.0), width_of(min(gloss, 0.6))));
#endif
#endif
}
