"""Briefs that the tests of writing start from."""

from typing import Any

from zoetrope.studio.personas.models import Emoji, Tone, Voice
from zoetrope.studio.writing.seam import Brief, Caption
from zoetrope.studio.writing.writers.template import TemplateWriter


def voice(**said: Any) -> Voice:
    return Voice(**({"topics": ["coffee", "slow travel"], "attributes": ["warm"], "emoji": Emoji.none} | said))


def brief(**said: Any) -> Brief:
    """Ada's; what is said goes before."""
    told: dict[str, Any] = {"voice": voice(), "persona": "Ada", "pillar": "Morning rituals"}
    told |= {"picture_says": "portrait of ada, smiling, front, beach, soft light"}
    return Brief(**(told | said))


def good(of: Brief, seed: int = 0) -> Caption:
    """A caption that holds every rule of this brief."""
    return TemplateWriter(seed).captions(of, 1)[0]


TONES = list(Tone)
