// What differs between the kinds of material.

#ifdef SKIN
const vec3 SCATTER = vec3(0.42, 0.20, 0.12);  // by colour, how far light spreads below the surface
const float REFLECTANCE = 0.023;              // of light that meets the surface at a right angle
#endif
#ifdef MOUTH
const vec3 SCATTER = vec3(0.55, 0.40, 0.35);
const float REFLECTANCE = 0.025;
#endif
#ifdef EYE
const vec3 SCATTER = vec3(0.35, 0.25, 0.22);
const float REFLECTANCE = 0.025;
#endif
#ifdef HAIR
const vec3 SCATTER = vec3(0.30, 0.30, 0.30);
const float REFLECTANCE = 0.046;
#endif
#ifdef CLOTH
const vec3 SCATTER = vec3(0.05, 0.05, 0.05);
const float REFLECTANCE = 0.0;
#endif
