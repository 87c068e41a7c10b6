"""JavaScript of the page that Gradio calls."""

import json
from typing import Any


def call(module: str, function: str, *first: Any) -> str:
    """Return JavaScript that calls a module's function and returns what it returns.

    Args:
        first: its first arguments, as JSON; the values of the inputs follow.
    """
    return f"""async (...values) => {{
        const page = new URL("live/page/{module}.js", document.baseURI);
        return (await import(page)).{function}(...{json.dumps(first)}, ...values);
    }}"""
