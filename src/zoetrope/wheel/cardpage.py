"""A model card to look at: as one picture and as one page, each scene beside the same scene of the card before."""

import html
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoetrope.media.decode import open_picture
from zoetrope.media.sheet import BAD, FAINT, GOOD, Tile, contact_sheet, pair, png

_ACROSS = 5
_SIDE = 132
_INKS = {True: GOOD, False: BAD, None: FAINT}
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif; }
body { margin: 1rem auto; max-width: 75rem; padding: 0 1rem; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 13rem), 1fr)); gap: 1rem; }
figure { margin: 0; }
figure div { display: flex; gap: .25rem; }
img { width: 100%; min-width: 0; flex: 1; border-radius: .4rem; }
figcaption { font-size: .85rem; }
table { border-collapse: collapse; }
td, th { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
td:last-child { opacity: .75; }
b { font-weight: inherit; white-space: nowrap; }
"""
MEANINGS = {
    "passing": "share that the scorers take for the persona; more is better",
    "likeness": "how near to its sources, 1 is the same; more is better",
    "no_face": "share in which a scorer found nobody; less is better",
    "adherence": "share that shows its own scene better than the others; more is better",
    "copied": "nearness to the picture learned from that is most alike, 1 is a copy; less is better",
    "diversity": "how different the pictures are from each other; more is better",
}
CAUTION = (
    "A scorer sees less than you do. The base was told in words who it is and may pass without a mark that only the "
    "sources show: look at the pairs below."
)


def sheet(title: str, here: Path, before: Path) -> bytes:
    """The card as a PNG: in each pair the card before is on the left."""
    tiles = [
        Tile(pair(_picture(before, each), _picture(here, each), _SIDE), each["label"], _INKS[each["passes"]])
        for each in _told(here)["pictures"]
    ]
    rows = [tiles[start : start + _ACROSS] for start in range(0, len(tiles), _ACROSS)]
    return png(contact_sheet(f"{title_of(before)} (left), {title} (right)", rows, side=_SIDE, wide=2 * _SIDE))


def page(title: str, here: Path, before: Path) -> str:
    """The card as HTML, with the scores of both."""
    now, past = _told(here), _told(before)["scores"]
    name, earlier = html.escape(title), html.escape(title_of(before))
    rows = "".join(_row(key, value, past.get(key)) for key, value in now["scores"].items())
    way = os.path.relpath(before, here)
    figures = "".join(_figure(each, Path(way).as_posix()) for each in now["pictures"])
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{name}</title>'
        f"<style>{_STYLE}</style><h1>{name}</h1>"
        f"<table><tr><th>measure<th>now<th>{earlier}<th>what it says{rows}</table><p>{CAUTION}</p>"
        f"<p>In each pair on the left: {earlier}.</p><main>{figures}</main></html>\n"
    )


def _row(measure: str, now: float, before: float | None) -> str:
    return f"<tr><th>{html.escape(measure)}<td>{now:.3f}<td>{_number(before)}<td>{MEANINGS.get(measure, '')}"


def _told(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    return told


def title_of(folder: Path) -> str:
    """What a card is called: its version, or the base that knows the persona by words alone."""
    version = _told(folder)["version"]
    return f"v{version}" if version else "the base, in words"


def _picture(folder: Path, told: Mapping[str, Any]) -> Any:
    return open_picture(folder / f"{told['scene']}.png").image


def _mark(told: Mapping[str, Any]) -> str:
    return {True: "✓ ", False: "✗ ", None: ""}[told["passes"]]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _figure(told: Mapping[str, Any], before: str) -> str:
    scene, label = html.escape(told["scene"]), html.escape(told["label"])
    verdict = "" if told["likeness"] is None else f" <b>· {_mark(told)}{told['likeness']:.2f}</b>"
    old, new = f'<img alt="{label}, before" src="{before}/{scene}.png">', f'<img alt="{label}" src="{scene}.png">'
    return f"<figure><div>{old}{new}</div><figcaption>{label}{verdict}</figcaption></figure>"
