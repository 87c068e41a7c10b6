"""Draws one clip: one face, one view, many frames.

Only `pack` may run outside the OpenGL thread.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyrender
from OpenGL import GL
from pyrender.shader_program import ShaderProgramCache

from jambatalk.errors import RenderError
from jambatalk.face import Face
from jambatalk.render.framing import camera
from jambatalk.render.normals import SmoothNormals
from jambatalk.render.view import View

SUPERSAMPLING = 2  # drawn at twice the size, each 2x2 block becomes a pixel
CLAY = (0.32, 0.28, 0.24)  # linear RGB
CLAY_GLOSS = 0.15
CLAY_MOUTH = 0.3  # the mouth's inside is darker, or its opening would not be seen

# Compiled once; every clip uses them.
_programs = ShaderProgramCache(str(Path(__file__).with_name("shaders")))


class ClipRenderer(pyrender.Renderer):
    """Draws frames of `face` as seen in `view`.

    pyrender brings the context, the camera and the draw call. Ours are the shaders (its own
    evaluate twelve physically based lights on every pixel, however few there are), the vertex
    buffer that is updated in place, and the supersampled framebuffer.
    """

    def __init__(self, face: Face, view: View) -> None:
        super().__init__(view.size * SUPERSAMPLING, view.size * SUPERSAMPLING)
        self._program_cache = _programs
        self._size = view.size
        self._normals = SmoothNormals(face.triangles, len(face.template))
        self._surface = _surface(face, view.shading)
        mesh = self.pack(face.template)
        self._primitive = pyrender.Primitive(
            positions=mesh[:, :3],
            normals=mesh[:, 3:6],
            color_0=mesh[:, 6:],
            indices=face.triangles,
            mode=pyrender.constants.GLTF.TRIANGLES,
            # Faster with the back sides left out; but a mesh without a mouth's inside would let the
            # background through.
            material=pyrender.MetallicRoughnessMaterial(
                doubleSided="inner_mouth" not in face.regions
            ),
        )
        background = [int(view.background[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        self._scene = pyrender.Scene(bg_color=[*background, 1.0])
        self._scene.add(pyrender.Mesh([self._primitive]))
        lens, pose = camera(face, view.yaw)
        self._scene.add(lens, pose=pose)
        self._update_context(self._scene, pyrender.RenderFlags.OFFSCREEN)  # uploads the mesh
        large = view.size * SUPERSAMPLING
        self._large = [_framebuffer(large, depth=True) for _ in range(2)]
        self._small = _framebuffer(view.size, depth=False)
        self._ticket = 0

    def pack(self, vertices: np.ndarray) -> np.ndarray:
        """What `draw` takes: `vertices` (V, 3) in metres, their normals and surface, (V, 10)."""
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

    def begin(self, mesh: np.ndarray) -> int:
        """Starts the picture of a packed frame and returns its ticket for :meth:`finish`.

        Two pictures may be under way: while the driver's threads fill in the one, the vertices of
        the next are worked out.
        """
        self._ticket = 1 - self._ticket
        self._main_fb_ms = self._large[self._ticket][0]  # pyrender draws into this one
        GL.glBindBuffer(GL.GL_ARRAY_BUFFER, self._primitive._buffers[0])
        GL.glBufferSubData(GL.GL_ARRAY_BUFFER, 0, mesh.nbytes, mesh)
        GL.glBindBuffer(GL.GL_ARRAY_BUFFER, 0)
        self.render(self._scene, pyrender.RenderFlags.OFFSCREEN)
        return self._ticket

    def finish(self, ticket: int) -> np.ndarray:
        """The picture (size, size, 3) uint8 RGB, top row first, that was begun with this ticket."""
        size, large = self._size, self._size * SUPERSAMPLING
        GL.glBindFramebuffer(GL.GL_READ_FRAMEBUFFER, self._large[ticket][0])
        GL.glBindFramebuffer(GL.GL_DRAW_FRAMEBUFFER, self._small[0])
        # At half the size, linear filtering is the mean of 2x2 pixels. OpenGL's first row is
        # the lowest: turned round on the way.
        source, target = (0, 0, large, large), (0, size, size, 0)
        GL.glBlitFramebuffer(*source, *target, GL.GL_COLOR_BUFFER_BIT, GL.GL_LINEAR)
        GL.glBindFramebuffer(GL.GL_READ_FRAMEBUFFER, self._small[0])
        picture = np.empty((size, size, 3), np.uint8)
        GL.glPixelStorei(GL.GL_PACK_ALIGNMENT, 1)
        GL.glReadPixels(0, 0, size, size, GL.GL_RGB, GL.GL_UNSIGNED_BYTE, picture)
        return picture

    def release(self) -> None:
        """Frees the clip's mesh and framebuffers, not the shaders."""
        self._primitive.delete()
        for framebuffer, color, depth in (*self._large, self._small):
            GL.glDeleteFramebuffers(1, [framebuffer])
            GL.glDeleteRenderbuffers(2, [color, depth])  # 0 is none

    def __del__(self) -> None:
        # pyrender would free everything, the shaders too, from whichever thread collects us.
        pass

    def _configure_main_framebuffer(self) -> None:
        """Ours are made at the start, by the clip's size."""

    def _read_main_framebuffer(self, scene: pyrender.Scene, flags: int) -> None:
        """The picture is read when it is asked for; the driver may begin with it."""
        GL.glFlush()


def _framebuffer(size: int, depth: bool) -> tuple[int, int, int]:
    """A square framebuffer with its colour and depth buffers; 0 for none."""
    framebuffer, color = GL.glGenFramebuffers(1), GL.glGenRenderbuffers(1)
    GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, framebuffer)
    _attach(color, GL.GL_COLOR_ATTACHMENT0, GL.GL_RGBA8, size)
    if not depth:
        return framebuffer, color, 0
    depths = GL.glGenRenderbuffers(1)
    _attach(depths, GL.GL_DEPTH_ATTACHMENT, GL.GL_DEPTH_COMPONENT24, size)
    return framebuffer, color, depths


def _attach(buffer: int, attachment: int, kind: int, size: int) -> None:
    GL.glBindRenderbuffer(GL.GL_RENDERBUFFER, buffer)
    GL.glRenderbufferStorage(GL.GL_RENDERBUFFER, kind, size, size)
    GL.glFramebufferRenderbuffer(GL.GL_FRAMEBUFFER, attachment, GL.GL_RENDERBUFFER, buffer)


def _surface(face: Face, shading: str) -> np.ndarray:
    """What the shader is told of each vertex: (V, 4), linear RGB and gloss."""
    color, gloss = face.colors / np.float32(255), face.gloss.copy()
    linear = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)  # sRGB
    for part in ("teeth_upper", "teeth_lower", "gums", "tongue"):
        inside = face.regions.get(part, [])
        # Painted darker the deeper it lies in the mouth; there no light is reflected either.
        gloss[inside] *= linear[inside].max(-1)
    if shading == "clay":
        linear[:], gloss[:] = CLAY, CLAY_GLOSS
        for part in ("inner_mouth", "gums", "tongue"):
            linear[face.regions.get(part, [])] *= CLAY_MOUTH
    return np.column_stack([linear, gloss]).astype(np.float32)
