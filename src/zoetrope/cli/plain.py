"""The console behind every command: it shows words as they are."""

from typing import Any

from rich.console import Console
from rich.text import Text

from zoetrope.cli.output import harmless


class Plain(Console):
    """Nothing in a caption or a path is markup, an emoji's name or a command to the terminal."""

    def __init__(self, *, stderr: bool, soft_wrap: bool) -> None:
        super().__init__(stderr=stderr, soft_wrap=soft_wrap, markup=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(harmless(text), **options)
