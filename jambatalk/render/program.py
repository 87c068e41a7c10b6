"""Shader programs: compiled once a process, from the files in `shaders/`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
from OpenGL import GL
from OpenGL.GL import shaders

from jambatalk.render.shader_text import STAGES, shader_text


class Program:
    """A compiled program; its uniforms are set by name."""

    def __init__(self, defines: Iterable[str]) -> None:
        compiled = [
            shaders.compileShader(source(name, defines), kind)
            for name, kind in zip(STAGES, (GL.GL_VERTEX_SHADER, GL.GL_FRAGMENT_SHADER), strict=True)
        ]
        self._number = shaders.compileProgram(*compiled, validate=False)
        count = GL.glGetProgramiv(self._number, GL.GL_ACTIVE_UNIFORMS)
        names = [GL.glGetActiveUniform(self._number, index)[0] for index in range(count)]
        self._uniforms = {
            bytes(name).decode(): GL.glGetUniformLocation(self._number, name) for name in names
        }
        self._values: dict[str, np.ndarray | float] = {}  # of the uniforms

    def use(self) -> None:
        """Draw with this program from now on."""
        GL.glUseProgram(self._number)

    def set(self, name: str, value: np.ndarray | float) -> None:
        """Set a uniform of the program in use, if it has one of this name: a sampler's unit, a
        number, a vector, or a (4, 4) matrix, which must not change afterwards."""
        place = self._uniforms.get(name)
        if place is None or value is self._values.get(name):  # a call takes longer than to look
            return
        self._values[name] = value
        if isinstance(value, int):
            GL.glUniform1i(place, value)
            return
        array = np.asarray(value, np.float32)
        if array.ndim == 2:
            GL.glUniformMatrix4fv(place, 1, GL.GL_TRUE, array)
        elif array.ndim == 1:
            (GL.glUniform3fv if len(array) == 3 else GL.glUniform4fv)(place, 1, array)
        else:
            GL.glUniform1f(place, float(array))


def source(name: str, defines: Iterable[str]) -> str:
    """Read a shader with the files it includes and, after its first line, the definitions."""
    version, rest = shader_text(name).split("\n", 1)
    return "\n".join([version, *(f"#define {define}" for define in defines), rest])


@cache
def program(*defines: str) -> Program:
    """Return the program with these definitions, compiled when it is first used."""
    return Program(defines)
