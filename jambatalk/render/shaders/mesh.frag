#version 330 core
// See mesh.vert.

in vec3 soft;
in vec3 glow;
#ifdef PICTURE
in vec2 texel;
uniform sampler2D picture;  // sRGB; alpha is the cavity of skin, or shows what is cut out
#endif
#ifdef SHARP
in vec3 keyed;
in vec2 gleam;
#ifdef DETAIL
in vec3 to_key;
in vec4 to_half;
uniform sampler2D detail;  // tilt of the normal by pores (red, green) and wrinkles (blue, alpha)
#else
in vec3 facing;
#endif
#ifdef EYE
in vec3 viewer;
#endif
#endif
#ifdef STRANDS
in vec3 strand;
#endif
#if defined(STRANDS) || defined(DETAIL)
uniform float brightness;  // of the picture's opaque part: its mean green, sRGB
#endif
#ifdef CUTOUT
uniform float cutout;
#endif

out vec4 color;

#include "kinds.glsl"
#include "surroundings.glsl"
#include "lighting.glsl"

const vec3 INSIDE = vec3(0.20, 0.10, 0.09);  // the back of a surface: the throat

#ifdef EYE
// A window in the direction of the key light, as the cornea reflects it.
float window(vec3 ray) {
    vec3 upward = cross(key_light, key_across);
    float near = dot(ray, key_light);
    vec2 place = abs(vec2(dot(ray, key_across), dot(ray, upward)) / max(near, 0.05));
    vec2 inside = smoothstep(vec2(0.34, 0.42), vec2(0.24, 0.32), place)
        * smoothstep(vec2(0.0), vec2(0.06), place);  // with bars
    return near > 0.0 ? inside.x * inside.y : 0.0;
}
#endif

#ifdef STRANDS
// The 16th power of the sine of an angle, by its cosine.
float power16(float along) {
    float across = 1.0 - along * along;
    across *= across;
    across *= across;
    return across * across;
}
#endif

void main() {
#ifdef HOLLOW
    if (!gl_FrontFacing) {
        color = vec4(INSIDE, 1.0);
        return;
    }
#endif
    vec3 light = soft, shine = glow;
#ifdef PICTURE
    vec4 pixel = texture(picture, texel);
#ifdef BLENDED
    float opacity = pixel.a / cutout;
    if (opacity < 0.05) discard;
#elif defined(CUTOUT)
    if (pixel.a < cutout) discard;
#endif
#endif
#ifdef SHARP
#ifdef DETAIL
    vec4 tilts = texture(detail, texel) - 0.5;
    vec2 tilt = 2.0 * (tilts.xy + to_half.w * tilts.zw);
    float shorter = 1.0 / (1.0 + 0.5 * dot(tilt, tilt));
    float cosine = (to_key.x + dot(to_key.yz, tilt)) * shorter;
    float aligned = (to_half.x + dot(to_half.yz, tilt)) * shorter;
    float cavity = pixel.a;
    light *= 0.4 + 0.6 * cavity;
    // Roots of hair, painted on the skin, are matt.
    float bare = clamp(2.0 * pixel.g / brightness - 0.4, 0.05, 1.0);
    shine *= bare;
    cavity *= bare;
#else
    vec3 n = normalize(facing);
    float cosine = dot(n, key_light);
#ifdef EYE
    float aligned = dot(n, normalize(key_light + viewer));
    shine += key_color * (gleam.x * 14.0 * window(reflect(-viewer, n)));
#else
    float aligned = dot(n, key_half);
#endif
    float cavity = 1.0;
#endif
#ifdef MOUTH
    shine += gleam.x * 0.5 * key_color * highlight(dot(n, ABOVE), gleam.y);  // of what is wet
#endif
    light += keyed * diffuse(cosine);
    shine += key_color * (gleam.x * cavity * max(cosine, 0.0) * highlight(aligned, gleam.y));
#endif
#ifdef PICTURE
#ifndef CLAY
    light *= pixel.rgb * pixel.rgb;
#endif
#endif
#ifdef STRANDS
    // Each strand's highlight lies a little higher or lower; a second, wider one has the hair's
    // colour.
    float differs = clamp(pixel.g / brightness - 1.0, -1.0, 1.0);
    float first = power16(strand.x + (0.10 * differs - 0.12) * strand.y);
    float second = power16(strand.x + (0.16 * differs + 0.10) * strand.y);
    first *= first * first;
    light *= 1.0 + 1.2 * strand.z * second;
    shine += key_color * (strand.z * (0.045 + 0.18 * max(differs, 0.0)) * first * first);
#endif
    color.rgb = display(light + shine);
#ifdef BLENDED
    color.a = min(opacity, 1.0);
#else
    color.a = 1.0;
#endif
}
