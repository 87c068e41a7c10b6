"""JavaScript of the page that Gradio calls."""

import json


def call(module: str, function: str, *first: str) -> str:
    """Return JavaScript that calls a module's function: `first`, then the values of the inputs."""
    return f"""async (...values) => {{
        const page = new URL("live/page/{module}.js", document.baseURI);
        (await import(page)).{function}(...{json.dumps(first)}, ...values);
    }}"""
