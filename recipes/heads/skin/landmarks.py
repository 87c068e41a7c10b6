"""Where features of the face lie in the atlas of the skin, in texels of its full size.

The atlas is symmetric about column 512; points are given on the head's right, x < 512.
"""

from __future__ import annotations

import numpy as np

MIDDLE = 512

# The vermilion's border, from the right corner of the mouth to the left one.
UPPER_BORDER = ((405, 574), (434, 523), (460, 508), (482, 503), (500, 504), (512, 507))
LOWER_BORDER = ((405, 574), (419, 628), (455, 650), (484, 655), (512, 656))
# Where the lips meet, and the mouth begins.
UPPER_CONTACT = ((421, 579), (466, 547), (512, 544))
LOWER_CONTACT = ((421, 579), (455, 619), (512, 623))

NOSTRIL = (466, 450)
NOSE_TIP, NOSE_WING, NOSE_BRIDGE = (512, 410), (447, 440), (512, 320)
BROW = (340, 225)
CHEEK, CHEEKBONE = (318, 430), (280, 390)
CHIN, FOREHEAD, TEMPLE = (512, 730), (512, 130), (215, 230)
UPPER_LID, UNDER_EYE = (360, 272), (362, 325)
EYE_HOLES = ((360, 290), (664, 290))  # in the middle of each hole
EAR = (0, 312, 100, 572)  # left, top, right, bottom
HAIRLINE = (
    *((0, 0), (512, 0), (512, 40), (430, 41), (350, 48), (292, 62), (262, 92), (250, 135)),
    *((236, 180), (208, 215), (198, 265), (188, 312), (172, 342), (150, 350), (130, 330)),
    *((116, 306), (60, 290), (0, 300)),
)
SHAVED = (
    *((0, 0), (512, 0), (512, 58), (420, 52), (330, 62), (255, 92), (222, 140), (212, 200)),
    *((222, 300), (205, 400), (165, 380), (120, 310), (60, 290), (0, 300)),
)
BEARD = (
    *((150, 345), (196, 365), (212, 470), (262, 548), (340, 575), (388, 560), (408, 520)),
    *((440, 486), (478, 478), (512, 480)),
    *((512, 835), (400, 830), (290, 800), (200, 730), (160, 640), (140, 560), (128, 470)),
)


def mirrored(points: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Continue a line (k, 2) that ends in the middle to the head's left: (2 k - 1, 2)."""
    half = np.array(points, float)
    other = half[-2::-1] * [-1, 1] + [2 * MIDDLE, 0]
    return np.concatenate([half, other])


def both(point: tuple[float, float]) -> np.ndarray:
    """Return a point and its mirror image, (2, 2)."""
    return np.array([point, (2 * MIDDLE - point[0], point[1])], float)
