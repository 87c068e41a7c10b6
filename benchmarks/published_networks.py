"""Speech to vertices by the field's published networks, at true size with random weights.

    python benchmarks/published_networks.py                 all, into docs/performance.md
    python benchmarks/published_networks.py faceformer 10   one of them, 10 s

`--as-published` measures, for FaceFormer and CodeTalker, what their own code does again at every
frame: it decodes all frames until then. One frame in `EVERY` is measured and counted so many times,
and so are the frames that CodeTalker feeds back, with `--sampled`.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from string import Template
from typing import Any

from common import HERE, ROOT, peak_memory, run, speech_of, table

SECTION = re.compile("## The field's networks\n.*?(?=\n## )", re.DOTALL)
LAYOUTS = {
    "faceformer": "vocaset",
    "codetalker": "vocaset",
    "selftalk": "vocaset",
    "facexhubert": "biwi",
    "facediffuser": "vocaset",
}
LENGTHS = (10, 30)  # seconds
FEW = 25  # steps of a diffusion, without drawing anything but the start (DDIM)
EVERY = 30  # frames
VARIANTS = {  # as the table names them → network and options
    "FaceFormer": ("faceformer",),
    "CodeTalker": ("codetalker",),
    "SelfTalk": ("selftalk",),
    "FaceXHuBERT": ("facexhubert",),
    "FaceDiffuser, 1,000 steps": ("facediffuser",),
    f"FaceDiffuser, {FEW} steps": ("facediffuser", "--few"),
}
# Seconds of the authors' code for 10 and 30 s of speech with random weights, measured apart on a
# machine of two such cores, in two threads; between runs they vary by 40 %.
AUTHORS = {
    "faceformer": ("3.1", "fails after 20 s"),
    "codetalker": ("over 110", "–"),
    "selftalk": ("3.7", "14.2"),
    "facexhubert": ("1.2 to 1.5", "7"),
    "facediffuser": ("1,300", "5,500"),
}
AGAIN = ("faceformer", "codetalker")
# fmt: off
HEAD = (
    "network", "million parameters", "speech, s", "encode, s", "decode, s", "total, s",
    "peak memory, GB", "decoded the published way, total, s", "authors' code, s",
)
# fmt: on


def measure(
    network: str, seconds: float, few: bool, as_published: bool, some: bool
) -> dict[str, float]:
    """Measure speech to vertices once; libraries and network are warm."""
    import torch

    from jambatalk.networks.layouts import LAYOUTS as PUBLISHED
    from jambatalk.networks.registry import new_network

    torch.manual_seed(0)
    model: Any = new_network(PUBLISHED[network][LAYOUTS[network]]).eval()
    if few:
        model.sampling_steps = FEW
    template = torch.rand(model.config.vertices, 3)
    style = model.style(model.config.styles[0])._replace(template=template)
    model.encode(speech_of(1.0))
    started = time.perf_counter()
    features = model.encode(speech_of(seconds))
    encoded = time.perf_counter()
    if as_published:
        again = {"faceformer": faceformer_again, "codetalker": codetalker_again}[network]
        with torch.inference_mode():
            decode = again(model, features, style.vector[None])
    else:
        skipped = Skipping(model.autoencoder.decoder) if some else None
        model.predict(features, style)
        decode = time.perf_counter() - encoded + (skipped.seconds if skipped else 0.0)
    return {
        "encode": encoded - started,
        "decode": decode,
        "memory": peak_memory() / 1024,
        "parameters": sum(weight.numel() for weight in model.parameters()),
    }


def faceformer_again(model: Any, memory: Any, style: Any) -> float:
    """Measure decoding and mapping to vertices of all frames until each one."""
    fed = model.obj_vector(style)[:, None].repeat(1, memory.shape[1], 1)
    decoder = model.transformer_decoder

    def frame(count: int) -> None:
        output, _ = decoder(fed[:, :count], decoder.begin(memory))
        model.vertice_map(model.vertice_map_r(output)[:, -1:])

    return sampled(frame, fed.shape[1])


def codetalker_again(model: Any, memory: Any, style: Any) -> float:
    """Measure decoding of all frames until each one, to codes and from codes to vertices."""
    fed = model.style_vector(style).repeat(1, memory.shape[1], 1)
    decoder, codes = model.transformer_decoder, model.autoencoder

    def frame(count: int) -> None:
        output, _ = decoder(fed[:, :count], decoder.begin(memory))
        vertices = codes.decode(codes.nearest(model.latents(output)).codes)
        model.vertice_map(vertices[:, -1:])

    return sampled(frame, fed.shape[1])


class Skipping:
    """Lets CodeTalker compute one of `EVERY` frames that are fed back.

    Attributes:
        seconds: that the others would have taken.
    """

    def __init__(self, decoder: Any) -> None:
        self.compute, self.seconds = decoder.last_frame, 0.0
        self.last: Any = None
        decoder.last_frame = self.last_frame

    def last_frame(self, codes: Any, before: Any) -> Any:
        """Compute a frame, or return the one before."""
        count = codes.shape[1]
        if self.last is not None and count % EVERY != EVERY // 2:
            return self.last, before.new_zeros(1, before.shape[1], count)
        started = time.perf_counter()
        self.last, convolved = self.compute(codes, before)
        self.seconds += (time.perf_counter() - started) * (EVERY - 1)
        return self.last, convolved


def sampled(frame: Callable[[int], None], frames: int) -> float:
    """Measure the first so many frames, for one in `EVERY`; return the seconds of all."""
    frame(2)  # warm up
    counts = range(EVERY // 2, frames, EVERY)
    started = time.perf_counter()
    for count in counts:
        frame(count)
    return (time.perf_counter() - started) * frames / len(counts)


def networks_table(run: Callable[..., dict] = run) -> str:
    """Measure all networks, each in a process of its own; return a table."""
    rows = []
    for name, (network, *options) in VARIANTS.items():
        for seconds, authors in zip(LENGTHS, AUTHORS[network], strict=True):
            long = ("--sampled",) if network == "codetalker" and seconds > 15 else ()
            ours = run("published_networks.py", network, seconds, *options, *long)
            again = "–"
            if network in AGAIN:
                given = run("published_networks.py", network, seconds, "--as-published")
                again = f"{given['encode'] + given['decode']:.1f}"
            times = (ours["encode"], ours["decode"], ours["encode"] + ours["decode"])
            shown = [f"{value:.1f}" for value in (*times, ours["memory"])]
            row = (name, f"{ours['parameters'] / 1e6:.0f}", f"{seconds}", *shown, again)
            rows.append((*row, "–" if options else authors))
    return table(HEAD, rows)


def write(page: Path) -> None:
    """Measure all, and replace their section of a page."""
    template = SECTION.search((HERE / "performance_template.md").read_text())
    assert template
    text = Template(template[0]).substitute(networks=networks_table())
    print(text)
    page.write_text(SECTION.sub(lambda _: text, page.read_text()))


def main() -> None:
    """Measure one network, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", nargs="?", choices=LAYOUTS)
    parser.add_argument("seconds", nargs="?", type=float, default=10.0)
    parser.add_argument("--few", action="store_true", help=f"a diffusion of {FEW} steps")
    parser.add_argument("--as-published", action="store_true")
    parser.add_argument("--sampled", action="store_true")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "performance.md")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.network is None:
        write(options.page)
        return
    given = (options.few, options.as_published, options.sampled)
    results = measure(options.network, options.seconds, *given)
    print(json.dumps(results) if options.json else results)


if __name__ == "__main__":
    main()
