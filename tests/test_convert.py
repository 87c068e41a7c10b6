"""Published weights in, our checkpoint out."""

import json
import os
import pickle
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
from paper_files import VERTICES, WAV2VEC2, UserFiles, write_files

from jambatalk import Motion, Speech, TalkingHead
from jambatalk.cli import main
from jambatalk.errors import ModelError
from jambatalk.networks.conversion import Conversion
from jambatalk.networks.convert import convert
from jambatalk.paper.layouts import LAYOUTS
from jambatalk.paper.lip_reader import LipReadingNetwork
from jambatalk.paper.paper_weights import to_our_name

VOICE = Path(__file__).parent.parent / "assets" / "voices" / "pico_en.wav"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, UserFiles]:
    folders = {layout: tmp_path_factory.mktemp(layout) for layout in LAYOUTS}
    # BIWI's coordinates are in other units
    return {
        layout: write_files(folder, layout, unit=1.0 if layout == "vocaset" else 0.001)
        for layout, folder in folders.items()
    }


@pytest.fixture(scope="module")
def checkpoints(files: dict, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("checkpoints")
    for layout, given in files.items():
        training = ["--for-training"] if layout == "biwi" else []
        assert main([*given.arguments(layout), "-o", str(folder / layout), *training]) == 0
    return {layout: folder / layout for layout in files}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_converted_checkpoint_animates(
    layout: str, checkpoints: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = ["--checkpoint", str(checkpoints[layout])]
    assert main(["list", *chosen]) == 0
    assert "wei" in capsys.readouterr().out
    saved, video = tmp_path / "motion.npz", tmp_path / "video.mp4"
    assert main(["animate", str(VOICE), "-o", str(saved), "--head", "wei", *chosen]) == 0
    motion = Motion.load(saved)
    assert motion.offsets.shape == (len(motion), VERTICES, 3)
    assert np.abs(motion.lip_aperture()).max() < 0.02
    assert 0.02 < motion.lip_width()[0] < 0.08
    other = ["--head", "mara", "--size", "64", *chosen]
    assert main(["draw", str(saved), "-o", str(video), *other]) == 0
    assert video.stat().st_size > 5000
    again = tmp_path / "again.npz"
    assert main(["animate", str(VOICE), "-o", str(again), "--head", "2", *chosen]) == 0
    np.testing.assert_array_equal(Motion.load(again).offsets, motion.offsets)


def test_offsets_are_metres_in_any_unit(checkpoints: dict) -> None:
    talking_heads = {n: TalkingHead.from_pretrained(path) for n, path in checkpoints.items()}
    assert [t.model.config.unit for t in talking_heads.values()] == [1.0, 0.001]
    metres, millimetres = (t.heads.load("wei").template for t in talking_heads.values())
    np.testing.assert_allclose(metres, millimetres, atol=1e-6)
    speech = Speech.read(VOICE)
    model = talking_heads["biwi"].model
    features = model.encode(speech)
    with torch.inference_mode():
        raw = model.decoder(features[None])[0]
    offsets = talking_heads["biwi"].animate(speech).offsets.reshape(len(features), -1)
    np.testing.assert_allclose(offsets, 0.001 * raw, rtol=1e-5, atol=1e-9)


def test_converted_checkpoint_is_complete(checkpoints: dict) -> None:
    names = {path.name for path in checkpoints["vocaset"].iterdir()}
    assert names == {
        "config.json",
        "model.safetensors",
        "encoder.safetensors",
        "README.md",
        "heads",
    }
    card = (checkpoints["vocaset"] / "README.md").read_text()
    assert "CC BY-NC 4.0" in card
    heads = TalkingHead.from_pretrained(checkpoints["vocaset"]).heads
    assert heads.names == ["mara", "wei"]
    assert heads.thumbnail("mara").stat().st_size > 1000


def test_lip_reader_is_converted_for_training(checkpoints: dict, files: dict) -> None:
    network = LipReadingNetwork.from_pretrained(checkpoints["biwi"]).train()
    assert not network.text_encoder.training
    samples = Speech.read(VOICE).samples[:32000]
    features = network.model.encoder(samples)
    template = torch.zeros(1, 3 * VERTICES)
    vertices, output = network(features[None], torch.from_numpy(samples)[None], template)
    assert len(features) == 49
    assert output.lip_features.shape == output.text_features.shape == (1, 98, 32)
    assert output.lip_logits.shape == (1, 98, 33)
    vertices.square().mean().backward()
    assert network.model.encoder.model.encoder.layer_norm.weight.grad is not None
    assert network.lip_reader.lips.tolist() == pickle.loads(files["biwi"].lip_mask.read_bytes())
    with pytest.raises(ModelError, match="no file"):
        LipReadingNetwork.from_pretrained(checkpoints["vocaset"])


def test_old_names_of_normalised_weights_are_accepted() -> None:
    conv = "audio_encoder.encoder.pos_conv_embed.conv"
    assert to_our_name(f"{conv}.weight_g") == to_our_name(
        f"{conv}.parametrizations.weight.original0"
    )
    assert to_our_name(f"{conv}.weight_v") == to_our_name(
        f"{conv}.parametrizations.weight.original1"
    )


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return the message, one line, of a command that must fail."""
    assert main(arguments) == 1
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    return message


def test_unfit_weights_are_refused_by_name(
    files: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = replace(files["vocaset"], weights=tmp_path / "net.pth")
    state = torch.load(files["vocaset"].weights, weights_only=True)
    state["stranger"] = state.pop("mamba.A_log")
    state["lm_head.bias"] = state["lm_head.bias"][:5]
    torch.save(state, given.weights)
    message = refused([*given.arguments("vocaset"), "-o", str(tmp_path / "out")], capsys)
    assert "missing mamba.A_log;" in message
    assert "unexpected stranger;" in message
    assert "lm_head.bias (5,) instead of (33,)" in message
    # the other layout's encoder is half as wide to its decoder
    message = refused([*files["biwi"].arguments("vocaset"), "-o", str(tmp_path / "out")], capsys)
    assert "64" in message
    assert not (tmp_path / "out").exists()


class Malicious:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.trace),)


@pytest.mark.parametrize("which", ["weights", "lip_mask", "templates"])
def test_code_in_pickles_is_not_executed(
    which: str, files: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace, bad = tmp_path / "trace", tmp_path / "bad.pkl"
    if which == "weights":
        torch.save({"mamba.A_log": Malicious(trace)}, bad)
    else:
        bad.write_bytes(pickle.dumps({"lips": Malicious(trace)}))
    given = replace(files["vocaset"], **{which: bad})
    message = refused([*given.arguments("vocaset"), "-o", str(tmp_path / "out")], capsys)
    assert "bad.pkl" in message
    assert "mkdir" in message  # the function in the pickle
    assert not trace.exists()


@pytest.mark.parametrize(
    ("which", "layout", "origin"),
    [
        ("weights", "vocaset", "CC BY-NC"),
        ("lip_mask", "vocaset", "flame.is.tue.mpg.de"),
        ("templates", "vocaset", "voca.is.tue.mpg.de"),
        ("mesh", "biwi", "data.vision.ee.ethz.ch"),
    ],
)
def test_missing_file_is_reported_with_its_origin(
    which: str, layout: str, origin: str, files: dict, capsys: pytest.CaptureFixture[str]
) -> None:
    given = replace(files[layout], **{which: Path("nowhere.bin")})
    message = refused([*given.arguments(layout), "-o", "out"], capsys)
    assert "nowhere.bin" in message
    assert origin in message


def test_mismatched_files_are_refused(
    files: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = count()

    def conversion(**changed: Path) -> list[str]:
        given = replace(files["vocaset"], **changed)
        return [*given.arguments("vocaset"), "-o", str(tmp_path / f"out{next(numbers)}")]

    (mask := tmp_path / "mask.pkl").write_bytes(pickle.dumps({"lips": np.arange(30)}))
    assert "30 vertices; the weights were trained with" in refused(
        conversion(lip_mask=mask), capsys
    )
    mask.write_bytes(pickle.dumps({"lips": np.arange(VERTICES, VERTICES + 30)}))
    assert "not those of a mesh" in refused(conversion(lip_mask=mask), capsys)
    (subjects := tmp_path / "t.pkl").write_bytes(pickle.dumps({"anna": np.zeros((9, 3))}))
    assert "'anna' has 9 vertices" in refused(conversion(templates=subjects), capsys)
    (mesh := tmp_path / "t.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    assert "vertices" in refused(conversion(mesh=mesh, templates=mesh), capsys)
    mesh.write_text("v 0 0 0\nf 1 2 3\n")
    assert "not a triangle mesh" in refused(conversion(mesh=mesh), capsys)


def test_weights_of_the_other_layout_are_recognised(
    files: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for mine, other in (("vocaset", "biwi"), ("biwi", "vocaset")):
        arguments = [*files[mine].arguments(other), "-o", str(tmp_path / "out")]
        assert "Give the other one of --layout" in refused(arguments, capsys)


def test_small_encoder_needs_its_configuration(files: dict, tmp_path: Path) -> None:
    given = files["vocaset"]
    job = Conversion([given.weights], "vocaset", lip_mask=given.lip_mask, template=given.mesh)
    with pytest.raises(ModelError, match="--encoder-config"):
        convert(job, tmp_path / "out")
    assert WAV2VEC2["hidden_size"] == 32


def test_page_shows_the_heads_of_the_checkpoint(checkpoints: dict) -> None:
    pytest.importorskip("gradio")
    from jambatalk.app.inputs import head_thumbnails_css
    from jambatalk.app.page import build_page
    from jambatalk.app.settings import Settings
    from jambatalk.app.video_service import VideoService

    talking_head = TalkingHead.from_pretrained(checkpoints["vocaset"])
    service = VideoService(talking_head, Settings())
    page = json.dumps(build_page(service).get_config_file(), default=str)
    assert '"wei"' in page
    assert "kofi" not in page
    assert "Compare styles" not in page  # there is one
    assert 'value="mara"' in head_thumbnails_css(talking_head.heads)
