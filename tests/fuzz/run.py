"""Try damaged and hostile files on all that reads files from strangers: `./run fuzz`.

    python tests/fuzz/run.py 3000 --seed 1
    python tests/fuzz/run.py 200 --kind head --show

Inputs are used in processes forked from one that has everything loaded, with limits of time and
memory; a process that blocks or ends costs one input. What becomes of it is one of:

    made        the file was accepted and gave a result
    refused     one of our errors, in a sentence that names the file
    vague       one of our errors, but long, on several lines, or about no file
    traceback   any other exception
    memory      more than a gigabyte
    hang        more than fifteen seconds
    died        by a signal
    leak        it made the program read a file, or ask a server, of ours (canary.py)
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple

os.environ["OMP_NUM_THREADS"] = "1"  # threads do not survive the fork
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

import canary  # noqa: E402
from damage import MEANT, damage_bytes, damage_head  # noqa: E402
from hostile import HOSTILE  # noqa: E402
from targets import Target, targets  # noqa: E402

from jambatalk.errors import JambaTalkError  # noqa: E402

SECONDS = 15.0
BYTES = 1 << 30
BATCH = 25  # inputs a process
LONGEST = 600  # characters of a message
GOOD = ("made", "refused")


class Input(NamedTuple):
    """A file to try.

    Attributes:
        kind: of the target. name: of the file. what: was done to it, for people.
        content: its bytes; or what is there in its place: a link, "folder", "pipe", "nothing".
    """

    kind: str
    name: str
    what: str
    content: bytes | str


class Result(NamedTuple):
    """What became of an input: one of the words above, and the message or the place."""

    outcome: str
    detail: str = ""


def inputs(count: int, seed: int, kind: str | None = None) -> Iterator[Input]:
    """Yield as many inputs, the same ones for the same seed: of the nasty ones, a part each."""
    random = Random(seed)
    nasty = list(_nasty(kind))
    random.shuffle(nasty)
    nasty = nasty[: count // 2]
    yield from nasty
    known = {name: target for name, target in targets().items() if kind in (None, name)}
    weights = [target.share for target in known.values()]
    for _ in range(count - len(nasty)):
        chosen = random.choices(list(known), weights)[0]
        name = random.choice(known[chosen].hit)
        data, means = _good(known[chosen], name), [damage_bytes, damage_head]
        if meant := MEANT.get(Path(name).suffix):
            means += [meant] * 5
        damage = random.choice(means)
        state = random.random()
        yield Input(chosen, name, f"{damage.__name__}({state!r})", damage(data, Random(state)))


def _nasty(kind: str | None) -> Iterator[Input]:
    for found, target in targets().items():
        if kind not in (None, found):
            continue
        for name in dict.fromkeys(target.hit):
            suffix = Path(name).suffix
            for what in HOSTILE.get(".wav" if suffix == ".flac" else suffix, {}):
                yield Input(found, name, what, _LAZY + what)
            for what in ("/dev/zero", "folder", "pipe", "nothing", "a link to itself"):
                yield Input(found, name, what, what)
            yield Input(found, name, "an empty file", b"")


_LAZY = "made when it is tried: "  # some are large


def _good(target: Target, name: str) -> bytes:
    content = target.files[name]
    return content.read_bytes() if isinstance(content, Path) else content


def lay_out(given: Input, folder: Path) -> None:
    """Write the folder of an input."""
    target = targets()[given.kind]
    for name, content in target.files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if name == given.name:
            continue
        if isinstance(content, Path):
            path.symlink_to(content)
        else:
            path.write_bytes(content)
    path, content = folder / given.name, given.content
    if isinstance(content, str) and content.startswith(_LAZY):
        suffix = ".wav" if path.suffix == ".flac" else path.suffix
        content = HOSTILE[suffix][given.what](_good(target, given.name))
    match content:
        case bytes():
            path.write_bytes(content)
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "a link to itself":
            path.symlink_to(path)
        case "/dev/zero":
            path.symlink_to(content)


def attempt(batch: list[Input], top: Path) -> Iterator[Result]:
    """Use inputs in a process of their own, up to the first that ends or blocks it."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            _limit_memory()
            for given in batch:
                result = _use(given, top / "input-folder")
                line = json.dumps([result.outcome, result.detail[:2000]]) + "\n"
                os.write(writer, line.encode())
        except BaseException:
            traceback.print_exc()
        os._exit(0)  # without cleaning up what is the parent's
    os.close(writer)
    with os.fdopen(reader, "rb", 0) as lines:
        for _ in batch:
            ready, _, _ = select.select([lines], [], [], SECONDS)
            line = lines.readline() if ready else b""
            if not line:
                os.killpg(child, signal.SIGKILL)
                status = os.waitpid(child, 0)[1]
                yield Result("died", f"status {status}") if ready else Result("hang")
                return
            yield Result(*json.loads(line))
    os.waitpid(child, 0)


def _limit_memory() -> None:
    os.setpgid(0, 0)  # ffmpeg is ended with it
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + 3 * BYTES, size + 3 * BYTES))


def _use(given: Input, folder: Path) -> Result:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    lay_out(given, folder)
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # forget the most memory so far
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = _outcome(given, folder)
    if found := canary.reached(result.detail):
        return Result("leak", f"{found}; {result.detail}")
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    return Result("memory", f"{grown >> 20} MB; {result.detail}") if grown > BYTES else result


def _outcome(given: Input, folder: Path) -> Result:
    try:
        targets()[given.kind].use(folder, given.name)
    except JambaTalkError as error:
        text, cause = str(error), error.__cause__
        while cause is not None:
            if isinstance(cause, MemoryError) or "allocate memory" in str(cause):
                return Result("memory", f"{cause!r:.200}")
            cause = cause.__cause__
        parts = (Path(given.name).stem, folder.name, given.kind)  # a whole checkpoint may be meant
        named = not targets()[given.kind].is_named or any(part in text for part in parts)
        clear = named and error.cure and len(text) <= LONGEST and text.isprintable()
        return Result("refused" if clear else "vague", text)
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [f for f in frames if "/jambatalk/" in f.filename] or frames
        place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
        kind = "memory" if isinstance(error, MemoryError) else "traceback"
        return Result(kind, f"{place}: {type(error).__name__}: {str(error)[:300]}")
    return Result("made")


def _warm_up(folder: Path) -> None:
    """Use good files here, so that what they import is in every process forked from this one."""
    for kind, target in targets().items():
        for name in dict.fromkeys(target.hit):
            folder.mkdir()
            lay_out(Input(kind, name, "good", _good(target, name)), folder)
            target.use(folder, name)
            shutil.rmtree(folder)
    gc.freeze()  # or each process searches all of it for garbage


def try_all(count: int, seed: int, kind: str | None = None) -> Iterator[tuple[Input, Result]]:
    """Yield inputs with what became of them."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as top:
        _warm_up(Path(top, "good"))
        canary.prove()
        given = iter(inputs(count, seed, kind))
        left = list(islice(given, BATCH))
        while left:
            for result in attempt(left, Path(top)):
                yield left.pop(0), result
            left += islice(given, BATCH - len(left))


def main() -> int:
    """Print what became of the inputs; return 1 if any went wrong."""
    parser = argparse.ArgumentParser(description="Try damaged and hostile files.")
    parser.add_argument("count", type=int, nargs="?", default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", help=f"one of: {', '.join(targets())}")
    parser.add_argument("--show", action="store_true", help="print every input")
    options = parser.parse_args()
    sys.stdout.reconfigure(errors="backslashreplace", line_buffering=True)  # any name
    started, counts = time.perf_counter(), Counter[tuple[str, str]]()
    for given, result in try_all(options.count, options.seed, options.kind):
        counts[given.kind, result.outcome] += 1
        if options.show or result.outcome not in GOOD:
            print(f"{result.outcome}: {given.kind}, {given.name}, {given.what}: {result.detail}")
    outcomes = ["made", "refused", "vague", "traceback", "memory", "hang", "died", "leak"]
    print("| kind | " + " | ".join(outcomes) + " |")
    print("|---" * (len(outcomes) + 1) + "|")
    for kind in targets():
        print(f"| {kind} | " + " | ".join(str(counts[kind, o]) for o in outcomes) + " |")
    bad = sum(n for (_, outcome), n in counts.items() if outcome not in GOOD)
    print(f"{counts.total()} inputs in {time.perf_counter() - started:.0f} s, {bad} went wrong")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
