"""How the constants of `jambatalk/render/shaders/surroundings.glsl` were made."""
