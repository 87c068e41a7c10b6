"""A reader of .glb files by the specification alone."""

import json
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation


class Glb:
    """A .glb file of one mesh and at most one skin and animation."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        magic, version, length, json_length = np.frombuffer(data, "<u4", 4)
        assert (data[:4], version, length) == (b"glTF", 2, len(data))
        assert magic.tobytes() == data[:4]
        assert data[16:20] == b"JSON"
        start = 20 + int(json_length)
        self.json = json.loads(data[20:start])
        assert data[start + 4 : start + 8] == b"BIN\0"
        self.binary = data[start + 8 :]
        assert len(self.binary) == self.json["buffers"][0]["byteLength"]
        self.mesh = self.json["meshes"][0]
        self.primitives = self.mesh["primitives"]
        self.primitive = self.primitives[0]

    def read(self, number: int) -> np.ndarray:
        """An accessor's values."""
        accessor = self.json["accessors"][number]
        width = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}[accessor["type"]]
        values = self._view(accessor, accessor["count"] * width).reshape(-1, width).copy()
        if sparse := accessor.get("sparse"):
            rows = self._view(sparse["indices"], sparse["count"])
            kind = {**sparse["values"], "componentType": accessor["componentType"]}
            values[rows] = self._view(kind, sparse["count"] * width).reshape(-1, width)
        if "min" in accessor:
            np.testing.assert_array_equal(values.min(0), np.float32(accessor["min"]))
            np.testing.assert_array_equal(values.max(0), np.float32(accessor["max"]))
        return values

    def _view(self, kind: dict, count: int) -> np.ndarray:
        view = self.json["bufferViews"][kind["bufferView"]]
        dtype = {5121: "u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}[kind["componentType"]]
        return np.frombuffer(self.binary, dtype, count, view["byteOffset"])

    def attribute(self, name: str) -> np.ndarray:
        """An attribute of all primitives' vertices, one primitive after the other."""
        return np.concatenate([self.read(p["attributes"][name]) for p in self.primitives])

    def picture(self, texture: dict) -> bytes:
        """The file of a texture's picture."""
        image = self.json["images"][self.json["textures"][texture["index"]]["source"]]
        view = self.json["bufferViews"][image["bufferView"]]
        return self.binary[view["byteOffset"] :][: view["byteLength"]]

    @property
    def names(self) -> list[str]:
        return self.mesh["extras"]["targetNames"]

    def deltas(self, attribute: str = "POSITION") -> np.ndarray:
        """(K, V, 3), in the order of :meth:`attribute`."""
        return np.concatenate(
            [[self.read(t[attribute]) for t in p["targets"]] for p in self.primitives], axis=1
        )

    def animation(self, path: str = "weights") -> tuple[np.ndarray, np.ndarray]:
        """Times (T,) and values (T, K) of the node property that has this path."""
        (animation,) = self.json["animations"]
        (channel,) = [c for c in animation["channels"] if c["target"]["path"] == path]
        node = self.json["nodes"][channel["target"]["node"]]
        assert ("mesh" in node) == (path == "weights")
        sampler = animation["samplers"][channel["sampler"]]
        times = self.read(sampler["input"])[:, 0]
        return times, self.read(sampler["output"]).reshape(len(times), -1)

    def morphed(self) -> np.ndarray:
        """Vertices (T, V, 3) as a viewer morphs them, in the order of :meth:`attribute`."""
        base = self.attribute("POSITION")
        if "targets" not in self.primitive:
            return base[None]
        _, weights = self.animation()
        return base + np.einsum("tk,kvc->tvc", weights, self.deltas())

    def vertices(self) -> np.ndarray:
        """Vertices (T, V, 3) as a viewer morphs and then skins them."""
        vertices = self.morphed()
        if "skins" not in self.json:
            return vertices
        (skin,) = self.json["skins"]
        inverse_bind = self.read(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
        root, head = (self.json["nodes"][joint] for joint in skin["joints"])
        assert root == {"name": "root", "children": [skin["joints"][1]]}
        _, rotation = self.animation("rotation")
        pose = np.tile(np.eye(4), (len(rotation), 2, 1, 1))  # (T, joints, 4, 4)
        pose[:, 1, :3, :3] = Rotation.from_quat(rotation).as_matrix()
        pose[:, 1, :3, 3] = head["translation"]
        joints = self.attribute("JOINTS_0")
        weights = self.attribute("WEIGHTS_0").astype(float)
        np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)
        moving = (pose @ inverse_bind)[:, joints]  # (T, V, 4 slots, 4, 4)
        matrices = np.einsum("vs,tvsij->tvij", weights, moving)
        return np.einsum("tvij,tvj->tvi", matrices[..., :3, :3], vertices) + matrices[..., :3, 3]
