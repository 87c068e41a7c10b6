"""Training configurations: short files, checked before anything is done."""

from pathlib import Path

import pytest
import yaml

from jambatalk.errors import ModelError
from jambatalk.model.config import JambaTalkConfig
from jambatalk.train.config_file import dump_config, load_config
from jambatalk.train.training_config import TrainingConfig

CONFIGS = Path(__file__).parent.parent / "configs"


def load(folder: Path, text: str, *changes: str) -> TrainingConfig:
    path = folder / "run.yaml"
    path.write_text(text)
    return load_config(
        path, ["face={mesh: face.ply, lips: lips.pkl}", "data.folder=sets/voca", *changes]
    )


def test_the_published_schedules() -> None:
    vocaset, biwi = (load_config(CONFIGS / f"{name}.yaml") for name in ("vocaset", "biwi"))
    for config, rate in ((vocaset, 1e-4), (biwi, 1e-5)):
        assert config.optimizer.name == "adam"
        assert config.optimizer.learning_rate == rate
        assert (config.optimizer.schedule, config.optimizer.clip) == ("constant", 1.0)
        assert (config.batch, config.accumulate, config.epochs) == (1, 1, 100)
        loss = config.loss
        assert (loss.vertices, loss.velocity) == (1000, 1000)
        assert (loss.lip_features, loss.letters) == (0.001, 0.0001)
    assert (vocaset.data.set, vocaset.network.layout) == ("vocaset", "vocaset")
    assert (biwi.data.set, biwi.network.layout) == ("biwi", "biwi")
    assert biwi.face.lips == Path("data/biwi/BIWI_lip.pkl")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_config_holds_only_what_differs(path: Path) -> None:
    config = load_config(path)
    for name, section in yaml.safe_load(path.read_text()).items():
        nested = isinstance(section, dict)
        own = getattr(config, name) if nested else config
        for key in section if nested else (name,):
            assert getattr(own, key) != type(own).__dataclass_fields__[key].default, key


def test_a_config_survives_being_written(tmp_path: Path) -> None:
    for path in CONFIGS.glob("*.yaml"):
        config = load_config(path, ["precision=bf16", "keep=best", "patience=7"])
        (tmp_path / "all.yaml").write_text(dump_config(config))
        assert load_config(tmp_path / "all.yaml") == config


def test_numbers_mean_what_they_look_like(tmp_path: Path) -> None:
    # yaml itself takes 1e-4 for a text and `no` for False
    config = load(tmp_path, "optimizer: {learning_rate: 1e-4, clip: 2}\nprecision: no\n")
    assert (config.optimizer.learning_rate, config.optimizer.clip) == (1e-4, 2.0)
    assert config.precision == "no"
    assert load(tmp_path, "") == load(tmp_path, "network:\n")


def test_values_from_the_command_line_come_first(tmp_path: Path) -> None:
    config = load(tmp_path, "epochs: 9\ndata: {workers: 0}", "epochs=5", "data.folder=/sets/voca")
    assert (config.epochs, config.data.folder, config.data.workers) == (5, Path("/sets/voca"), 0)
    with pytest.raises(ModelError, match="'epochs 5' is no change"):
        load(tmp_path, "", "epochs 5")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch: 5", r"unknown key 'epoch'. Is it 'epochs'\?"),
        (
            "optimizer: {learnin_rate: 1}",
            r"'optimizer.learnin_rate'. Is it 'optimizer.learning_rate'\?",
        ),
        ("loss: {xyzzy: 1}", r"'loss.xyzzy'. There are vertices, velocity"),
        ("optimizer: {learning_rate: fast}", r"'optimizer.learning_rate' cannot be 'fast'"),
        ("optimizer: {learning_rate: -1}", r"'optimizer.learning_rate' cannot be -1.0"),
        (
            "optimizer: {name: sgd}",
            r"'optimizer.name' cannot be 'sgd'. Choose one of adam, adamw, muon",
        ),
        ("optimizer: {weight_decay: 0.1}", r"belongs to AdamW"),
        ("epochs: 2.5", r"'epochs' cannot be 2.5. Give a whole number"),
        ("epochs: true", r"'epochs' cannot be True"),
        ("epochs: 0", r"'epochs' cannot be 0. Give 1 or more"),
        ("loss: vocaset", r"'loss' cannot be 'vocaset'. Give keys and values"),
        ("network: {layout: voca}", r"'network.layout' cannot be 'voca'"),
        ("data: {set: tracks}", r"'loss.lip_features' cannot be 0.001. Set it to 0"),
        ("data: {cut: 1}", r"'data.cut' cannot be 1. Give 2 or more"),
        ("{keep: last, patience: 3}", r"'patience' cannot be"),
        ("data: {set: bundled, cut: 70}", r"'data.shares' cannot be"),
        ("data: {set: bundled, cut: 70, shares: {grd: 1}}", r"Is it 'data.shares.grid'"),
        ("batch: 8", r"different length do not fit into a batch of 8.*data.cut"),
        ("data: {", r"run.yaml is no YAML"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        load(tmp_path, text)


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    for text, message in (
        ("data: {folder: sets}", r"not known how the vertices are connected.*FLAME_masks.pkl"),
        ("data: {set: biwi}", r"lacks 'data.folder'"),
        ("epochs: 5", r"lacks 'data'"),
        ("[1, 2]", r"'the configuration' cannot be \[1, 2\]"),
    ):
        path.write_text(text)
        with pytest.raises(ModelError, match=message):
            load_config(path)
    with pytest.raises(ModelError, match=r"none.yaml cannot be opened"):
        load_config(tmp_path / "none.yaml")


def test_layouts_can_be_changed(tmp_path: Path) -> None:
    text = "network: {changes: {width: 64, layers: [mamba], encoder: {source: here}}}"
    network = load(tmp_path, text).network
    base = JambaTalkConfig()
    changed = network.changed(base)
    assert (changed.width, changed.layers, changed.encoder.source) == (64, ("mamba",), "here")
    assert (changed.fps, changed.encoder.kind) == (base.fps, base.encoder.kind)
    for wrong, near in (("widht", "width"), ("encoder: {sauce", "encoder.source")):
        closing = "}" if "{" in wrong else ""
        text = f"network: {{changes: {{{wrong}: 64{closing}}}}}"
        with pytest.raises(ModelError, match=rf"Is it 'network.changes.{near}'\?"):
            load(tmp_path, text).network.changed(base)
    with pytest.raises(ModelError, match="heads"):
        load(tmp_path, "network: {changes: {width: 63}}").network.changed(base)
