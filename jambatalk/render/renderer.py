"""The renderer of one clip (a face, a view, many frames), on the thread that owns the context."""

from __future__ import annotations

from ctypes import c_void_p
from pathlib import Path

import numpy as np
import pyrender
from OpenGL import GL
from pyrender.shader_program import ShaderProgram, ShaderProgramCache

from jambatalk.errors import RenderError
from jambatalk.face.face import Face
from jambatalk.face.normals import SmoothNormals
from jambatalk.render.antialiasing import SAMPLES, SHEAR, resolve_samples
from jambatalk.render.camera import portrait_camera
from jambatalk.render.view import View

WET = 0.35  # gloss from which highlights are so small that they are shaded per pixel
CLAY = (0.32, 0.28, 0.24)  # linear RGB
CLAY_GLOSS = 0.15
CLAY_MOUTH = 0.3  # the inside of the mouth is darker, to make its shape visible
INDEX_BYTES = 4

# Compiled once, for all clips.
_programs = ShaderProgramCache(str(Path(__file__).with_name("shaders")))


class ClipRenderer:
    """Draw frames of `face` in `view`.

    pyrender provides context, camera, buffers and shader programs. The shaders are ours (pyrender's
    evaluate twelve physically based lights on every pixel), and so are the vertex buffer, which is
    updated in place, and the antialiasing.
    """

    def __init__(self, face: Face, view: View) -> None:
        self._normals = SmoothNormals(face.triangles, len(face.template))
        self._surface = _surface(face, view.shading)
        lens, pose = portrait_camera(face, view.yaw)
        triangles, dry = _in_order(face.triangles, face.template @ pose[:3, 2], self._surface)
        mesh = self.pack(face.template)
        self._primitive = pyrender.Primitive(
            positions=mesh[:, :3],
            normals=mesh[:, 3:6],
            color_0=mesh[:, 6:],
            indices=triangles,
            mode=GL.GL_TRIANGLES,
        )
        self._primitive._add_to_context()
        # Culling back faces is faster, but shows the background through the mouth of a mesh that
        # has no inside of it.
        self._hollow = "inner_mouth" not in face.regions
        self._batches = [  # program, number of triangles, first triangle
            (self._program("DRY"), dry, 0),
            (self._program("WET"), len(triangles) - dry, dry),
        ]
        self._matrices = {
            "V": np.linalg.inv(pose),
            "P": SHEAR @ lens.get_projection_matrix(view.size, view.size),
        }
        self._background = [int(view.background[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        self._width = SAMPLES * view.size
        self._buffers = _framebuffer(self._width)
        self._samples = np.empty((self._width, self._width, 4), np.uint8)

    def draw(self, vertices: np.ndarray) -> np.ndarray:
        """Draw `vertices` (V, 3), in metres: (size, size, 3) uint8 RGB, top row first.

        Raises:
            RenderError: they do not fit the face.
        """
        self.submit(self.pack(vertices))
        return resolve_samples(self.read())

    def pack(self, vertices: np.ndarray) -> np.ndarray:
        """Return the vertex buffer (V, 10): position, normal and surface of each vertex."""
        count = len(self._surface)
        if np.shape(vertices) != (count, 3) or not np.isfinite(vertices).all():
            raise RenderError(
                f"A frame of shape {np.shape(vertices)} cannot be drawn.",
                f"Give ({count}, 3) finite vertices, as the face has them.",
            )
        mesh = np.empty((count, 10), np.float32)
        mesh[:, :3] = vertices
        mesh[:, 3:6] = self._normals(mesh[:, :3])
        mesh[:, 6:] = self._surface
        return mesh

    def submit(self, mesh: np.ndarray) -> None:
        """Submit a frame to OpenGL, which may defer drawing until it is read."""
        GL.glBindBuffer(GL.GL_ARRAY_BUFFER, self._primitive._buffers[0])
        GL.glBufferSubData(GL.GL_ARRAY_BUFFER, 0, mesh.nbytes, mesh)
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self._buffers[0])
        GL.glViewport(0, 0, self._width, self._width)
        GL.glClearColor(*self._background, 1.0)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT | GL.GL_DEPTH_BUFFER_BIT)
        GL.glEnable(GL.GL_DEPTH_TEST)
        (GL.glDisable if self._hollow else GL.glEnable)(GL.GL_CULL_FACE)
        GL.glBindVertexArray(self._primitive._vaid)
        for program, count, first in self._batches:
            program._bind()
            for name, matrix in self._matrices.items():
                program.set_uniform(name, matrix)
            start = c_void_p(3 * INDEX_BYTES * first)
            GL.glDrawElements(GL.GL_TRIANGLES, 3 * count, GL.GL_UNSIGNED_INT, start)

    def read(self) -> np.ndarray:
        """Read the samples of the frame (see :mod:`jambatalk.render.antialiasing`) into a buffer
        that the next frame overwrites."""
        GL.glPixelStorei(GL.GL_PACK_ALIGNMENT, 1)
        GL.glReadPixels(
            0, 0, self._width, self._width, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE, self._samples
        )
        return self._samples

    def release(self) -> None:
        """Free the clip's mesh and framebuffer, not the shaders."""
        self._primitive.delete()
        framebuffer, color, depth = self._buffers
        GL.glDeleteFramebuffers(1, [framebuffer])
        GL.glDeleteRenderbuffers(2, [color, depth])

    def _program(self, kind: str) -> ShaderProgram:
        defines = {kind: 1, "HOLLOW": 1} if self._hollow else {kind: 1}
        program = _programs.get_program("mesh.vert", "mesh.frag", defines=defines)
        if not program._in_context():
            program._add_to_context()
        return program


def _in_order(
    triangles: np.ndarray, nearness: np.ndarray, surface: np.ndarray
) -> tuple[np.ndarray, int]:
    """Sort the triangles: dry ones first, and the nearest of each kind first, since hidden pixels
    are not shaded. Return them and the number of dry ones."""
    wet = (surface[triangles, 3] > WET).any(1)
    order = np.lexsort((-nearness[triangles].mean(1), wet))
    return triangles[order].astype(np.uint32), int((~wet).sum())


def _framebuffer(width: int) -> tuple[int, int, int]:
    """Create a square framebuffer with its colour and depth buffers."""
    framebuffer, (color, depth) = GL.glGenFramebuffers(1), GL.glGenRenderbuffers(2)
    GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, framebuffer)
    for buffer, attachment, kind in (
        (color, GL.GL_COLOR_ATTACHMENT0, GL.GL_RGBA8),
        (depth, GL.GL_DEPTH_ATTACHMENT, GL.GL_DEPTH_COMPONENT32F),  # the fastest without a GPU
    ):
        GL.glBindRenderbuffer(GL.GL_RENDERBUFFER, buffer)
        GL.glRenderbufferStorage(GL.GL_RENDERBUFFER, kind, width, width)
        GL.glFramebufferRenderbuffer(GL.GL_FRAMEBUFFER, attachment, GL.GL_RENDERBUFFER, buffer)
    return framebuffer, color, depth


def _surface(face: Face, shading: str) -> np.ndarray:
    """Return linear RGB and gloss of each vertex, (V, 4)."""
    linear, gloss = face.linear_colors(), face.visible_gloss()
    if shading == "clay":
        linear[:], gloss[:] = CLAY, CLAY_GLOSS
        for part in ("inner_mouth", "gums", "tongue"):
            linear[face.regions.get(part, [])] *= CLAY_MOUTH
    return np.column_stack([linear, gloss]).astype(np.float32)
