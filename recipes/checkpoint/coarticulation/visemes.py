"""Visemes: the articulatory targets of each phone, and their dominance.

`open` is the lip aperture relative to the speaker's wide-open mouth; below 0 the lips are pressed
together. The other channels are weights of ARKit blendshapes (see `synthesis.articulate`). A
channel that a phone does not set is determined by the neighbouring phones.

Targets of `open` and `round` follow a fit to the lips of two speakers
(`python -m recipes.checkpoint.coarticulation.fit_targets`). Set by eye are: the split of the
aperture into jaw and lips; the rounding of AO, O, UH, UW, W, R, SH and CH; the aperture of F, V,
TH, DH and AX; and all phones that do not occur in those recordings.
"""

from __future__ import annotations

from functools import cache

import numpy as np

CHANNELS = (
    "open",  # lip aperture
    "jaw",
    "round",  # above 0 rounded and protruded, below 0 spread
    "funnel",  # protruded and flared
    "lower",  # lower lip down, off the teeth
    "upper",  # upper lip up, off the teeth
    "bite",  # lower lip under the upper teeth
    "tongue",  # out between the teeth
    "tip",  # of the tongue up behind the upper teeth
)
FREE = 0.03  # dominance of a phone over a channel that it does not set

# PHONE channel=target or channel=target/dominance; the dominance is 1 by default
TABLE = """
SIL    open=-.16/1.78 jaw=0/1.2 round=-.09/.03 funnel=0/.6 lower=0 upper=0 bite=0 tongue=0 tip=0/1
P      open=-.28/25 jaw=.34/.6 round=.42/.43 bite=0/2 lower=0/2 upper=0/2 tongue=0/4
B      open=-.28/25 jaw=.34/.6 round=.64/.49 bite=0/2 lower=0/2 upper=0/2 tongue=0/4
M      open=-.28/25 jaw=.34/.6 round=.17/.21 bite=0/2 lower=0/2 upper=0/2 tongue=0/4
BH     open=.1/6 jaw=.30/.6 bite=0/2 tongue=0/4
F      open=.15/14 jaw=.20/1.5 round=.16/.08 bite=1/6 upper=.33/3 funnel=0/2 lower=0/3
V      open=.15/14 jaw=.20/1.5 round=.14/.07 bite=1/6 upper=.33/3 funnel=0/2 lower=0/3
TH     open=.42/2.67 jaw=.42/1.2 round=.01/.1 tongue=.4/3 lower=.25/.6 upper=.18/.5 tip=0/2
DH     open=.40/2.77 jaw=.40/1.2 round=.09/.11 tongue=.4/3 lower=.25/.6 upper=.18/.5 tip=0/2
T      open=.7/.34 jaw=.28/1 round=-.06/.08 lower=.4/.5 upper=.3/.4 tongue=0/1 tip=.9/3
D      open=.49/.46 jaw=.28/1 round=-.05/.09 lower=.4/.5 upper=.3/.4 tongue=0/1 tip=.9/3
DX     open=.55/.3 jaw=.28/.5 tip=.8/2
N      open=.26/.06 jaw=.26/.6 round=.06/.08 lower=.2/.3 upper=.2/.3 tongue=0/1 tip=.9/3
L      open=.68/1.84 jaw=.45/1 round=.28/1.64 lower=.25/.3 upper=.15/.3 tongue=0/1 tip=1/3
S open=.67/2.09 jaw=.14/3 round=.18/1.4 lower=.80/1.6 upper=.62/1.6 funnel=0/.5 tongue=0/2 tip=.35/1
Z open=.61/.57 jaw=.14/3 round=-.06/.81 lower=.72/1.6 upper=.58/1.6 funnel=0/.5 tongue=0/2 tip=.35/1
SH open=.43/1.63 jaw=.14/3 round=.32/1.5 funnel=.55/3 lower=.3/.8 upper=.3/.8 tongue=0/2 tip=.3/1
ZH     open=.6/2 jaw=.14/3 round=.32/1.5 funnel=.55/3 lower=.3/.8 upper=.3/.8 tongue=0/2 tip=.3/1
CH     open=.65/1.83 jaw=.16/3 round=.2/1.5 funnel=.48/2.5 lower=.3/.8 upper=.3/.8 tip=.5/1.5
JH     open=.66/1.8 jaw=.16/3 round=.2/1.5 funnel=.48/2.5 lower=.3/.8 upper=.3/.8 tip=.5/1.5
R      open=.25/2.38 jaw=.20/.8 round=.56/.85 funnel=.20/1 tip=.3/.8
RR     open=.52/.3 jaw=.32/.4
W      open=.22/3.93 jaw=.22/1 round=.9/1.1 funnel=.05/2
Y      open=.53/.75 jaw=.24/1 round=.09/.62
K      open=.68/.26 jaw=.40/.4 tip=0/.6
G      open=.58/.25 jaw=.40/.4 tip=0/.6
NG     open=.46/.25 jaw=.36/.3
KH     open=.55/.3 jaw=.34/.4
HH     open=.41/.14 jaw=.30/.12

IY     open=.54/.72 jaw=.34/1 round=-.05/.92 lower=.45/.8 upper=.36/.8
IH     open=.75/.94 jaw=.52/.5 round=.06/.64 lower=.3/.4 upper=.3/.4
E      open=.93/4.82 jaw=.70/1.2 round=-.29/2.54 lower=.45/.6 upper=.45/.6
EH     open=.98/1.79 jaw=.76/1.1 round=.08/1.55 lower=.4/.5 upper=.4/.5
AE     open=.82/1.22 jaw=.82/1.4 round=.09/.81 lower=.4/.6 upper=.4/.6 tip=0/.6
A      open=.77/1.41 jaw=.85/1.4 round=.01/.61 lower=.3/.5 upper=.3/.5 tip=0/.6
AA     open=.91/5.63 jaw=.95/1.6 round=.08/.21 lower=.25/.5 upper=.22/.5 tip=0/.6
AH     open=.74/.56 jaw=.50/.9 round=.03/.09 lower=.2/.3 upper=.2/.3
AX     open=.40/.8 jaw=.30/.5
AO     open=.66/1.14 jaw=.60/1.4 round=.66/1.75 funnel=.32/1.4
O      open=.72/1.94 jaw=.48/1.3 round=.52/1.7 funnel=.28/1.2
UH     open=.44/.81 jaw=.30/.8 round=.2/1.3 funnel=.18/.8
UW     open=.38/2.6 jaw=.24/1.4 round=.86/1.1 funnel=.16/1.2
UE     open=.25/1.6 jaw=.20/1.2 round=.8/1.6 funnel=.14/1.2
OE     open=.48/1.2 jaw=.42/1.2 round=.55/1.6 funnel=.28/1.2
ER     open=.5/.9 jaw=.32/1 round=.03/1.01 funnel=.24/1
"""


@cache
def viseme_table() -> dict[str, np.ndarray]:
    """Return the targets and dominances of each phone: name → (2, c).

    Diphthongs are not listed: they are two vowels in sequence.
    """
    table = {}
    for line in TABLE.strip().splitlines():
        words = line.split()
        row = np.stack([np.zeros(len(CHANNELS)), np.full(len(CHANNELS), FREE)])
        for word in (w for w in words if "=" in w):
            channel, _, value = word.partition("=")
            target, _, dominance = value.partition("/")
            row[:, CHANNELS.index(channel)] = float(target), float(dominance or 1.0)
        for name in (w for w in words if "=" not in w):
            table[name] = row
    return table
