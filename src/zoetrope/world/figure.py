"""Who is drawn and how: the two records a drawing is made from."""

from dataclasses import dataclass

from zoetrope.world import vocabulary as words


@dataclass(frozen=True)
class Identity:
    """What stays the same in every picture of one persona."""

    skin: str
    hair_colour: str
    hair_style: str
    clothes: str
    accessory: str = "none"
    mark: str = "none"

    def __post_init__(self) -> None:
        _check(self, words.IDENTITY_ATTRIBUTES)


@dataclass(frozen=True)
class Scene:
    """What changes from picture to picture; `turn` is the deviation in degrees from the named yaw."""

    expression: str = "neutral"
    yaw: str = "front"
    framing: str = "portrait"
    background: str = "studio"
    light: str = "soft"
    style: str = "flat"
    turn: float = 0.0

    def __post_init__(self) -> None:
        _check(self, words.SCENE_ATTRIBUTES | {"style": words.STYLE})

    @property
    def degrees(self) -> float:
        """The yaw in (-180, 180]; negative looks to the viewer's left."""
        degrees = (words.YAW[self.yaw] + self.turn + 180.0) % 360.0 - 180.0
        return 180.0 if degrees == -180.0 else degrees


@dataclass(frozen=True)
class Jitter:
    """Small accidents of a drawing, in sixty-fourths of its side."""

    dx: float = 0.0
    dy: float = 0.0
    scale: float = 1.0
    horizon: float = 0.0
    prop: float = 0.0


STEADY = Jitter()
"""No accident at all."""


def _check(record: Identity | Scene, allowed: dict[str, tuple[str, ...]]) -> None:
    for name, values in allowed.items():
        if getattr(record, name) not in values:
            raise ValueError(f"{name} must be one of {', '.join(values)}, not {getattr(record, name)!r}")
