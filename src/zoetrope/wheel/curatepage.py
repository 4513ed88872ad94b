"""What was found about a persona's pictures, as one page: what to do, what is missing, pairs, and each picture."""

import base64
import html
from collections.abc import Iterable

from zoetrope.judging.card import ANGLES, EXPRESSIONS, POSES
from zoetrope.wheel.alike import Look, Pair
from zoetrope.wheel.coverage import Coverage, spoken
from zoetrope.wheel.curate import Curation

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif; }
body { margin: 1rem auto; max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
p { margin: .5rem 0; }
ul { padding-left: 1.2rem; margin: .5rem 0; }
li { margin: .5rem 0; overflow-wrap: anywhere; }
code { display: block; margin-top: .25rem; padding: .5rem .7rem; border-radius: .4rem; background: #8882;
  font-size: .85rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; font-size: .9rem; margin-top: .75rem; }
th { font-weight: 500; text-align: left; padding: .3rem .6rem .3rem 0; }
td { text-align: center; padding: .3rem; min-width: 3rem; border: 1px solid #8884; font-variant-numeric: tabular-nums; }
td.none { background: #d9770626; }
tr > th:only-child, thead th { font-size: .8rem; }
thead th:not(:first-child) { text-align: center; padding: .3rem; }
.pairs, main { display: grid; gap: 1rem; }
.pairs { grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }
main { grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); }
figure { margin: 0; }
figure div { display: flex; gap: .25rem; }
img { width: 100%; min-width: 0; flex: 1; aspect-ratio: 1; object-fit: contain; border-radius: .4rem;
  background: #8883; }
figcaption { font-size: .85rem; overflow-wrap: anywhere; }
figcaption b, figcaption em, figcaption span { display: block; }
figcaption em { font-style: normal; font-weight: 500; }
figcaption em::before { content: "▲ "; color: #d97706; }
figcaption span { opacity: .75; }
"""


def page(found: Curation) -> str:
    """The whole page."""
    name = html.escape(found.name)
    parts = [
        f"<h1>{name}: {len(found.looks)} pictures looked at</h1>",
        "<p>Nothing was changed. What follows is advice, and what to do about it is yours.</p>",
        _todo(found),
        _coverage(found.coverage) if found.coverage else "",
        _pairs(found.pairs) if found.pairs else "",
        f"<h2>Each picture</h2><main>{''.join(_figure(found, look) for look in found.looks)}</main>",
        _list("Not measured", found.notes) if found.notes else "",
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{name}: pictures</title>'
        f"<style>{_STYLE}</style>{''.join(parts)}</html>\n"
    )


def _todo(found: Curation) -> str:
    if not found.todo:
        return "<h2>To do</h2><p>Nothing stands out.</p>"
    return f"<h2>To do</h2><ul>{''.join(f'<li>{_with_command(said)}' for said in found.todo)}</ul>"


def _with_command(said: str) -> str:
    """A command stands by itself, to be copied."""
    words, mark, command = said.partition(" zoetrope ")
    return html.escape(words) + (f"<code>zoetrope {html.escape(command)}</code>" if mark else "")


def _coverage(coverage: Coverage) -> str:
    """How many captions say what the card asks: faces by angle and expression, then whole figures."""
    heads = "".join(f"<th>{html.escape(expression)}" for expression in EXPRESSIONS)
    rows = "".join(
        f"<tr><th>{html.escape(spoken('angle', angle))}"
        + "".join(_cell(coverage.scenes.get(f"{angle}-{expression}", 0)) for expression in EXPRESSIONS)
        for angle in ANGLES
    )
    bodies = "".join(
        f"<tr><th>{html.escape(spoken('framing', pose))}{_cell(coverage.scenes.get(pose, 0))}" for pose in POSES
    )
    return (
        f"<h2>Against the model card</h2><p>{coverage.covered} of its {len(coverage.scenes)} scenes have a picture, "
        "by what the captions say. The others the wheel can only guess at first.</p>"
        f"<table><thead><tr><th>portraits{heads}</thead>{rows}</table>"
        f"<table><thead><tr><th>whole figures<th></thead>{bodies}</table>"
    )


def _cell(count: int) -> str:
    return f"<td>{count}" if count else '<td class="none">–'


def _pairs(pairs: Iterable[Pair]) -> str:
    return f'<h2>Much alike</h2><div class="pairs">{"".join(_pair(pair) for pair in pairs)}</div>'


def _pair(pair: Pair) -> str:
    better, worse = html.escape(pair.better.name), html.escape(pair.worse.name)
    likeness = "" if pair.likeness is None else f", likeness {pair.likeness:.3f}"
    return (
        f"<figure><div>{_image(pair.better)}{_image(pair.worse)}</div><figcaption><b>{better} and {worse}</b>"
        f"{pair.distance:.1%} of their hashes' bits differ{likeness}. The left one has more to learn from."
        "</figcaption></figure>"
    )


def _figure(found: Curation, look: Look) -> str:
    quality = look.quality
    remarks = "".join(f"<em>{html.escape(remark.said)}</em>" for remark in found.remarks.get(look.name, []))
    face = {None: "", True: " · a face", False: ""}[look.face]
    return (
        f"<figure>{_image(look)}<figcaption><b>{html.escape(look.name)}</b>{remarks}"
        f"<span>{quality.width}×{quality.height} · light {quality.luminance:.2f} · sharpness {quality.sharpness:.2f}"
        f"{face}</span>{html.escape(look.entry.caption or 'no caption yet')}</figcaption></figure>"
    )


def _image(look: Look) -> str:
    data = base64.b64encode(look.small).decode("ascii")
    return f'<img alt="{html.escape(look.name)}" src="data:image/webp;base64,{data}">'


def _list(title: str, said: Iterable[str]) -> str:
    return f"<h2>{title}</h2><ul>{''.join(f'<li>{html.escape(each)}' for each in said)}</ul>"
