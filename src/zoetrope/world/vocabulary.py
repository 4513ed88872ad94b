"""What can be said of a toy-world picture, and the colours that say it.

Small on purpose: every word is learned well by a model of a few million weights.
"""

from typing import Final

Colour = tuple[int, int, int]

SKIN: Final[dict[str, Colour]] = {
    "pale": (250, 214, 186),
    "tan": (206, 140, 84),
    "brown": (136, 84, 52),
    "mint": (140, 214, 170),
}
HAIR_COLOUR: Final[dict[str, Colour]] = {
    "black": (38, 34, 42),
    "blond": (246, 200, 66),
    "red": (204, 60, 36),
    "blue": (52, 92, 220),
    "white": (244, 244, 248),
}
HAIR_STYLE: Final = ("short", "long", "spiky", "bun", "curly")
CLOTHES: Final[dict[str, Colour]] = {
    "red shirt": (214, 48, 60),
    "yellow dress": (250, 208, 52),
    "green hoodie": (52, 150, 84),
    "blue overalls": (58, 104, 196),
    "purple coat": (126, 72, 168),
}
ACCESSORY: Final = ("none", "glasses", "hat", "scarf")
# Marks are never named in a caption: only a LoRA can learn them.
MARK: Final = ("none", "star", "odd_eyes", "stripe")

EXPRESSION: Final = ("neutral", "smiling", "angry", "sad")
YAW: Final[dict[str, float]] = {
    "front": 0.0,
    "three_quarter_left": -42.0,
    "three_quarter_right": 42.0,
    "profile_left": -90.0,
    "profile_right": 90.0,
    "back": 180.0,
}
FRAMING: Final = ("portrait", "standing", "sitting", "tpose")
BACKGROUND: Final = ("studio", "beach", "park", "night", "room")
LIGHT: Final[dict[str, Colour]] = {
    "soft": (255, 255, 255),
    "warm": (255, 240, 206),
    "cool": (224, 240, 255),
}
# The base model sees "flat" alone; the others are held out for style LoRAs.
STYLE: Final = ("flat", "ink", "watercolour", "pixel")

IDENTITY_ATTRIBUTES: Final[dict[str, tuple[str, ...]]] = {
    "skin": tuple(SKIN),
    "hair_colour": tuple(HAIR_COLOUR),
    "hair_style": HAIR_STYLE,
    "clothes": tuple(CLOTHES),
    "accessory": ACCESSORY,
    "mark": MARK,
}
SCENE_ATTRIBUTES: Final[dict[str, tuple[str, ...]]] = {
    "expression": EXPRESSION,
    "yaw": tuple(YAW),
    "framing": FRAMING,
    "background": BACKGROUND,
    "light": tuple(LIGHT),
}
ATTRIBUTES: Final = IDENTITY_ATTRIBUTES | SCENE_ATTRIBUTES
STYLED_ATTRIBUTES: Final[dict[str, tuple[str, ...]]] = ATTRIBUTES | {"style": STYLE}
