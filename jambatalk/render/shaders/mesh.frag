#version 330 core

in vec3 lit;
#ifdef WET
in vec3 facing;
in vec3 halfway;
in vec2 gleam;
#endif

out vec4 color;

const vec3 INSIDE = vec3(0.20, 0.10, 0.09);  // the back of a surface: the throat

// As in mesh.vert.
vec3 highlight(vec3 lit, float aligned, vec2 gleam) {
    float spot = aligned / (gleam.x - gleam.x * aligned + aligned);
    return lit + (1.0 - lit) * min(gleam.y * spot * spot, 1.0);  // never brighter than 1
}

void main() {
#ifdef HOLLOW
    if (!gl_FrontFacing) {
        color = vec4(INSIDE, 1.0);
        return;
    }
#endif
#ifdef WET
    float aligned = max(dot(facing, halfway), 0.0)
        * inversesqrt(dot(facing, facing) * dot(halfway, halfway));
    color = vec4(highlight(lit, aligned, gleam), 1.0);
#else
    color = vec4(lit, 1.0);
#endif
}
