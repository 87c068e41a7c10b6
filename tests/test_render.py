"""Rendering of frames, in one clip and in several at once."""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.ndimage import gaussian_filter

from jambatalk.errors import RenderError
from jambatalk.face.face import Face
from jambatalk.face.library import load_head
from jambatalk.render import worker_pool
from jambatalk.render.frames import draw_frames
from jambatalk.render.opengl import PACKAGES, backends
from jambatalk.render.view import View
from jambatalk.render.worker_pool import RenderWorker, render_workers

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")

SKIN, BLUE = (205, 150, 125), (30, 60, 200)
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def ball() -> Face:
    """A ball as large as a head, blue on its own left."""
    mesh = trimesh.creation.icosphere(3, 0.1)
    template = mesh.vertices.astype(np.float32)
    colors = np.where(template[:, :1] > 0.02, np.uint8(BLUE), np.uint8(SKIN))
    return Face(
        name="ball",
        template=template,
        triangles=mesh.faces.astype(np.int32),
        colors=colors,
        gloss=np.full(len(template), 0.3, np.float32),
        blendshapes=(),
        deltas=np.zeros((0, len(template), 3), np.float32),
        regions={},
        landmarks={},
    )


@pytest.fixture(scope="module")
def head() -> Face:
    return load_head(1)


def picture(face: Face, view: View, **weights: float) -> np.ndarray:
    """Draw the face with some blendshapes at some weights."""
    moved = (weight * face.deltas[face.blendshapes.index(name)] for name, weight in weights.items())
    (frame,) = draw_frames(face, [sum(moved, face.template)], view)
    return frame


def drawn(frame: np.ndarray) -> np.ndarray:
    """Return where `frame` is not background."""
    return (frame != frame[0, 0]).any(-1)


def test_head_fills_the_picture(head):
    view = View(size=256)
    frame = picture(head, view)
    assert frame.shape == (256, 256, 3)
    assert frame.dtype == np.uint8
    rows, columns = np.nonzero(drawn(frame))
    assert abs(columns.mean() - 127.5) < 3
    assert 10 < rows.min() < 50, "a little room above the head"
    assert rows.max() == 255, "the neck is cut off by the edge"
    face = frame[drawn(frame)].astype(int)
    assert (face.max(-1) > 250).mean() < 0.001, "only glints in the eyes are overexposed"
    assert (face.max(-1) > 8).all(), "nothing is pure black"
    assert face.std() > 20, "light and shade"


def test_edges_are_as_smooth_as_with_sixteen_times_the_pixels(head):
    open_mouth = {"jawOpen": 0.3, "mouthFunnel": 0.2}
    frame = picture(head, View(size=512), **open_mouth).astype(float).mean(-1)
    large = picture(head, View(size=2048), **open_mouth).astype(float).mean(-1)
    many = large.reshape(512, 4, 512, 4).mean((1, 3))

    def similarity(one: np.ndarray, other: np.ndarray) -> float:
        """Return SSIM (Wang et al. 2004) with a Gaussian window of 1.5 pixels."""
        smooth = partial(gaussian_filter, sigma=1.5)
        a, b = smooth(one), smooth(other)
        aa, bb, ab = smooth(one**2) - a**2, smooth(other**2) - b**2, smooth(one * other) - a * b
        c, d = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        return float(((2 * a * b + c) * (2 * ab + d) / (a**2 + b**2 + c) / (aa + bb + d)).mean())

    assert similarity(frame, many) > 0.99
    assert similarity(np.roll(frame, 1, 1), many) < 0.985, "the picture is not shifted"


def test_heads_of_any_size_are_framed_alike(head):
    def span(face: Face) -> tuple[int, int]:
        frame = picture(face, View(size=128))
        rows = np.nonzero(drawn(frame).any(1))[0]
        return rows.min(), rows.max()

    child = replace(head, template=head.template * np.float32(0.7), deltas=head.deltas * 0.7)
    assert np.abs(np.subtract(span(child), span(head))).max() <= 1


def test_equal_frames_give_equal_pictures(ball):
    first, second = draw_frames(ball, [ball.template] * 2, View(size=128))
    assert (first == second).all()
    assert (picture(ball, View(size=128)) == first).all()


def test_picture_follows_the_vertices(ball):
    small, large = draw_frames(ball, [ball.template * 0.5, ball.template], View(size=128))
    assert drawn(large).sum() / drawn(small).sum() == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("at_once", ["threads", "turns"])
def test_clips_drawn_at_once_are_independent(ball, head, at_once):
    clips = [
        (ball, [ball.template * size for size in np.linspace(0.3, 1, 6)], View(size=128)),
        (head, [head.template] * 6, View(size=96, yaw=30, background="#ffffff")),
        (head, [head.template * size for size in (1, 0.8, 1, 0.9, 1, 0.7)], View(size=128)),
    ]
    alone = [list(draw_frames(*clip)) for clip in clips]
    if at_once == "threads":
        with ThreadPoolExecutor(3) as threads:
            together = list(threads.map(lambda clip: list(draw_frames(*clip)), clips))
    else:
        together = list(
            zip(*zip(*(draw_frames(*clip) for clip in clips), strict=True), strict=True)
        )
    for one, other in zip(alone, together, strict=True):
        assert all((a == b).all() for a, b in zip(one, other, strict=True))


def test_clip_can_be_closed_before_its_end(ball):
    frames = draw_frames(ball, (ball.template for _ in range(1000)), View(size=64))
    first = next(frames)
    frames.close()
    assert (picture(ball, View(size=64)) == first).all()


def test_yaw_turns_the_camera_to_the_heads_left(ball):
    def middle(yaw: float) -> np.ndarray:
        return picture(ball, View(size=64, yaw=yaw))[28:36, 28:36].mean((0, 1))

    left, right = middle(90), middle(-90)
    assert left[2] > left[0] + 50, "blue"
    assert right[0] > right[2] + 50, "skin"


def test_camera_rises_and_comes_closer(ball):
    def share(**camera: float) -> float:
        return drawn(picture(ball, View(size=64, **camera))).mean()

    assert share(zoom=2) > 2 * share()
    above, below = (picture(ball, View(size=64, pitch=pitch)).astype(int) for pitch in (30, -30))
    assert np.abs(above - below).max() > 20
    for wrong in ({"pitch": 31}, {"zoom": 0.5}, {"zoom": float("nan")}):
        with pytest.raises(RenderError):
            View(**wrong)


def test_background_size_and_shading_take_effect(ball):
    frame = picture(ball, View(size=200, background="#12a0F3"))
    assert frame.shape == (200, 200, 3)
    assert tuple(frame[0, 0]) == (0x12, 0xA0, 0xF3)
    clay = picture(ball, View(size=200, shading="clay"))
    color = clay[drawn(clay)].astype(int)
    assert (color.max(-1) - color.min(-1)).max() < 50, "no skin and no blue"


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 63},
        {"size": 62},
        {"size": 4096},
        {"size": 512.0},
        {"background": "red"},
        {"background": "#12345"},
        {"yaw": 91},
        {"yaw": float("nan")},
        {"shading": "glass"},
        {"light": "candle"},
    ],
)
def test_invalid_view_is_rejected(wrong):
    with pytest.raises(RenderError, match=r"Choose|Write"):
        View(**wrong)


def test_frame_that_does_not_fit_is_rejected(ball):
    for frame in (ball.template[:-1], ball.template.ravel(), ball.template * np.nan):
        with pytest.raises(RenderError, match="vertices"):
            list(draw_frames(ball, [frame], View(size=64)))


def test_open_mouth_is_visible_and_has_an_inside(head):
    view = View(size=256, background="#00ff00")
    closed, half, wide = (picture(head, view, jawOpen=jaw) for jaw in (0, 0.3, 0.7))
    corners = head.template[head.landmarks["mouth_corners"]]
    nose = head.template[head.landmarks["nose_tip"]]
    assert nose[0, 1] > corners[:, 1].max()
    changed = (np.abs(wide.astype(int) - closed) > 25).any(-1)
    rows, columns = np.nonzero(changed)
    assert len(rows) > 300
    assert np.percentile(rows, 5) > 128, "below the eyes"
    assert abs(columns.mean() - 128) < 8
    for frame in (closed, half, wide):
        outline = drawn(frame)
        green = (frame[..., 1].astype(int) - frame[..., [0, 2]].max(-1)) > 60
        for row in range(
            100, 220
        ):  # between the outermost points of the face nothing shows through
            inside = np.nonzero(outline[row])[0]
            assert not green[row, inside.min() + 30 : inside.max() - 30].any()


def script(code: str, **environment: str) -> subprocess.CompletedProcess:
    code = f"import numpy as np\nfrom jambatalk.face.library import load_head\n{code}"
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


DRAW = """
from jambatalk.render.frames import draw_frames
from jambatalk.render.view import View
from jambatalk.errors import RenderError
head = load_head(1)
def go():
    try:
        print("drawn", int(next(draw_frames(head, [head.template], View(size=64))).mean()))
    except RenderError as error:
        print(error)
go()
"""


@linux
def test_error_without_opengl_names_the_packages(tmp_path):
    for library in ("EGL", "OSMesa", "GL", "OpenGL"):
        for version in ("", *(f".{number}" for number in range(10))):
            (tmp_path / f"lib{library}.so{version}").write_text("not a library")
    environment = {name: value for name, value in os.environ.items() if "OPENGL" not in name}
    done = script(DRAW, LD_LIBRARY_PATH=str(tmp_path), PYOPENGL_PLATFORM="", **environment)
    assert "drawn" not in done.stdout
    manager = next((name for name in ("apt-get", "dnf") if shutil.which(name)), "")
    for packages in PACKAGES.values():
        assert packages.get(manager, "library") in done.stdout
    assert "libEGL" in done.stdout or "libGL" in done.stdout
    assert not done.stderr


@linux
@pytest.mark.parametrize("backend", PACKAGES)
def test_requested_backend_is_used(backend):
    done = script(DRAW, PYOPENGL_PLATFORM=backend)
    if "missing" in done.stdout:
        pytest.skip(done.stdout)
    assert done.stdout.startswith("drawn"), done.stdout + done.stderr


@linux
def test_unknown_backend_is_rejected():
    assert "Unset it" in script(DRAW, PYOPENGL_PLATFORM="glx").stdout


@linux
def test_forked_process_draws():
    forked = "import os\nsys.stdout.flush()\nchild = os.fork()\nif child:\n os.wait()\nelse:\n go()"
    done = script(f"{DRAW}\nimport sys\n{forked}")
    assert done.stdout.count("drawn") == 2, done.stdout + done.stderr


def test_dead_worker_is_reported_and_replaced(ball):
    view = View(size=64)
    first = picture(ball, view)
    frames = draw_frames(ball, (ball.template * np.float32(1 - k / 1e4) for k in range(1000)), view)
    next(frames)
    for worker in render_workers():
        worker.process.kill()
        worker.process.wait()
    with pytest.raises(RenderError, match="died"):
        list(frames)
    assert (picture(ball, view) == first).all()


def test_worker_finishes_requests_before_it_stops(monkeypatch):
    monkeypatch.setattr(worker_pool, "STOP_SECONDS", 60)  # the machine may be busy
    worker = RenderWorker(backends()[0])
    started = worker._started
    worker.close()  # while OpenGL is being opened
    worker.join()
    assert started.result() is None
    with pytest.raises(RenderError, match="has ended"):
        worker.submit("close", 0)
    assert worker.process.returncode == 0


def test_hanging_worker_is_killed(monkeypatch):
    monkeypatch.setattr(worker_pool, "REQUEST_SECONDS", 0.5)
    monkeypatch.setattr(worker_pool, "STOP_SECONDS", 0.2)
    monkeypatch.setattr(worker_pool, "PROGRAM", "import time; time.sleep(1000)")
    worker = RenderWorker("egl")
    with pytest.raises(RenderError, match="did not answer"):
        worker.wait_started()
    assert not worker.works
    worker.close()
    worker.join()
    unasked = RenderWorker("egl")
    unasked._watchdog.close()
    unasked.join()
    assert unasked.process.returncode < 0


@linux
def test_workers_end_when_the_program_is_killed(tmp_path):
    code = f"{DRAW}\nfrom jambatalk.render.worker_pool import render_workers\n"
    code += "print(*(worker.process.pid for worker in render_workers()), flush=True)\n"
    code += "import os; os.kill(os.getpid(), 9)"
    numbers = script(code).stdout.split()[2:]
    assert numbers
    for _ in range(50):
        alive = [
            n
            for n in numbers
            if Path(f"/proc/{n}").exists()
            and "Z" not in Path(f"/proc/{n}/stat").read_text().rsplit(")")[1].split()[0]
        ]
        if not alive:
            break
        time.sleep(0.1)
    assert not alive


def test_program_can_end_during_a_clip():
    done = script(
        f"{DRAW}\nframes = draw_frames(head, [head.template] * 9, View(size=64))\nnext(frames)"
    )
    assert done.returncode == 0
    assert done.stderr == ""


def test_import_is_light():
    done = script(
        "import sys, jambatalk.render\n"
        "print({'pyrender', 'OpenGL', 'trimesh', 'scipy', 'PIL'} & set(sys.modules))"
    )
    assert done.stdout.strip() == "set()", done.stdout + done.stderr
