"""Damage to files: what happens on the way (bits, cuts), and what somebody means to do.

Each function takes the bytes of a good file and a generator, and returns those of a bad one; the
same seed gives the same bytes.
"""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import canary
import numpy as np

Damage = Callable[[bytes, Random], bytes]
NASTY = [  # values where others are expected
    None,
    True,
    0,
    -1,
    1,
    3,
    2**31,
    2**63,
    -(2**64),
    10**400,
    1e308,
    -0.5,
    1e-9,
    float("nan"),
    float("inf"),
    "",
    "x",
    "../../../etc/passwd",
    "/dev/zero",
    str(canary.FILE),
    canary.URL,
    "a" * 5000,
    "\x1b[31mred\nline",
    "\ud800",
    "üñ\u202e",
    [],
    {},
    [[]],
    [1, 2, 3],
    ["x"] * 300,
    {"x": {"x": {"x": 1}}},
    [None],
]


def damage_bytes(data: bytes, random: Random) -> bytes:
    """Cut, flip, repeat, insert or blank bytes anywhere."""
    if not data:
        return random.randbytes(8)
    here = random.randrange(len(data))
    length = random.choice([1, 4, 16, 256])
    match random.randrange(7):
        case 0:
            return data[:here]
        case 1:
            flipped = bytearray(data)
            for _ in range(random.choice([1, 3, 20, 200])):
                flipped[random.randrange(len(data))] ^= 1 << random.randrange(8)
            return bytes(flipped)
        case 2:
            return data[:here] + random.randbytes(length) + data[here:]
        case 3:
            return data[:here] + bytes(length) + data[here + length :]
        case 4:
            return data[:here] + b"\xff" * length + data[here + length :]
        case 5:
            return data[:here] + data[here + length :]
        case _:
            there = random.randrange(len(data))
            return data[:here] + data[there:]


def damage_head(data: bytes, random: Random) -> bytes:
    """Damage the first bytes, where lengths and shapes are."""
    size = min(len(data), random.choice([16, 64, 256]))
    return damage_bytes(data[:size], random) + data[size:]


def damage_value(value: Any, random: Random) -> Any:
    """Put a nasty value somewhere into plain values, or drop, rename or repeat a part."""
    if isinstance(value, dict) and value and random.random() < 0.85:
        key = random.choice(list(value))
        match random.randrange(8):
            case 0:
                return {k: v for k, v in value.items() if k != key}
            case 1:
                return {
                    k + "s" if k == key and isinstance(k, str) else k: v for k, v in value.items()
                }
            case 2:
                return value | {
                    random.choice(["", "x", "a" * 400, "__class__"]): random.choice(NASTY)
                }
            case _:
                return value | {key: damage_value(value[key], random)}
    if isinstance(value, list) and value and random.random() < 0.7:
        here = random.randrange(len(value))
        match random.randrange(5):
            case 0:
                return value[:here] + value[here + 1 :]
            case 1:
                return value + value[here : here + 1]
            case _:
                return [*value[:here], damage_value(value[here], random), *value[here + 1 :]]
    return random.choice(NASTY)


def damage_json(data: bytes, random: Random) -> bytes:
    """Write JSON with a damaged value."""
    value = json.loads(data)
    for _ in range(random.choice([1, 1, 1, 3])):
        value = damage_value(value, random)
    return json.dumps(value).encode("utf-8", "surrogatepass")


def damage_yaml(data: bytes, random: Random) -> bytes:
    """Write YAML with a damaged value."""
    import yaml

    value = damage_value(yaml.safe_load(data), random)
    return yaml.safe_dump(value, allow_unicode=True).encode("utf-8", "surrogatepass")


def damage_array(array: np.ndarray, random: Random) -> np.ndarray:
    """Change values, shape or type of an array."""
    numbers = array.dtype.kind in "iuf"
    match random.randrange(16):
        case 0:
            return array.reshape(-1)[:0]
        case 1:
            return np.array(random.choice([0, -1, 1.5, np.nan, 10**9]))
        case 2:
            return array[None]
        case 3:
            return array.reshape(-1)
        case 4:
            return array[: len(array) // 2] if array.ndim else array
        case 5:
            return np.concatenate([array, array]) if array.ndim else array
        case 6:
            return array.astype(object)
        case 7:
            return array.astype("S8" if numbers else "f8") if numbers else np.zeros(3)
        case 8:
            return array.astype(np.complex64) if numbers else np.array(["", "\0", "a" * 999])
        case 9:
            return np.zeros(array.shape[:1], [("a", "f4"), ("b", "i8")])
        case 10:
            return (
                array.astype(random.choice(["f2", "f8", "i8", "u1", "b1"]))
                if numbers
                else array[..., None]
            )
        case 11:
            return np.array((*array.shape[:1], 2**60))
        case 12:
            return array.T
        case _:
            if not array.size or not numbers:
                return array.astype("M8[s]") if numbers else np.array([1, 2, 3])
            changed = array.copy().reshape(-1)
            worst = [-1, -(2**31), 2**31 - 1, array.size, 255, 10**6]
            worst += [np.nan, np.inf, -np.inf, 1e30, -1e30] if array.dtype.kind == "f" else []
            for _ in range(random.choice([1, 5])):
                with np.errstate(all="ignore"):
                    changed[random.randrange(len(changed))] = np.array(random.choice(worst)).astype(
                        array.dtype
                    )
            return changed.reshape(array.shape)


def damage_npy(data: bytes, random: Random) -> bytes:
    """Write an .npy with a damaged array."""
    return to_npy(damage_array(np.load(io.BytesIO(data)), random))


def damage_npz(data: bytes, random: Random) -> bytes:
    """Write an .npz of which one array is damaged, missing, doubled or under another name."""
    arrays = dict(np.load(io.BytesIO(data)))
    name = random.choice(list(arrays))
    match random.randrange(8):
        case 0:
            del arrays[name]
        case 1:
            arrays[name + "x"] = arrays.pop(name)
        case 2:
            arrays[name] = arrays[random.choice(list(arrays))]
        case _:
            arrays[name] = damage_array(arrays[name], random)
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def damage_pickle(data: bytes, random: Random) -> bytes:
    """Write a pickle with a damaged value, of any protocol."""
    value = pickle.loads(data, encoding="latin1")
    if isinstance(value, dict) and value and random.random() < 0.8:
        key = random.choice(list(value))
        part = value[key]
        part = damage_array(part, random) if isinstance(part, np.ndarray) else random.choice(NASTY)
        value = value | {key: part}
    else:
        value = damage_value(value, random)
    return pickle.dumps(value, random.randrange(6))


def damage_safetensors(data: bytes, random: Random) -> bytes:
    """Damage the header, or a tensor, of a safetensors file."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    if random.random() < 0.5:
        text = json.dumps(damage_value(header, random)).encode("utf-8", "surrogatepass")
        return len(text).to_bytes(8, "little") + text + data[8 + length :]
    arrays = {
        name: np.frombuffer(
            data[8 + length :][slice(*entry["data_offsets"])],
            {"F32": "f4", "F16": "f2", "I64": "i8"}[entry["dtype"]],
        ).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__"
    }
    name = random.choice(list(arrays))
    arrays[name] = damage_array(arrays[name], random)
    if arrays[name].dtype.kind not in "iufb":
        arrays[name] = np.full_like(arrays[name], np.nan, float)
    from safetensors.numpy import save

    return save({k: np.ascontiguousarray(v) for k, v in arrays.items()}, header.get("__metadata__"))


def damage_live(data: bytes, random: Random) -> bytes:
    """Damage a value or the text of one message of a live session."""
    messages = unpack_messages(data)
    here = random.choice([n for n, message in enumerate(messages) if isinstance(message, str)])
    text = str(messages[here])
    match random.randrange(6):
        case 0:
            messages[here] = damage_bytes(text.encode(), random).decode(errors="replace")
        case 1:
            messages[here] = damage_bytes(text.encode(), random)  # where sound is expected
        case 2:
            messages.insert(random.randrange(len(messages)), random.choice(messages))
        case 3:
            messages.insert(here, random.randbytes(random.choice([0, 1, 2, 641, 32_000, 90_000])))
        case _:
            messages[here] = json.dumps(damage_value(json.loads(text), random))
    return pack_messages(messages)


def pack_messages(messages: Sequence[str | bytes]) -> bytes:
    """Return the bytes of a file of messages, texts and sounds."""
    parts = []
    for message in messages:
        body = message.encode("utf-8", "replace") if isinstance(message, str) else message
        parts.append((b"T" if isinstance(message, str) else b"B") + len(body).to_bytes(4, "little"))
        parts.append(body)
    return b"".join(parts)


def unpack_messages(data: bytes) -> list[str | bytes]:
    """Return the messages of a file, of a damaged one too."""
    messages: list[str | bytes] = []
    while data:
        end = 5 + int.from_bytes(data[1:5], "little")
        body, kind, data = data[5:end], data[:1], data[end:]
        messages.append(body.decode(errors="replace") if kind == b"T" else body)
    return messages


def damage_text(data: bytes, random: Random) -> bytes:
    """Change a line or a word of a text."""
    lines = data.decode("latin-1").split("\n")
    here = random.randrange(len(lines))
    words = lines[here].replace(",", " , ").split(" ")
    nasty = random.choice(
        ["nan", "-1", "1e400", "9" * 5000, "", "\0", "é", '"', "0x10", "-99999999"]
    )
    match random.randrange(5):
        case 0:
            lines[here] = ""
        case 1:
            lines[here] = lines[here] * 50
        case 2:
            lines[here] = nasty
        case 3:
            del lines[here]
        case _:
            words[random.randrange(len(words))] = nasty
            lines[here] = " ".join(words)
    return "\n".join(lines).encode("latin-1")


def to_npy(array: np.ndarray) -> bytes:
    """Return the bytes of an .npy."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def to_zip(entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return the bytes of a zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


MEANT: dict[str, Damage] = {
    ".npz": damage_npz,
    ".npy": damage_npy,
    ".json": damage_json,
    ".yaml": damage_yaml,
    ".safetensors": damage_safetensors,
    ".pkl": damage_pickle,
    ".csv": damage_text,
    ".obj": damage_text,
    ".ply": damage_text,
    ".txt": damage_text,
    ".live": damage_live,
}
