"""The truth about a drawing: what was drawn, and which of it can be seen."""

from dataclasses import asdict
from typing import Any

from zoetrope.world.drawer import Point, face_yaw
from zoetrope.world.figure import Identity, Scene
from zoetrope.world.vocabulary import ATTRIBUTES

SMALL_HEAD_FRAMINGS = ("standing", "sitting", "tpose")
"""Framings whose faces are too small to be judged."""


def values(identity: Identity, scene: Scene) -> dict[str, str]:
    """Every attribute's value, seen or not."""
    return {name: getattr(identity if hasattr(identity, name) else scene, name) for name in ATTRIBUTES}


def visible(identity: Identity, scene: Scene) -> dict[str, bool]:
    """Which attributes a careful observer can tell from the picture."""
    degrees = scene.degrees
    large = scene.framing not in SMALL_HEAD_FRAMINGS
    face = abs(degrees) <= 100.0
    hair = identity.accessory != "hat"
    return {
        "skin": not (
            abs(degrees) > 150.0 and hair and identity.hair_style == "long" and not _bare_legs(identity, large)
        ),
        "hair_colour": hair,
        "hair_style": hair,
        "clothes": True,
        "accessory": identity.accessory in ("hat", "scarf") or (face and large),
        "mark": large and _mark_shows(identity.mark, degrees),
        "expression": face and large,
        "yaw": large,
        "framing": not (_side_on(degrees) and scene.framing in ("standing", "tpose")),
        "background": True,
        "light": True,
    }


def _bare_legs(identity: Identity, portrait: bool) -> bool:
    """From behind, long hair leaves of the skin two hands of a few pixels, unless the legs are bare."""
    return identity.clothes == "yellow dress" and not portrait


def _side_on(degrees: float) -> bool:
    """Arms stretched out to the sides point at the viewer: a T-pose looks like standing."""
    return 70.0 <= abs(degrees) <= 110.0


def _mark_shows(mark: str, degrees: float) -> bool:
    """A cheek's star turns away with its cheek; odd eyes need both eyes; so no mark is sure only near the front."""
    match mark:
        case "star":
            return degrees >= -100.0 and face_yaw(degrees) <= 30.0
        case "odd_eyes":
            return abs(degrees) <= 60.0
        case "stripe":
            return abs(degrees) <= 100.0
        case _:
            return face_yaw(degrees) <= 30.0 and abs(degrees) <= 60.0


def record(identity: Identity, scene: Scene, joints: dict[str, Point], caption: str) -> dict[str, Any]:
    """The truth as it is written beside a drawing."""
    return {
        "schema_version": 1,
        "caption": caption,
        "identity": asdict(identity),
        "scene": asdict(scene),
        "visible": visible(identity, scene),
        "joints": {name: [round(x, 4), round(y, 4)] for name, (x, y) in joints.items()},
    }
