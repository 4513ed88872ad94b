"""The blind comparison to look at: a sheet without names, and a page that asks which is better before it tells."""

import base64
import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoetrope.media.sheet import Tile, contact_sheet, pair, png

if TYPE_CHECKING:
    from PIL.Image import Image

_ACROSS = 3
_SIDE = 176
_LABEL = 44


@dataclass(frozen=True)
class Pair:
    """One prompt, drawn twice."""

    number: int
    prompt: str
    left: "Image"
    right: "Image"
    one_left: bool


def sheet(pairs: Sequence[Pair]) -> bytes:
    """Every pair with its prompt, and no name."""
    tiles = [Tile(pair(each.left, each.right, _SIDE), f"{each.number}. {_short(each.prompt)}") for each in pairs]
    rows = [tiles[start : start + _ACROSS] for start in range(0, len(tiles), _ACROSS)]
    return png(contact_sheet("Which is better, left or right?", rows, side=_SIDE, wide=2 * _SIDE))


def page(pairs: Sequence[Pair], one: str, other: str) -> str:
    """One file: pair by pair by mouse or keyboard, an undo, and at the end who won, with an interval."""
    shown = [{"prompt": each.prompt, "left": _data(each.left), "right": _data(each.right)} for each in pairs]
    # Not a secret, only out of sight: whoever reads the source knows anyway what they are doing.
    key = base64.b64encode(json.dumps([each.one_left for each in pairs]).encode()).decode()
    data = {"pairs": shown, "key": key, "names": [one, other]}
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Which is better?</title>'
        f"<style>{_STYLE}</style>{_BODY}"
        f'<script id="data" type="application/json">{json.dumps(data).replace("<", chr(92) + "u003c")}</script>'
        f"<script>{_SCRIPT}</script></html>\n"
    )


def _short(prompt: str) -> str:
    return prompt if len(prompt) <= _LABEL else prompt[: _LABEL - 1] + "…"


def _data(image: "Image") -> str:
    return html.escape("data:image/png;base64," + base64.b64encode(png(image)).decode("ascii"))


_STYLE = """
:root { color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif; }
body { margin: 1rem auto; max-width: 60rem; padding: 0 1rem; }
main { display: flex; gap: .75rem; }
main button { flex: 1; min-width: 0; padding: .25rem; border: 2px solid #8886; border-radius: .6rem; background: none; }
main button:hover, main button:focus-visible { border-color: #c60; outline: none; }
img { display: block; width: 100%; border-radius: .4rem; image-rendering: auto; }
p { min-height: 2.8em; }
footer { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; margin-top: .75rem; }
footer button { font: inherit; padding: .4rem .9rem; }
progress { flex: 1 1 8rem; }
td, th { padding: .2rem 1rem .2rem 0; text-align: left; }
"""

_BODY = """
<h1>Which is better?</h1>
<section id="asking">
<p id="prompt"></p>
<main>
<button id="left" aria-label="The left one is better"><img alt="left"></button>
<button id="right" aria-label="The right one is better"><img alt="right"></button>
</main>
<footer>
<button id="even">Neither (space)</button><button id="undo">Undo (u)</button>
<progress id="progress" value="0"></progress><span>← and → choose</span>
</footer>
</section>
<section id="told" hidden><table id="table"></table><p id="verdict"></p><button id="again">Undo (u)</button></section>
"""

_SCRIPT = """
const data = JSON.parse(document.getElementById("data").textContent);
const key = JSON.parse(atob(data.key));
const choices = [];
const find = (id) => document.getElementById(id);
function interval(won, total) {
  const z = 1.96, share = won / total, base = 1 + z * z / total;
  const middle = (share + z * z / (2 * total)) / base;
  const wide = z / base * Math.sqrt(share * (1 - share) / total + z * z / (4 * total * total));
  return [middle - wide, middle + wide];
}
function tell() {
  const won = [0, 0];
  choices.forEach((choice, number) => {
    if (choice !== "even") won[(choice === "left") === key[number] ? 0 : 1] += 1;
  });
  const even = choices.length - won[0] - won[1];
  const table = find("table");
  table.replaceChildren();
  [[data.names[0], won[0]], [data.names[1], won[1]], ["neither", even]].forEach((cells) => {
    const row = table.insertRow();
    cells.forEach((cell) => { row.insertCell().textContent = cell; });
  });
  const decided = won[0] + won[1];
  const best = won[0] >= won[1] ? 0 : 1;
  const [low, high] = decided ? interval(won[best], decided) : [0, 1];
  const span = `${Math.round(low * 100)} to ${Math.round(high * 100)} %`;
  find("verdict").textContent = low > 0.5
    ? `${data.names[best]} is better: chosen in ${span} of such pairs.`
    : `No clear winner: ${data.names[best]} would be chosen in ${span} of such pairs.`;
}
function show() {
  const done = choices.length === data.pairs.length;
  find("asking").hidden = done;
  find("told").hidden = !done;
  if (done) { tell(); return; }
  const pair = data.pairs[choices.length];
  find("prompt").textContent = `${choices.length + 1} of ${data.pairs.length}: ${pair.prompt}`;
  find("left").firstElementChild.src = pair.left;
  find("right").firstElementChild.src = pair.right;
  find("progress").max = data.pairs.length;
  find("progress").value = choices.length;
}
function choose(choice) { if (choices.length < data.pairs.length) { choices.push(choice); show(); } }
function undo() { choices.pop(); show(); }
["left", "right", "even"].forEach((id) => find(id).addEventListener("click", () => choose(id)));
["undo", "again"].forEach((id) => find(id).addEventListener("click", undo));
document.addEventListener("keydown", (event) => {
  const keys = { ArrowLeft: "left", ArrowRight: "right", " ": "even" };
  if (event.key in keys) { event.preventDefault(); choose(keys[event.key]); }
  if (event.key === "u") undo();
});
show();
"""
