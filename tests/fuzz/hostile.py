"""The nasty files that no random damage finds, by suffix: bombs, traps, wrong kinds, nesting."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from urllib.request import urlopen

import numpy as np
from canary import FILE, URL
from damage import pack_messages, to_npy, to_zip

Make = Callable[[bytes], bytes]  # of a good file of that suffix


def _npy_header(shape: str, descr: str = "'<f4'", body: bytes = b"") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"
    text = text.ljust((len(text) + 75) // 64 * 64 - 11) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + body


def _with_entry(data: bytes, **entries: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    return to_zip(content | {f"{name}.npy": entry for name, entry in entries.items()})


def _bomb(data: bytes, name: str, size: int) -> bytes:
    """Put so many bytes of zeros into an entry."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        others = {n: archive.read(n) for n in archive.namelist() if n != f"{name}.npy"}
    file = io.BytesIO(to_zip(others))
    piece = bytes(1 << 20)
    with (
        zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(f"{name}.npy", "w") as entry,
    ):
        entry.write(_npy_header(f"({size // 4},)"))
        for _ in range(size >> 20):
            entry.write(piece)
    return file.getvalue()


def _encrypted(data: bytes) -> bytes:
    """Set the bit that says an entry is encrypted, in both of its headers."""
    raw, at = bytearray(data), 0
    for mark, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = 0
        while (at := raw.find(mark, at)) >= 0:
            raw[at + flag] |= 1
            at += 4
    return bytes(raw)


def _liar(data: bytes) -> bytes:
    """Declare an entry's size as 16 bytes in the directory."""
    raw, at = bytearray(data), data.find(b"PK\x01\x02")
    raw[at + 24 : at + 28] = struct.pack("<I", 16)
    return bytes(raw)


def _first_name(data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.namelist()[0].removesuffix(".npy")


def _pickled_objects(data: bytes) -> bytes:
    return _with_entry(data, **{_first_name(data): to_npy(np.array([{"a": 1}], object))})


def _with_encoder(data: bytes, source: str) -> bytes:
    values = json.loads(data)
    if isinstance(values, dict) and "encoder" in values:
        values["encoder"]["source"] = source
    return json.dumps(values).encode()


def _aliases(form: str) -> bytes:
    """Values that hold the one before nine times, twelve times over."""
    lines = ["a: &a {x: 1}" if "<<" in form else "a: &a [x]"]
    for here, before in zip("bcdefghijklm", "abcdefghijkl", strict=True):
        lines.append(f"{here}: &{here} {form.format(','.join([f'*{before}'] * 9))}")
    return "\n".join(lines).encode()


NPZ: dict[str, Make] = {
    "1.2 GB of zeros": lambda d: _bomb(d, "zeros", 1200 << 20),
    "300 MB of zeros as an array in use": lambda d: _bomb(d, _first_name(d), 300 << 20),
    "encrypted": _encrypted,
    "declared smaller": _liar,
    "objects": _pickled_objects,
    "20,000 entries": lambda d: _with_entry(
        d, **{f"n{i}": to_npy(np.array(i)) for i in range(20_000)}
    ),
    "entry of text": lambda d: to_zip({"weights.txt": b"hello"}),
    "entry leaves the folder": lambda d: _with_entry(d, **{"../../x": to_npy(np.zeros(3))}),
    "shape beyond the data": lambda d: _with_entry(
        d, **{_first_name(d): _npy_header("(1000000000, 1000)")}
    ),
    "negative shape": lambda d: _with_entry(
        d, **{_first_name(d): _npy_header("(-5,)", body=bytes(64))}
    ),
    "shape of huge integers": lambda d: _with_entry(
        d, **{_first_name(d): _npy_header(f"({10**40},)")}
    ),
    "nested header": lambda d: _with_entry(
        d, **{_first_name(d): _npy_header("(" * 3000 + ")" * 3000)}
    ),
    "zero-width text": lambda d: _with_entry(
        d, **{_first_name(d): _npy_header("(1000000000000,)", "'<U0'")}
    ),
    "empty zip": lambda d: to_zip({}),
    "objects that read a file": lambda d: _with_entry(
        d, **{_first_name(d): to_npy(np.array([_Trap(open, str(FILE))], object))}
    ),
    "an .npy": lambda d: to_npy(np.zeros((3, 52), np.float32)),
    "a pickle": lambda d: pickle.dumps({"weights": np.zeros(3)}),
    "html": lambda d: b"<html>sign in</html>",
    "entry twice": lambda d: d + d,
}
NPY: dict[str, Make] = {
    "shape beyond the data": lambda d: _npy_header("(1000000000, 1000, 3)"),
    "overflowing shape": lambda d: _npy_header(f"({2**40}, {2**40}, 3)"),
    "huge integers": lambda d: _npy_header(f"({10**40}, 3)"),
    "objects": lambda d: to_npy(np.array([{"a": 1}], object)),
    "nested header": lambda d: _npy_header("(" * 4000 + ")" * 4000),
    "header is an expression": lambda d: _npy_header("().__class__"),
    "records": lambda d: to_npy(np.zeros(3, [("a", "f4")])),
    "a zip": lambda d: to_zip({"a.npy": to_npy(np.zeros(3))}),
    "no frames": lambda d: to_npy(np.zeros((0, 30, 3), np.float32)),
    "no width": lambda d: to_npy(np.zeros((10**6, 0), np.float32)),
    "endless nothing": lambda d: _npy_header(f"({2**60}, 0, 3)"),
    "dates": lambda d: to_npy(np.zeros((3, 30, 3), "M8[s]")),
}
JSON: dict[str, Make] = {
    "nested lists": lambda d: b"[" * 100_000 + b"]" * 100_000,
    "nested objects": lambda d: b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "nested under the limit": lambda d: b"[" * 800 + b"]" * 800,
    "integer of 100,000 digits": lambda d: b'{"fps": ' + b"9" * 100_000 + b"}",
    "integer of 4,000 digits": lambda d: b'{"fps": ' + b"9" * 4000 + b"}",
    "NaN": lambda d: b'{"fps": NaN}',
    "UTF-16": lambda d: d.decode().encode("utf-16"),
    "not UTF-8": lambda d: b'{"name": "\xff\xfe"}',
    "surrogate": lambda d: b'{"\\ud800": "\\udfff"}',
    "encoder is a file": lambda d: _with_encoder(d, str(FILE)),
    "encoder is elsewhere": lambda d: _with_encoder(d, URL),
    "text": lambda d: b'"config"',
    "null": lambda d: b"null",
    "a list": lambda d: b"[1, 2, 3]",
    "20 MB of zeros": lambda d: b"[" + b"0," * 10_000_000 + b"0]",
    "BOM": lambda d: b"\xef\xbb\xbf" + d,
    "concatenated": lambda d: d + d,
}
YAML: dict[str, Make] = {
    "aliases": lambda d: _aliases("[{}]"),
    "merged aliases": lambda d: _aliases("{{<<: [{}]}}"),
    "an alias of itself": lambda d: b"data: &a {folder: *a}\n",
    "nested lists": lambda d: b"[" * 20_000 + b"]" * 20_000,
    "nested mappings": lambda d: b"".join(b" " * i + b"a:\n" for i in range(1500)),
    "huge integer": lambda d: b"epochs: " + b"9" * 100_000,
    "huge hexadecimal": lambda d: b"epochs: 0x" + b"f" * 100_000,
    "sexagesimal": lambda d: b"epochs: 1" + b":59" * 3000,
    "no such day": lambda d: b"epochs: 2001-99-99",
    "a date": lambda d: b"epochs: 2001-01-01",
    "a list as a key": lambda d: b"? [a, b]\n: 1",
    "a mapping as a key": lambda d: b"? {a: b}\n: 1",
    "python object": lambda d: b"data: !!python/object/apply:os.system ['true']",
    "a file that is read": lambda d: f"data: !!python/object/apply:open ['{FILE}']".encode(),
    "an address": lambda d: f"data: !include {URL}".encode(),
    "binary": lambda d: b"data: !!binary '###'",
    "wrong int": lambda d: b"epochs: !!int 'abc'",
    "wrong float": lambda d: b"epochs: !!float 'abc'",
    "wrong bool": lambda d: b"epochs: !!bool 'abc'",
    "wrong timestamp": lambda d: b"epochs: !!timestamp 'abc'",
    "set": lambda d: b"epochs: !!set {a, b}",
    "omap": lambda d: b"epochs: !!omap [a: 1]",
    "list": lambda d: b"- 1\n- 2",
    "text": lambda d: b"hello",
    "empty": lambda d: b"",
    "two documents": lambda d: d + b"\n---\n" + d,
    "tabs": lambda d: b"data:\n\tfolder: x",
    "control characters": lambda d: b"data: \x00\x07",
    "not UTF-8": lambda d: b"data: \xff\xfe\xfa",
    "long": lambda d: b"a: 1\n" * 200_000,
    "unhashable": lambda d: b"{[]: 1}",
    "1e400": lambda d: b"optimizer: {learning_rate: 1e400}",
    "null data": lambda d: b"data:",
}


def _hash_bomb() -> bytes:
    """A key of tuples in tuples, whose hash takes 2 ** 60 steps."""
    return b"\x80\x02}" + b")" + b"2\x86" * 60 + b"K\x01s."


def _laughs(depth: int, width: int = 10) -> bytes:
    """Lists of lists, each ten times the same one."""
    raw = b"\x80\x02](" + b"K\x01" * width + b"eq\x000"
    for level in range(1, depth):
        raw += b"](" + (b"h" + bytes([level - 1])) * width + b"eq" + bytes([level]) + b"0"
    return raw + b"h" + bytes([depth - 1]) + b"."


class _Trap:
    def __init__(self, function: object, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple:
        return self.call


def _trap() -> bytes:
    import os

    return pickle.dumps({"lips": _Trap(os.system, "true")})


PICKLE: dict[str, Make] = {
    "memo of 2 GB": lambda d: b"\x80\x02K\x01r\xff\xff\xff\x0f.",
    "memo of 30 GB": lambda d: b"\x80\x02K\x01r\xff\xff\xff\xff.",
    "text of 2 GB": lambda d: b"\x80\x04X\xff\xff\xff\x7f.",
    "bytes of 2 ** 60": lambda d: b"\x80\x04\x8e" + struct.pack("<Q", 2**60) + b".",
    "byte array of 3 GB": lambda d: b"\x80\x05\x96" + struct.pack("<Q", 3 * 10**9) + b"abc.",
    "frame of 2 ** 60": lambda d: b"\x80\x04\x95" + struct.pack("<Q", 2**60) + b"K\x01.",
    "long of 2 GB": lambda d: b"\x80\x02\x8b\xff\xff\xff\x7f.",
    "hash that never ends": lambda d: _hash_bomb(),
    "ten lists of ten lists": lambda d: _laughs(9),
    "lips of ten lists": lambda d: b"\x80\x02}X\x04\x00\x00\x00lips" + _laughs(9)[2:-1] + b"s.",
    "nested lists": lambda d: b"\x80\x02" + b"]" * 50_000 + b"a" * 49_999 + b".",
    "nested tuples": lambda d: b"\x80\x02)" + b"\x85" * 100_000 + b".",
    "lists that hold themselves": lambda d: b"\x80\x02]q\x00h\x00a.",
    "integer of 10,000 digits": lambda d: b"L" + b"9" * 10_000 + b"L\n.",
    "calls": lambda d: _trap(),
    "reads a file": lambda d: pickle.dumps({"lips": _Trap(open, str(FILE))}),
    "asks a server": lambda d: pickle.dumps({"lips": _Trap(urlopen, URL)}),
    "a set of lists": lambda d: b"\x80\x04\x8f(]\x90.",
    "attributes of a constructor": lambda d: (
        b"\x80\x02cnumpy\ndtype\n}X\x05\x00\x00\x00alignK\x01sb."
    ),
    "the constructor itself": lambda d: b"\x80\x02cnumpy\ndtype\n.",
    "type of 2 GB": lambda d: b"\x80\x02cnumpy\ndtype\nX\x0b\x00\x00\x00S2000000000\x85R.",
    "type of types": lambda d: b"\x80\x02cnumpy\ndtype\nX\x09\x00\x00\x00f4,(9,)f8\x85R.",
    "arrays that share their bytes": lambda d: _shared_arrays(),
    "nothing on the stack": lambda d: b"\x80\x02.",
    "unknown opcode": lambda d: b"\x80\x02\xf0.",
    "persistent": lambda d: b"Pfile\n.",
    "html": lambda d: b"<html>sign in</html>",
    "true": lambda d: b"I01\n.",
}


def _shared_arrays() -> bytes:
    """20,000 arrays of the same 250 kB."""
    size = 250_000
    raw = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\nq\x01"
    raw += b"cnumpy\ndtype\nX\x02\x00\x00\x00u1\x85Rq\x02"
    raw += b"X" + struct.pack("<I", size) + b"a" * size + b"q\x03"
    one = (
        b"h\x00h\x01K\x00\x85C\x01b\x87R(K\x01J" + struct.pack("<i", size) + b"\x85h\x02\x89h\x03tb"
    )
    return raw + b"](" + one * 20_000 + b"e."


def _safetensors(header: object, body: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


SAFETENSORS: dict[str, Make] = {
    "header of 2 ** 63": lambda d: _safetensors(b"{}", length=2**63),
    "header beyond the file": lambda d: _safetensors(b"{}", length=10**7),
    "header of nothing": lambda d: _safetensors(b"", length=0),
    "nested header": lambda d: _safetensors(b"[" * 10_000 + b"]" * 10_000),
    "tensor of 2 ** 60": lambda d: _safetensors(
        {"style": {"dtype": "F32", "shape": [2**60], "data_offsets": [0, 4]}}, bytes(4)
    ),
    "overlapping": lambda d: _safetensors(
        {
            "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
            "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]},
        },
        bytes(12),
    ),
    "eight-bit floats": lambda d: _safetensors(
        {"style": {"dtype": "F8_E4M3", "shape": [16], "data_offsets": [0, 16]}}, bytes(16)
    ),
    "a million tensors": lambda d: _safetensors(
        {f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(200_000)}
    ),
    "empty": lambda d: _safetensors({}),
    "a pickle": lambda d: pickle.dumps({}),
    "html": lambda d: b"<html>sign in</html>",
}
CSV: dict[str, Make] = {
    "a million rows": lambda d: d.split(b"\n")[0] + b"\n" + b"0\n" * 1_000_000,
    "a million columns": lambda d: b"," * 1_000_000 + b"\n" + b"," * 1_000_000,
    "a field without end": lambda d: b'"' + b"a" * 1_000_000,
    "NUL": lambda d: b"\0" * 1000,
    "UTF-16": lambda d: d.decode().encode("utf-16"),
    "names alone": lambda d: d.split(b"\n")[0],
    "the same name twice": lambda d: b"jawOpen,jawOpen\n0,1\n0,2\n",
    "NaN": lambda d: d.split(b"\n")[0] + b"\n" + b"\n".join([b"nan," * 60] * 300),
    "short rows": lambda d: d.split(b"\n")[0] + b"\n0,0\n" * 500,
    "not numbers": lambda d: b"time,lip_open,lip_width\nx,y,z\n",
    "falling times": lambda d: b"time,lip_open,lip_width\n" + b"1,1,1\n0,2,1\n" * 300,
    "times of 1e308": lambda d: (
        b"time,lip_open,lip_width\n0,1,1\n" + b"1e308,2,3\n-1e308,2,3\n" * 300
    ),
    "curves of 1e308": lambda d: (
        b"time,lip_open,lip_width\n" + b"".join(b"%f,1e308,1e308\n" % (i / 30) for i in range(600))
    ),
}
PLY: dict[str, Make] = {
    "a billion vertices": lambda d: (
        b"ply\nformat binary_little_endian 1.0\nelement vertex 2000000000\n"
        b"property float x\nproperty float y\nproperty float z\nend_header\n"
    ),
    "a billion in text": lambda d: (
        b"ply\nformat ascii 1.0\nelement vertex 2000000000\n"
        b"property float x\nproperty float y\nproperty float z\nend_header\n0 0 0\n"
    ),
    "negative": lambda d: (
        b"ply\nformat ascii 1.0\nelement vertex -1\nproperty float x\nend_header\n"
    ),
    "a picture from elsewhere": lambda d: d.replace(
        b"\nelement vertex", f"\ncomment TextureFile {FILE}\nelement vertex".encode(), 1
    ),
    "no end": lambda d: b"ply\n" + b"comment a\n" * 200_000,
    "nothing": lambda d: b"ply\nformat ascii 1.0\nend_header\n",
}
OBJ: dict[str, Make] = {
    "index out of range": lambda d: b"v 0 0 0\nf 1 2 3\n",
    "materials from elsewhere": lambda d: f"mtllib {FILE}\nusemtl a\n".encode() + d,
    "materials of an address": lambda d: f"mtllib {URL}\nusemtl a\n".encode() + d,
    "zero": lambda d: b"v 0 0 0\nf 0 0 0\n",
    "huge index": lambda d: b"v 0 0 0\nf 1 1 " + b"9" * 40 + b"\n",
    "polygon of 300,000": lambda d: b"v 0 0 0\nf" + b" 1" * 300_000,
    "ragged": lambda d: b"v 0 0\nv 1\nf 1 2\n",
    "NaN": lambda d: b"v nan inf 0\nv 0 0 0\nv 1 1 1\nf 1 2 3\n",
    "a million vertices": lambda d: b"v 0 0 0\n" * 1_000_000 + b"f 1 2 3\n",
}
TXT: dict[str, Make] = {
    "huge index": lambda d: b"1 2 " + b"9" * 4000,
    "longer than an integer": lambda d: b"1 " + b"9" * 30,
    "negative": lambda d: b"-1 -2",
    "a million": lambda d: b"1 " * 1_000_000,
    "not UTF-8": lambda d: b"\xff\xfe",
}


def _wav(
    rate: int = 16000, channels: int = 1, samples: bytes = b"", code: int = 1, bits: int = 16
) -> bytes:
    width = bits // 8 * channels
    form = struct.pack(
        "<HHIIHH", code, channels, rate, rate * width & 0xFFFFFFFF, width & 0xFFFF, bits
    )
    chunk = b"fmt " + struct.pack("<I", len(form)) + form
    chunk += b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WAVE" + chunk


def _floats(value: float) -> bytes:
    return _wav(code=3, bits=32, samples=np.full(16_000, value, np.float32).tobytes())


SOUND: dict[str, Make] = {
    "rate of 0": lambda d: _wav(0, samples=bytes(32_000)),
    "rate of 1": lambda d: _wav(1, samples=bytes(32_000)),
    "rate of 2 ** 32": lambda d: _wav(2**32 - 1, samples=bytes(32_000)),
    "65,535 channels": lambda d: _wav(channels=65_535, samples=bytes(32_000)),
    "no channels": lambda d: _wav(channels=0, samples=bytes(32_000)),
    "samples of 1e30": lambda d: _floats(1e30),
    "samples of NaN": lambda d: _floats(np.nan),
    "samples of infinity": lambda d: _floats(np.inf),
    "a playlist": lambda d: f"#EXTM3U\n#EXTINF:1,\nfile://{FILE}\n".encode(),
    "a playlist of an address": lambda d: (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{URL}\n#EXT-X-ENDLIST\n".encode()
    ),
    "a list of files": lambda d: f"ffconcat version 1.0\nfile '{FILE}'\n".encode(),
    "a list of addresses": lambda d: f"ffconcat version 1.0\nfile {URL}\n".encode(),
    "a manifest": lambda d: (
        f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>'
        f'<Representation id="1"><BaseURL>{URL}</BaseURL></Representation></AdaptationSet></Period>'
        f"</MPD>".encode()
    ),
    "a session": lambda d: b"v=0\nc=IN IP4 127.0.0.1\nm=audio 4000 RTP/AVP 0\n",
    "unknown codec": lambda d: _wav(code=0x1234, samples=bytes(32_000)),
    "an hour at 1 Hz": lambda d: _wav(1, bits=8, samples=bytes(4000)),
    "data beyond the file": lambda d: d[:40] + b"\xff\xff\xff\xff" + d[44:2000],
    "html": lambda d: b"<html>sign in</html>",
}
PICTURE: dict[str, Make] = {
    "a gigapixel": lambda d: _png(60_000, 60_000),
    "no pixels": lambda d: _png(0, 0),
    "text": lambda d: b"hello",
    "svg": lambda d: (
        f"<svg xmlns='http://www.w3.org/2000/svg'><image href='{URL}'/></svg>".encode()
    ),
}


def _png(width: int, height: int) -> bytes:
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    form = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(min(3 * width * height, 50_000_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", form) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _live(text: str, *more: str | bytes) -> bytes:
    return pack_messages([text, *more])


_CHOICE = '{"style": "neutral", "strength": 1, "head": "mara"}'
_SOUND = bytes(32_000)
LIVE: dict[str, Make] = {
    "sound first": lambda d: pack_messages([_SOUND]),
    "the end first": lambda d: _live('{"end": true}'),
    "ends twice": lambda d: _live(_CHOICE, '{"end": true}', '{"end": true}', _SOUND),
    "half a sample": lambda d: _live(_CHOICE, b"\0" * 641),
    "a minute at once": lambda d: _live(_CHOICE, bytes(1_920_000)),
    "faster than time": lambda d: _live(_CHOICE, *[_SOUND] * 30),
    "a thousand choices": lambda d: _live(*[_CHOICE] * 1000),
    "nothing": lambda d: _live(_CHOICE, *[b""] * 500),
    "NaN": lambda d: _live(_CHOICE.replace("1", "NaN")),
    "infinite": lambda d: _live(_CHOICE.replace("1", "1e999"), _SOUND),
    "huge integer": lambda d: _live(_CHOICE.replace("1", "9" * 900)),
    "nested": lambda d: _live("[" * 400 + "]" * 400),
    "nested deeply": lambda d: _live("[" * 200_000),
    "half a character": lambda d: _live(_CHOICE.replace("mara", "\\ud800")),
    "head is a path": lambda d: _live(_CHOICE.replace("mara", str(FILE))),
    "style is a path": lambda d: _live(_CHOICE.replace("neutral", f"../..{FILE}")),
    "mood is an object": lambda d: _live(_CHOICE.replace("}", ', "mood": {}}')),
    "intensity is a list": lambda d: _live(_CHOICE.replace("}", ', "intensity": []}')),
    "escapes": lambda d: _live(_CHOICE.replace("mara", "\\u001b[31m\\u202e" * 20)),
}


def _with_pickle(data: bytes, pickled: bytes) -> bytes:
    """Put another pickle into a file of torch.save."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    name = next(name for name in content if name.endswith("data.pkl"))
    return to_zip(content | {name: pickled}, compression=zipfile.ZIP_STORED)


PTH: dict[str, Make] = {
    **{
        f"{what}, in a zip": lambda d, m=make: _with_pickle(d, m(b""))
        for what, make in PICKLE.items()
    },
    **PICKLE,
    "encrypted": _encrypted,
    "an .npz": lambda d: to_zip({"a.npy": to_npy(np.zeros(3))}),
}
HOSTILE: dict[str, dict[str, Make]] = {
    ".npz": NPZ,
    ".npy": NPY,
    ".json": JSON,
    ".yaml": YAML,
    ".pkl": PICKLE,
    ".pth": PTH,
    ".safetensors": SAFETENSORS,
    ".csv": CSV,
    ".ply": PLY,
    ".obj": OBJ,
    ".txt": TXT,
    ".wav": SOUND,
    ".live": LIVE,
    ".jpg": PICTURE,
    ".png": PICTURE,
}
