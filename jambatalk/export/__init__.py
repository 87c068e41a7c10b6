"""Motion for other programs: one file a format, chosen by the suffix."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from jambatalk.errors import ExportError
from jambatalk.export.arkit import write_csv, write_json
from jambatalk.export.glb import write_glb
from jambatalk.export.npy import write_npy
from jambatalk.export.obj import write_obj

if TYPE_CHECKING:
    from jambatalk.motion.motion import Motion

FORMATS: dict[str, Callable[[Motion, Path], object]] = {
    ".glb": write_glb,
    ".csv": write_csv,
    ".json": write_json,
    ".npz": lambda motion, path: motion.save(path),
    ".npy": write_npy,
    ".zip": write_obj,
}


def write(motion: Motion, path: str | Path) -> Path:
    """What :meth:`jambatalk.Motion.export` does.

    Until it is complete the file has another name; it is removed if anything fails.
    """
    path = Path(path)
    check_name(path)
    if not len(motion):
        raise ExportError("The motion has no frames.")
    unfinished = path.with_name(f".{uuid4().hex}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        FORMATS[path.suffix.lower()](motion, unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise ExportError(
            f"'{path}' cannot be written ({error.strerror}).",
            "Choose a name in a folder that you may write to, and check the disk's free space.",
        ) from error
    finally:
        with suppress(OSError):  # where it could not be written it need not be removed
            unfinished.unlink()
    return path


def check_name(path: Path) -> None:
    """Raises an ExportError if there is no format of that suffix."""
    if path.suffix.lower() not in FORMATS:
        raise ExportError(
            f"'{path}' is not a name for a motion.", f"End it with {', '.join(FORMATS)}."
        )
