// Light of the surroundings, mean 1, as nine spherical harmonics: made from
// 'workshop' of npm's @pmndrs/assets 1.7.0 (CC0) by recipes/lighting.
const vec3 SURROUNDINGS[9] = vec3[9](
    vec3(1.038, 1.007, 0.947),
    vec3(0.316, 0.281, 0.382),
    vec3(0.322, 0.326, 0.378),
    vec3(-0.219, -0.239, -0.363),
    vec3(-0.076, -0.099, -0.150),
    vec3(0.110, 0.117, 0.144),
    vec3(0.048, 0.051, 0.077),
    vec3(-0.479, -0.498, -0.551),
    vec3(0.141, 0.146, 0.169)
);
