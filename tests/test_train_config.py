"""Training configurations: reading, overriding and checking."""

from pathlib import Path

import pytest
import yaml

from jambatalk.errors import ModelError
from jambatalk.model.config import JambaTalkConfig
from jambatalk.train.config_file import dump_config, load_config
from jambatalk.train.training_config import TrainingConfig, with_changes
from recipes.checkpoint.train import CONFIG
from recipes.checkpoint.training.recipe_config import RecipeConfig

CONFIGS = Path(__file__).parent.parent / "configs"


def load(folder: Path, text: str, *changes: str) -> TrainingConfig:
    path = folder / "run.yaml"
    path.write_text(text)
    return load_config(
        path,
        TrainingConfig,
        ["face={mesh: face.ply, lips: lips.pkl}", "data.folder=sets/voca", *changes],
    )


def test_configs_of_published_training_match_the_paper() -> None:
    vocaset, biwi = (
        load_config(CONFIGS / f"{name}.yaml", TrainingConfig) for name in ("vocaset", "biwi")
    )
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
def test_config_files_hold_only_what_differs_from_defaults(path: Path) -> None:
    config = load_config(path, TrainingConfig)
    for name, section in yaml.safe_load(path.read_text()).items():
        nested = isinstance(section, dict)
        own = getattr(config, name) if nested else config
        for key in section if nested else (name,):
            assert getattr(own, key) != type(own).__dataclass_fields__[key].default, key


def test_dumped_config_reads_back_equal(tmp_path: Path) -> None:
    for path in CONFIGS.glob("*.yaml"):
        config = load_config(path, TrainingConfig, ["accumulate=3", "patience=7"])
        (tmp_path / "all.yaml").write_text(dump_config(config))
        assert load_config(tmp_path / "all.yaml", TrainingConfig) == config


def test_yaml_quirks_of_numbers_and_no_are_handled(tmp_path: Path) -> None:
    # yaml itself takes 1e-4 for a text and `no` for False
    config = load(tmp_path, "optimizer: {learning_rate: 1e-4, clip: 2}\nprecision: no\n")
    assert (config.optimizer.learning_rate, config.optimizer.clip) == (1e-4, 2.0)
    assert config.precision == "no"
    assert load(tmp_path, "") == load(tmp_path, "network:\n")


def test_changes_override_the_file(tmp_path: Path) -> None:
    config = load(tmp_path, "epochs: 9\nworkers: 0", "epochs=5", "data.folder=/sets/voca")
    assert (config.epochs, config.data.folder, config.workers) == (5, Path("/sets/voca"), 0)
    with pytest.raises(ModelError, match="'epochs 5' does not change a key"):
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
            r"'optimizer.name' cannot be 'sgd'. Give one of adam, adamw, muon",
        ),
        ("optimizer: {weight_decay: 0.1}", r"belongs to AdamW"),
        ("epochs: 2.5", r"'epochs' cannot be 2.5. Give a whole number"),
        ("epochs: true", r"'epochs' cannot be True"),
        ("epochs: 0", r"'epochs' cannot be 0. Give a whole number, 1 or more"),
        ("loss: vocaset", r"'loss' cannot be 'vocaset'. Give keys and values"),
        ("network: {layout: voca}", r"'network.layout' cannot be 'voca'"),
        ("data: {set: tracks}", r"'loss.lip_features' cannot be 0.001. Set it to 0"),
        ("data: {crop: 1}", r"'data.crop' cannot be 1. Give a whole number, 2 or more"),
        ("{save: last, patience: 3}", r"'patience' cannot be"),
        ("batch: 8", r"different lengths do not fit into a batch of 8.*data.crop"),
        ("data: {", r"run.yaml. is not a configuration in YAML"),
    ],
)
def test_invalid_values_are_refused_with_a_cure(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        load(tmp_path, text)


def test_missing_keys_and_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    for text, message in (
        (
            "data: {folder: sets}",
            r"Triangles and lips of the vertices are not known.*FLAME_masks.pkl",
        ),
        ("data: {set: biwi}", r"lacks 'data.folder'"),
        ("epochs: 5", r"lacks 'data'"),
        ("[1, 2]", r"'the configuration' cannot be \[1, 2\]"),
    ):
        path.write_text(text)
        with pytest.raises(ModelError, match=message):
            load_config(path, TrainingConfig)
    with pytest.raises(ModelError, match=r"no file .*none.yaml"):
        load_config(tmp_path / "none.yaml", TrainingConfig)


def test_network_changes_apply_to_a_layout(tmp_path: Path) -> None:
    text = "network: {changes: {width: 64, layers: [mamba], encoder: {source: here}}}"
    base = JambaTalkConfig()
    changed = with_changes(base, load(tmp_path, text).network.changes)
    assert (changed.width, changed.layers, changed.encoder.source) == (64, ("mamba",), "here")
    assert (changed.fps, changed.encoder.kind) == (base.fps, base.encoder.kind)
    for wrong, near in (("widht", "width"), ("encoder: {sauce", "encoder.source")):
        closing = "}" if "{" in wrong else ""
        text = f"network: {{changes: {{{wrong}: 64{closing}}}}}"
        with pytest.raises(ModelError, match=rf"Is it 'network.changes.{near}'\?"):
            with_changes(base, load(tmp_path, text).network.changes)
    with pytest.raises(ModelError, match="heads"):
        with_changes(base, {"width": 63})


def test_recipe_config_checks_its_data() -> None:
    config = load_config(CONFIG, RecipeConfig)
    assert (config.epochs, config.save, config.data.crop) == (5, "last", 70)
    nothing = "data.shares={labelled: 0, grid: 0, people: 0, spliced: 0, facegood: 0, silence: 0}"
    for change, message in (
        (nothing, r"'data.shares' cannot be"),
        ("data.shares.grd=1", r"Is it 'data.shares.grid'"),
        ("data.set=vocaset", r"unknown key 'data.set'"),
        ("loss.letters=1", r"'loss.letters' cannot be"),
    ):
        with pytest.raises(ModelError, match=message):
            load_config(CONFIG, RecipeConfig, [change])
