"""A page of a workspace's pictures to look at while deciding: one HTML file, nothing else needed."""

import base64
import html
from collections.abc import Sequence
from pathlib import Path

from zoetrope.media.decode import open_picture
from zoetrope.media.errors import MediaError
from zoetrope.media.files import write_text_atomic
from zoetrope.media.thumbnails import thumbnail
from zoetrope.wheel.state import Entry
from zoetrope.wheel.workspace import Workspace

_SIDE = 320
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif; }
body { margin: 1rem; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1rem; }
figure { margin: 0; }
img { width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: .4rem; background: #8883; }
figcaption { font-size: .85rem; overflow-wrap: anywhere; }
b { display: block; }
"""


def write_contact_page(workspace: Workspace, entries: Sequence[Entry], path: Path) -> None:
    """Write the page: each picture with its number, decision and words, and the name that `keep` and `reject` take."""
    figures = "\n".join(_figure(workspace, number, entry) for number, entry in enumerate(entries, start=1))
    name = html.escape(workspace.name)
    write_text_atomic(
        path,
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{name}</title>'
        f"<style>{_STYLE}</style><h1>{name}: {len(entries)} pictures</h1><main>{figures}</main></html>\n",
    )


def _figure(workspace: Workspace, number: int, entry: Entry) -> str:
    words = html.escape(entry.caption or "no caption yet")
    name = html.escape(Path(entry.file).name[:24])
    label = f"<b>{number} · {html.escape(entry.decision.value)}</b><small>{name}</small><br>{words}"
    try:
        small = thumbnail(open_picture(workspace.path(entry)), _SIDE)
    except MediaError as error:
        return f"<figure><figcaption>{label}<br>{html.escape(str(error))}</figcaption></figure>"
    data = base64.b64encode(small).decode("ascii")
    return f'<figure><img alt="{words}" src="data:image/webp;base64,{data}"><figcaption>{label}</figcaption></figure>'
