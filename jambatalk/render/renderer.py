"""The renderer of one clip (a face, a view, many frames), on the thread that owns the context."""

from __future__ import annotations

import numpy as np
from OpenGL import GL

from jambatalk.errors import RenderError
from jambatalk.face.face import Face
from jambatalk.face.mouth_opening import MouthOpening
from jambatalk.face.normals import SmoothNormals
from jambatalk.face.used_vertices import only_used
from jambatalk.render.antialiasing import SAMPLES, SampledPicture
from jambatalk.render.batches import batches, surface
from jambatalk.render.camera import portrait_camera
from jambatalk.render.light import LIGHTS
from jambatalk.render.program import program
from jambatalk.render.textures import Textures
from jambatalk.render.vertex_buffers import VertexBuffers
from jambatalk.render.view import View

WRINKLED = 0.25  # part of its area by which skin is compressed when its wrinkles are deepest

_textures = Textures()  # shared by all clips


class ClipRenderer:
    """Draw frames of `face` in `view`.

    pyrender provides context and camera. The shaders are ours (pyrender's evaluate twelve
    physically based lights on every pixel), and so are the vertex buffer, which is updated in
    place, and the antialiasing.
    """

    def __init__(self, face: Face, view: View) -> None:
        self._count = len(face.template)
        self._opening = MouthOpening(face)
        lens, pose = portrait_camera(face, view)
        face, self._used = only_used(face)
        self._normals = SmoothNormals(face.triangles, len(self._used), face.weld)
        triangles, self._batches = batches(face, view, pose[:3, 2])
        self._programs = [program(*batch.defines) for batch in self._batches]
        self._numbers = [
            {name: _textures.get(key) for name, key in batch.textures.items()}
            for batch in self._batches
        ]
        self._rest_area = None
        if any("DETAIL" in batch.defines for batch in self._batches):
            self._rest_area = np.maximum(self._normals.with_areas(face.template)[1], 1e-12)
        self._buffers = VertexBuffers(surface(face, view.shading), triangles)
        self._picture = SampledPicture(view.size, 1 if view.shading == "plain" else SAMPLES)
        self._view_matrix = np.linalg.inv(pose)
        self._projection = self._picture.shear @ lens.get_projection_matrix(view.size, view.size)
        self._light = LIGHTS[view.light].uniforms
        self._background = [int(view.background[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        self._packed = np.zeros((len(self._used), 7), np.float32)

    def draw(self, vertices: np.ndarray) -> np.ndarray:
        """Draw `vertices` (V, 3), in metres: (size, size, 3) uint8 RGB, top row first.

        Raises:
            RenderError: they do not fit the face.
        """
        if np.shape(vertices) != (self._count, 3) or not np.isfinite(vertices).all():
            raise RenderError(
                f"A frame of shape {np.shape(vertices)} cannot be drawn.",
                f"Give ({self._count}, 3) finite vertices, as the face has them.",
            )
        self.submit(vertices)
        return self.read()

    def read(self) -> np.ndarray:
        """Read the submitted frame: (size, size, 3) uint8 RGB, top row first."""
        return self._picture.read()

    def submit(self, vertices: np.ndarray) -> None:
        """Submit a frame to OpenGL, which may defer drawing until it is read."""
        self._buffers.update(self._pack(vertices))
        opening, outward = self._opening(vertices)
        self._picture.begin(self._background)
        self._buffers.bind()
        GL.glBlendFunc(GL.GL_SRC_ALPHA, GL.GL_ONE_MINUS_SRC_ALPHA)
        GL.glDepthFunc(GL.GL_LESS)  # what is opaque already is not blended
        for batch, textures, shaders in zip(
            self._batches, self._numbers, self._programs, strict=True
        ):
            shaders.use()
            for name, value in self._light.items():
                shaders.set(name, value)
            shaders.set("V", self._view_matrix)
            shaders.set("P", self._projection)
            shaders.set("opening", opening)
            shaders.set("outward", outward)
            shaders.set("cutout", batch.cutout)
            shaders.set("brightness", batch.brightness)
            for unit, (name, number) in enumerate(textures.items()):
                GL.glActiveTexture(GL.GL_TEXTURE0 + unit)
                GL.glBindTexture(GL.GL_TEXTURE_2D, number)
                shaders.set(name, unit)
            (GL.glEnable if batch.culled else GL.glDisable)(GL.GL_CULL_FACE)
            (GL.glEnable if batch.blended else GL.glDisable)(GL.GL_BLEND)
            GL.glDepthMask(not batch.blended)
            self._buffers.draw(batch)
        GL.glDepthMask(True)

    def _pack(self, vertices: np.ndarray) -> np.ndarray:
        """Return position, normal and compression of each used vertex, in a buffer used again."""
        packed = self._packed
        packed[:, :3] = vertices[self._used]
        if self._rest_area is None:
            packed[:, 3:6] = self._normals(packed[:, :3])
        else:
            packed[:, 3:6], area = self._normals.with_areas(packed[:, :3])
            np.clip((1 - area / self._rest_area) / WRINKLED, 0.0, 1.0, out=packed[:, 6])
        return packed

    def release(self) -> None:
        """Free the clip's meshes, textures and framebuffer, not the shaders."""
        for batch in self._batches:
            for key in batch.textures.values():
                _textures.release(key)
        self._buffers.release()
        self._picture.release()
