"""Files that appear under their names once they are whole, and folders that last as long as a task.

What is under way bears a name of ours and is locked by its process. The system takes the lock back
when a process ends, however it ends, so whoever comes next can tell what a dead one has left, and
removes it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EISDIR
from pathlib import Path
from uuid import uuid4

from jambatalk.errors import JambaTalkError

try:
    import fcntl
except ImportError:  # Windows, which removes no file that a process holds open
    fcntl = None  # type: ignore[assignment]

PREFIX = ".jambatalk-"
WHERE = "Choose a name in a folder that you may write to, and check the disk's free space."
ROOM = "Free some disk space, or set TMPDIR to another folder."


@contextmanager
def whole_file(path: str | Path, error: type[JambaTalkError]) -> Iterator[Path]:
    """Give the path of an empty file beside `path`, which takes that name at the end.

    Whoever else writes the same name does not get in between: the last one stays. If anything
    fails, the file is removed and what was there before is left as it was.

    Args:
        path: missing folders are created.
        error: class of the error to raise.

    Raises:
        JambaTalkError: of class `error`, where the file cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(EISDIR, "there is a folder of that name")
        unfinished = Unfinished(path.parent, path.suffix)
        try:
            yield unfinished.path
            unfinished.publish(path)
        finally:
            unfinished.remove()
    except BrokenPipeError:  # of whoever is told the progress: no file is a pipe
        raise
    except OSError as cause:
        raise error(f"'{path}' cannot be written ({cause.strerror}).", WHERE) from cause


@contextmanager
def scratch_folder(error: type[JambaTalkError]) -> Iterator[Path]:
    """Give a new folder among the system's temporary ones, and remove it at the end.

    Args:
        error: class of the error to raise.

    Raises:
        JambaTalkError: of class `error`, where it cannot be made.
    """
    try:
        top = Path(tempfile.gettempdir())
        sweep(top)
        folder, lock = _reserve_folder(top)
    except OSError as cause:
        raise error(f"There is no room for temporary files ({cause.strerror}).", ROOM) from cause
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


class Unfinished:
    """A new, empty file, locked until it is removed or takes its name.

    What dead processes have left in its folder is removed.

    Args:
        suffix: that its name is given.
        mode: permissions, less those that the user's mask takes.

    Attributes:
        path, file: where it is, and open to write to.

    Raises:
        OSError: it cannot be created.
    """

    def __init__(self, folder: Path, suffix: str = "", mode: int = 0o666) -> None:
        sweep(folder)
        while True:
            self.path = folder / f"{PREFIX}{uuid4().hex}{suffix}"
            lock = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
            self.file = os.fdopen(lock, "wb", 0)
            _lock(lock)
            if self.path.exists():
                return
            self.file.close()  # another process has swept it before it was locked

    def publish(self, path: Path) -> None:
        """Give the file its name."""
        os.fsync(self.file.fileno())  # some disks say only now that they are full
        if fcntl is None:
            self.file.close()
        self.path.replace(path)

    def remove(self) -> None:
        """Remove the file, unless it has its name; Windows refuses while others have it open."""
        if fcntl is None:
            self.file.close()
        with suppress(PermissionError):
            self.path.unlink(missing_ok=True)
        self.file.close()


def sweep(folder: Path) -> None:
    """Remove what dead processes have left under way in a folder."""
    for path in folder.glob(f"{PREFIX}*"):
        with suppress(OSError):  # in use, another user's, or already gone
            if fcntl is None:
                path.unlink()
            else:
                _remove_unlocked(path)


def _remove_unlocked(path: Path) -> None:
    is_folder = path.is_dir()
    lock = os.open(path, os.O_NOFOLLOW | (os.O_RDONLY if is_folder else os.O_RDWR))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_folder:
            shutil.rmtree(path)
        else:
            path.unlink()
    finally:
        os.close(lock)


def _reserve_folder(top: Path) -> tuple[Path, int | None]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=top))
        if fcntl is None:
            return folder, None
        with suppress(FileNotFoundError):  # swept by another process before it was locked
            lock = os.open(folder, os.O_RDONLY)
            _lock(lock)
            if folder.exists():
                return folder, lock
            os.close(lock)


def _lock(descriptor: int) -> None:
    if fcntl is not None:
        with suppress(OSError):  # a disk without locks, on which nobody sweeps
            fcntl.flock(descriptor, fcntl.LOCK_EX)
