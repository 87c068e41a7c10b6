"""Speech to vertices by the field's published networks, at true size with random weights.

    python benchmarks/published_networks.py              all of them, 10 and 30 s, as a table
    python benchmarks/published_networks.py faceformer 10 --json

`--as-published` measures, for FaceFormer and CodeTalker, what their own code does again at every
frame: it decodes all frames until then. One frame in `EVERY` is measured and counted so many times.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable

from common import run, speech_of

LAYOUTS = {
    "faceformer": "vocaset",
    "codetalker": "vocaset",
    "selftalk": "vocaset",
    "facexhubert": "biwi",
    "facediffuser": "vocaset",
}
NAMES = {
    "faceformer": "FaceFormer",
    "codetalker": "CodeTalker",
    "selftalk": "SelfTalk",
    "facexhubert": "FaceXHuBERT",
    "facediffuser": "FaceDiffuser",
}
LENGTHS = (10, 30)  # seconds
FEW = 25  # steps of a diffusion, without drawing anything but the start (DDIM)
EVERY = 20
# Seconds for 10 and 30 s of speech by the authors' code with random weights, measured apart on a
# machine of two such cores, two threads; they vary by 40 %.
AUTHORS = {
    "faceformer": ("3.1", "fails after 20 s"),
    "codetalker": ("> 110", "–"),
    "selftalk": ("3.7", "14.2"),
    "facexhubert": ("1.2–1.5", "7"),
    "facediffuser": ("1,300", "5,500"),
}
HEAD = ("network", "parameters", "speech, s", "speech to vertices, s", "real-time factor")
HEAD += ("peak memory, GB", "the published way, s", "authors' code, s")


def measure(network: str, seconds: float, few: bool, as_published: bool) -> dict[str, float]:
    """Measure speech to vertices once; the network is warm."""
    import torch

    from jambatalk.networks.codetalker import CodeTalker
    from jambatalk.networks.faceformer import FaceFormer
    from jambatalk.networks.layouts import LAYOUTS as PUBLISHED
    from jambatalk.networks.registry import new_network

    torch.manual_seed(0)
    model = new_network(PUBLISHED[network][LAYOUTS[network]]).eval()
    if few:
        model.sampling_steps = FEW  # type: ignore[assignment]
    style = model.style(model.config.styles[0])
    style = style._replace(template=torch.zeros(model.config.vertices, 3))
    model.encode(speech_of(1.0))
    started = time.perf_counter()
    features = model.encode(speech_of(seconds))
    encoded = time.perf_counter() - started
    with torch.inference_mode():
        if as_published and isinstance(model, FaceFormer | CodeTalker):
            again = faceformer_again if isinstance(model, FaceFormer) else codetalker_again
            decoded = again(model, features, style.vector[None])
        else:
            started = time.perf_counter()
            model.predict(features, style)
            decoded = time.perf_counter() - started
    return {
        "seconds": encoded + decoded,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "parameters": sum(weight.numel() for weight in model.parameters()),
    }


def faceformer_again(model, memory, style) -> float:
    """Measure decoding and mapping to vertices of all frames until each one."""
    fed = model.obj_vector(style)[:, None].repeat(1, memory.shape[1], 1)

    def frame(count: int) -> None:
        decoder = model.transformer_decoder
        output, _ = decoder(fed[:, :count], decoder.begin(memory))
        model.vertice_map(model.vertice_map_r(output)[:, -1:])

    return sampled(frame, fed.shape[1])


def codetalker_again(model, memory, style) -> float:
    """Measure decoding of all frames until each one, to codes and from codes to vertices."""
    fed = model.style_vector(style).repeat(1, memory.shape[1], 1)

    def frame(count: int) -> None:
        decoder, codes = model.transformer_decoder, model.autoencoder
        output, _ = decoder(fed[:, :count], decoder.begin(memory))
        vertices = codes.decode(codes.nearest(model.latents(output)).codes)
        model.vertice_map(vertices[:, -1:])

    return sampled(frame, fed.shape[1])


def sampled(frame: Callable[[int], None], frames: int) -> float:
    """Measure the first so many frames, for one in `EVERY`; return the seconds of all."""
    frame(2)  # warm up
    started = time.perf_counter()
    counts = range(EVERY // 2, frames, EVERY)
    for count in counts:
        frame(count)
    return (time.perf_counter() - started) * frames / len(counts)


def rows() -> list[tuple[str, ...]]:
    """Measure all networks, each in a process of its own."""
    found = []
    for network, name in NAMES.items():
        variants = [(name, ())]
        if network == "facediffuser":
            variants = [(f"{name}, 1,000 steps", ()), (f"{name}, {FEW} steps", ("--few",))]
        for title, options in variants:
            for seconds, authors in zip(LENGTHS, AUTHORS[network], strict=True):
                ours = run("published_networks.py", network, seconds, *options)
                again = "–"
                if network in ("faceformer", "codetalker"):
                    given = run("published_networks.py", network, seconds, "--as-published")
                    again = f"{given['seconds']:.1f}"
                found.append(
                    (
                        title,
                        f"{ours['parameters'] / 1e6:.0f} million",
                        f"{seconds}",
                        f"{ours['seconds']:.1f}",
                        f"{ours['seconds'] / seconds:.2f}",
                        f"{ours['memory']:.1f}",
                        again,
                        "–" if options else authors,
                    )
                )
    return found


def main() -> None:
    """Measure one network, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", nargs="?", choices=LAYOUTS)
    parser.add_argument("seconds", nargs="?", type=float, default=10.0)
    parser.add_argument("--few", action="store_true", help=f"a diffusion of {FEW} steps")
    parser.add_argument("--as-published", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.network is None:
        from bench import table

        print(table(HEAD, rows()))
        return
    results = measure(options.network, options.seconds, options.few, options.as_published)
    print(json.dumps(results) if options.json else results)


if __name__ == "__main__":
    main()
