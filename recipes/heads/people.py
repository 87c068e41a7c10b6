"""The people whose heads are bundled: sixteen invented persons, the first is the default."""

from __future__ import annotations

from recipes.heads.identity import Identity

# MakeHuman's skins, shortened.
YOUNG_WOMAN = "young_lightskinned_female_diffuse2"
YOUNG_WOMAN_3 = "young_lightskinned_female_diffuse3"
WOMAN = "middleage_lightskinned_female_diffuse2"
OLD_WOMAN = "old_lightskinned_female_diffuse2"
DARK_YOUNG_WOMAN = "young_darkskinned_female_diffuse"
DARK_WOMAN = "middleage_darkskinned_female_diffuse"
YOUNG_MAN = "young_lightskinned_male_diffuse"
YOUNG_MAN_2 = "young_lightskinned_male_diffuse2"
YOUNG_MAN_3 = "young_lightskinned_male_diffuse3"
MAN = "middleage_lightskinned_male_diffuse"
MAN_2 = "middleage_lightskinned_male_diffuse2"
OLD_MAN = "old_lightskinned_male_diffuse2"
DARK_YOUNG_MAN = "young_darkskinned_male_diffuse"
DARK_MAN = "middleage_darkskinned_male_diffuse"
DARK_OLD_MAN = "old_darkskinned_male_diffuse"

PEOPLE = (
    Identity(
        "mara", "southern European", 34, 0, (0, 0, 1), 6,
        targets={"nose/nose-hump-incr": 0.15, "cheek/{}-cheek-bones-incr": 0.3},
        skins={YOUNG_WOMAN_3: 0.6, WOMAN: 0.4}, tone="#cf9f80", make_up=0.35, iris="brownlight",
        brows=1, hair="long01", hair_color="#3a251a", brow_color="#4a3628",
        outfit="female_casualsuit02", outfit_color="#3b5570",
    ),
    Identity(
        "kofi", "West African", 28, 1, (1, 0, 0), 7,
        targets={"head/head-rectangular": 0.3},
        skins={DARK_YOUNG_MAN: 1.0}, tone="#5f3f2d", iris="brown", brows=1,
        hair="short01", hair_color="#14100e", brow_color="#14100e", outfit="male_casualsuit06",
    ),
    Identity(
        "yuki", "East Asian", 26, 0, (0, 1, 0), 14,
        targets={"head/head-round": 0.35},
        skins={YOUNG_WOMAN: 1.0}, tone="#dcb291", make_up=0.35, iris="brown", brows=10,
        hair="bob02", hair_color="#17110f", brow_color="#3a2c26", outfit="female_elegantsuit01",
        outfit_color="#8c2f45",
    ),
    Identity(
        "lars", "northern European", 33, 1, (0, 0, 1), 11,
        targets={"head/head-square": 0.4, "chin/chin-cleft-incr": 0.4,
                 "forehead/forehead-temple-decr": 0.2},
        skins={MAN: 0.6, YOUNG_MAN_3: 0.4}, tone="#d8a68b", stubble=0.3, iris="blue", brows=8,
        hair="short02", hair_color="#9b7a4c", brow_color="#7d603c", outfit="male_casualsuit05",
    ),
    Identity(
        "zola", "southern African", 26, 0, (1, 0, 0), 30,
        targets={"head/head-oval": 0.4, "mouth/mouth-lowerlip-volume-incr": 0.2},
        skins={DARK_YOUNG_WOMAN: 0.6, DARK_WOMAN: 0.4}, tone="#7a4f38", make_up=0.4, iris="brown",
        brows=6, hair="afro01", hair_color="#1a1311", brow_color="#17100c",
        outfit="female_casualsuit02",
        outfit_color="#b5482f",
    ),
    Identity(
        "hugo", "western European", 61, 1, (0, 0, 1), 17, weight=0.65,
        targets={"nose/nose-hump-incr": 0.4, "head/head-rectangular": 0.3},
        skins={MAN_2: 0.4, OLD_MAN: 0.6}, tone="#cf9d84", spots=0.3, iris="grey", brows=9,
        hair="short04", hair_color="#5d554e", brow_color="#7d766e", grey=0.7,
        outfit="male_elegantsuit01",
    ),
    Identity(
        "priya", "South Asian", 28, 0, (0.3, 0.2, 0.5), 15,
        targets={"head/head-oval": 0.4, "nose/nose-hump-incr": 0.15},
        skins={WOMAN: 0.5, DARK_WOMAN: 0.5}, tone="#a9744f", make_up=0.6, iris="brown", brows=10,
        hair="braid01", hair_color="#15100f", brow_color="#17110f", outfit="female_casualsuit01",
        outfit_color="#2f6b5e",
    ),
    Identity(
        "wei", "East Asian", 44, 1, (0, 1, 0), 23,
        targets={"head/head-rectangular": 0.3, "cheek/{}-cheek-bones-incr": 0.4},
        skins={MAN: 1.0}, tone="#cb9c77", iris="brown", brows=12,
        hair="short04", hair_color="#1a1513", brow_color="#2e2521", grey=0.15,
        outfit="male_casualsuit03",
        outfit_color="#44525e",
    ),
    Identity(
        "elsa", "northern European", 72, 0, (0, 0, 1), 13,
        targets={"head/head-oval": 0.3},
        skins={OLD_WOMAN: 1.0}, tone="#dbb09a", spots=0.4, iris="lightblue", brows=6,
        hair="bob01", hair_color="#c2beb7", brow_color="#9c8b78", grey=0.9,
        outfit="male_casualsuit01",
    ),
    Identity(
        "omar", "Middle Eastern", 35, 1, (0.15, 0, 0.85), 31,
        targets={"nose/nose-hump-incr": 0.5, "nose/nose-point-down": 0.3, "head/head-oval": 0.3},
        skins={YOUNG_MAN_2: 0.5, MAN: 0.5}, tone="#b98a66", stubble=0.6, iris="brown", brows=12,
        hair="short01", hair_color="#17110f", brow_color="#241b17", beard="full",
        outfit="male_casualsuit02",
        outfit_color="#3f4a45",
    ),
    Identity(
        "rosa", "Latin American", 54, 0, (0.1, 0.4, 0.5), 28, weight=0.7,
        targets={"head/head-round": 0.5, "cheek/{}-cheek-volume-incr": 0.3},
        skins={WOMAN: 0.5, OLD_WOMAN: 0.5}, tone="#bd8a66", make_up=0.3, iris="brown", brows=1,
        hair="bob01", hair_color="#2e2019", brow_color="#2a1d17", grey=0.1,
        outfit="female_elegantsuit01",
        outfit_color="#5d3a63",
    ),
    Identity(
        "abel", "East African", 70, 1, (0.8, 0, 0.2), 41,
        targets={"head/head-rectangular": 0.4, "cheek/{}-cheek-volume-decr": 0.4},
        skins={DARK_OLD_MAN: 1.0}, tone="#5f412f", spots=0.2, iris="brown", brows=4,
        hair=None, brow_color="#6d655f", grey=0.6, stubble=0.2, outfit="male_worksuit01",
    ),
    Identity(
        "leila", "Middle Eastern", 22, 0, (0.1, 0.05, 0.85), 25,
        targets={"eyes/{}-eye-corner2-up": 0.3, "head/head-oval": 0.3,
                 "mouth/mouth-upperlip-volume-incr": 0.3, "mouth/mouth-lowerlip-volume-incr": 0.4,
                 "eyes/{}-eye-scale-incr": 0.3},
        skins={YOUNG_WOMAN_3: 1.0}, tone="#c6946f", make_up=0.9, iris="green", brows=6,
        hair="ponytail01", hair_color="#1d1412", brow_color="#3a2a22", outfit="male_casualsuit06",
    ),
    Identity(
        "nora", "north-western European", 41, 0, (0, 0, 1), 2,
        targets={"head/head-triangular": 0.2, "chin/chin-prominent-incr": 0.2},
        skins={WOMAN: 0.7, OLD_WOMAN: 0.3}, tone="#e0b39b", freckles=0.7, make_up=0.2,
        iris="bluegreen", brows=1,
        hair="long01", hair_color="#8a4525", brow_color="#8a5c3c", outfit="female_sportsuit01",
        outfit_color="#2d4a63",
    ),
    Identity(
        "finn", "northern European", 20, 1, (0, 0, 1), 53, weight=0.35,
        targets={"head/head-invertedtriangular": 0.4, "ears/{}-ear-wing-incr": 0.4},
        skins={YOUNG_MAN: 1.0}, tone="#e2b59b", freckles=0.8, iris="lightblue", brows=7,
        hair="short03", hair_color="#a5562c", brow_color="#8a5a34", outfit="male_casualsuit04",
        outfit_color="#7a6a3c",
    ),
    Identity(
        "ravi", "South Asian", 80, 1, (0.3, 0.15, 0.55), 59, weight=0.3,
        targets={"cheek/{}-cheek-volume-decr": 0.5, "nose/nose-hump-incr": 0.4,
                 "head/head-oval": 0.3},
        skins={OLD_MAN: 0.5, DARK_OLD_MAN: 0.5}, tone="#97694a", spots=0.5, iris="brown", brows=9,
        hair="short04", hair_color="#d8d4cd", brow_color="#a1968a", grey=0.95, beard="full",
        outfit="male_elegantsuit01",
    ),
)  # fmt: skip
