"""The page's languages: its texts are English here, and `live/page/translate.js` replaces them.

A dictionary, `live/page/languages/TAG.json`, holds every English text of the page and its
translation. `{name}` stands for what differs from case to case, and is translated itself where the
dictionary has it. A text of several sentences may be in it sentence by sentence. In programs (the
API, names in files) everything is English.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from urllib.parse import parse_qs, urlsplit

from jambatalk.app.live.server import PAGE
from jambatalk.app.live.version import version
from jambatalk.talking_head import TalkingHead

DICTIONARIES = PAGE / "languages"
LANGUAGES = ["en", *sorted(path.stem for path in DICTIONARIES.glob("*.json"))]  # BCP 47 tags


def language_of(headers: Mapping[str, str]) -> str:
    """Return the language of the page that has sent a request; English for programs."""
    asked = parse_qs(urlsplit(headers.get("referer", "")).query).get("lang")
    tag = asked[0] if asked else headers.get("accept-language", "").partition(",")[0]
    primary = tag.partition(";")[0].partition("-")[0].strip().lower()
    return next((known for known in LANGUAGES if known.partition("-")[0] == primary), "en")


def translate(text: str, language: str) -> str:
    """Return a text of the page in one of LANGUAGES, as far as its dictionary has it whole."""
    return text if language == "en" else _dictionary(language).get(text, text)


@cache
def _dictionary(language: str) -> dict[str, str]:
    return json.loads((DICTIONARIES / f"{language}.json").read_text("utf-8"))


def language_html(talking_head: TalkingHead) -> str:
    """Return the beginning of the page's HTML head: it chooses the language before Gradio does.

    The browser's language, or `?lang=de` in the address, is chosen where there is a dictionary,
    else English; Gradio, which translates its own texts, is told the same.
    """
    return f"""<script>{{
            const asked = new URLSearchParams(location.search).get("lang") ?? navigator.language;
            const primary = (tag) => tag.toLowerCase().split("-")[0];
            const known = {json.dumps(LANGUAGES)};
            const language = known.find((tag) => primary(tag) === primary(asked)) ?? "en";
            document.documentElement.lang = language;
            Object.defineProperty(navigator, "language", {{ value: language }});
        }}</script>
        <script type="module" src="./live/v-{version(talking_head)}/page/translate.js"></script>"""
