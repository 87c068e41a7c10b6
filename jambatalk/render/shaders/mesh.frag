#version 330 core

in vec3 lit;
in vec3 facing;
in vec3 halfway;
in float sharpness;
in float shine;

out vec4 color;

const vec3 INSIDE = vec3(0.20, 0.10, 0.09);  // a surface seen from behind: the throat

void main() {
    if (!gl_FrontFacing) {
        color = vec4(INSIDE, 1.0);
        return;
    }
    float aligned = max(dot(facing, halfway), 0.0)
        * inversesqrt(dot(facing, facing) * dot(halfway, halfway));
    // Schlick's stand-in for a power, squared: "A Customizable Reflectance Model for Everyday
    // Rendering", 1993.
    float spot = aligned / (sharpness - sharpness * aligned + aligned);
    color = vec4(lit + (1.0 - lit) * min(shine * spot * spot, 1.0), 1.0);  // never brighter than 1
}
