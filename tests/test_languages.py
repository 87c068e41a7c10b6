"""The page's dictionaries: nothing that a visitor reads is left out of them."""

import ast
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from jambatalk import Motion, Speech, TalkingHead
from jambatalk.app import languages, video_service
from jambatalk.app.folder import FULL
from jambatalk.app.orders import FAILED
from jambatalk.app.page import build_page
from jambatalk.app.settings import Settings
from jambatalk.app.video_service import VideoService
from jambatalk.errors import JambaTalkError
from jambatalk.face.library import load_head
from jambatalk.motion.captured import beside
from jambatalk.motion.mood.tags import read_tags
from jambatalk.voices import clean_text

APP = Path(languages.__file__).parent
DICTIONARIES = {
    path.stem: json.loads(path.read_text("utf-8")) for path in languages.DICTIONARIES.glob("*.json")
}
GERMAN = DICTIONARIES["de"]
GAP = re.compile(r"\{\w+\}")
NAMES = re.compile(r"JambaTalk|John F\. Kennedy|English|Deutsch|Español|Français|Italiano|.* · .*")
MESSAGES = {
    "validate",
    "Refused",
    "Sentence",
    "HTTPException",
    "Error",
    "Warning",
    "showStatus",
    "progress",
    "_close_with_error",
}
# What a programmer sees, in tools and in addresses that no page asks for.
PROGRAMMERS = {"settings.py", "metrics.py", "health.py", "components.py"}


def pattern(text: str) -> re.Pattern[str]:
    return re.compile(".+?".join(re.escape(part) for part in GAP.split(text)), re.DOTALL)


PATTERNS = [pattern(text) for text in GERMAN if GAP.search(text)]


def is_known(text: str) -> bool:
    """Whether a text, or each of its sentences, can be translated, as translate.js does it."""
    sentences = [text, *re.split(r"(?<=[.!?]) (?=\S)", text)]
    known = [each in GERMAN or any(p.fullmatch(each) for p in PATTERNS) for each in sentences]
    return known[0] or all(known[1:])


def unknown(texts: Iterator[str]) -> set[str]:
    """The texts that cannot be translated, of those that hold words and are no names."""
    stripped = {text.strip() for text in texts}
    return {
        text
        for text in stripped
        if re.search(r"[a-zA-Z]{2}", text) and not NAMES.fullmatch(text) and not is_known(text)
    }


@pytest.mark.parametrize("language", ["de", "es", "fr", "ja", "zh-CN"])
def test_dictionaries_are_complete(language: str) -> None:
    dictionary = DICTIONARIES[language]
    assert set(dictionary) == set(GERMAN)
    for text, translation in dictionary.items():
        assert set(GAP.findall(text)) == set(GAP.findall(translation)), text
        assert translation.strip() == translation != ""
    sentences = [text for text in dictionary if len(re.findall(r"\b[a-z]{2,}\b", text)) > 2]
    assert len(sentences) > 100
    assert not [text for text in sentences if dictionary[text] == text]


class Texts(HTMLParser):
    """The texts of HTML, and its attributes that are read."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [
            value for name, value in attributes if value and name in ("aria-label", "data-text")
        ]


def page_texts() -> Iterator[str]:
    service = VideoService(TalkingHead.from_pretrained(), Settings())
    for component in build_page(service).get_config_file()["components"]:
        props = component["props"]
        if component["type"] == "api":  # no page shows it
            continue
        yield from (props.get(name) or "" for name in ("label", "info", "placeholder"))
        yield from (title for title, _ in props.get("choices") or [] if isinstance(title, str))
        yield from props.get("sample_labels") or []
        value = props.get("value")
        if component["type"] == "button":
            yield value
        elif component["type"] == "html":
            parser = Texts()
            parser.feed(value)
            yield from parser.found
        elif component["type"] == "markdown":
            for line in re.split(r"\n[-#\s]*|^[-#\s]+", value):
                yield from re.split(r"\*\*|`|\]\([^)]*\)|\[", line)


def test_every_text_of_the_page_is_in_the_dictionaries() -> None:
    assert not unknown(page_texts())


def literal(node: ast.expr) -> str:
    """A text in Python as a message shows it, with "1" for what differs from case to case."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            literal(part) if isinstance(part, ast.Constant) else "1" for part in node.values
        )
    return ""


def sources(suffix: str) -> list[Path]:
    """The page's files; the user study, a page of its own, is in English."""
    return [file for file in APP.rglob(f"*{suffix}") if APP / "study" not in file.parents]


def python_messages() -> Iterator[str]:
    for file in sources(".py"):
        if file.name in PROGRAMMERS:
            continue
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            if name in MESSAGES or name.endswith("Error"):
                yield from map(literal, call.args)


def script_messages() -> Iterator[str]:
    """Texts in JavaScript, those that hold a sentence."""
    for file in sources(".js"):
        code = re.sub(r"^\s*//.*$", "", file.read_text("utf-8"), flags=re.MULTILINE)
        for text in re.findall(r'"([^"\n]*)"|`([^`\n]*)`', code):
            sentence = re.sub(r"\$\{[^}]*\}", "1", "".join(text))
            if re.match(r"(?:[A-Z']|1 ).*[a-z] ?[a-z1]+.*[.…)a-z]$", sentence) and " " in sentence:
                yield sentence


def test_every_message_of_the_page_is_in_the_dictionaries() -> None:
    assert len(list(script_messages())) > 15
    assert len(list(python_messages())) > 30
    assert not unknown(chain(python_messages(), [FULL, FAILED]))
    assert not unknown(script_messages())


def test_errors_that_visitors_meet_are_in_the_dictionaries(tmp_path: Path) -> None:
    text = tmp_path / "letter.wav"
    text.write_text("Dear reader, this is no sound. " * 20)
    face = load_head(1)
    weights = np.zeros((60, len(face.blendshapes)), np.float32)
    attempts = [
        lambda: Speech.read(text),
        lambda: Speech.from_array([0.0] * 100, 16_000, "short.wav"),
        lambda: clean_text("?"),
        lambda: clean_text("word " * 500),
        lambda: read_tags("[hapy] Hello"),
        lambda: read_tags("[happy 9] Hello"),
        lambda: beside(Motion(weights, 30, face), Motion(weights, 60, face)),
    ]
    for attempt in attempts:
        with pytest.raises(JambaTalkError) as error:
            attempt()
        assert is_known(str(error.value)), str(error.value)


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({}, "en"),  # a program
        ({"accept-language": "zh-TW,zh;q=0.9"}, "zh-CN"),
        ({"accept-language": "fr", "referer": "https://a.org/?tab=compare&lang=de"}, "de"),
        ({"accept-language": "fr", "referer": "https://a.org/?lang=xx"}, "en"),
    ],
)
def test_a_request_tells_the_language_of_its_page(headers: dict[str, str], language: str) -> None:
    assert languages.language_of(headers) == language


def test_captions_of_videos_are_in_the_language_of_the_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert video_service.caption("crisp", "en") == "Crisp"
    assert video_service.caption("crisp", "de") == "Prägnant"
    assert video_service.caption("me", "de") == "Me"  # an own style
    monkeypatch.setattr(video_service, "can_write", lambda text: text.isascii())
    assert video_service.caption("crisp", "ja") == "Crisp"  # no font here
