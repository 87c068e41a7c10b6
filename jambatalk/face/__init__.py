"""Faces: meshes with blendshapes, the library of heads, lips and neck."""
