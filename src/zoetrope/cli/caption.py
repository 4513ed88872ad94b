"""`zoetrope caption`: words for pictures, by hand, from a template, or by a model that looks."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoetrope.cli.output import JsonFlag, console, emit, paper, progress_bar
from zoetrope.cli.persona import Name
from zoetrope.cli.review import Pictures
from zoetrope.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zoetrope.wheel.captions import Described
    from zoetrope.wheel.state import Entry
    from zoetrope.wheel.workspace import Workspace

_BY = "person"


def caption(
    name: Name,
    pictures: Pictures = None,
    text: Annotated[str | None, typer.Option(help="The caption of one picture.")] = None,
    template: Annotated[
        str | None,
        typer.Option(help="Words for every picture without a caption; [trigger] and [name] are filled in."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="folder:PATH|URL", help="Let a vision-language model look: one on this machine, or a server's."
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Which model of the server; its only one if not given.")] = None,
    instruction: Annotated[
        str | None, typer.Option(help="What to tell the model; to say what the scene is, but not who, if not given.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="With --by: also pictures that have a caption.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Give pictures their words, and see which words there are and what is wrong with them.

    A server is any that speaks OpenAI's protocol; its key, if it wants one, is read from ZOETROPE_CAPTION_KEY.

    Example: zoetrope caption ada --template "a drawing of [trigger], [name]"

    Example: zoetrope caption ada --by http://localhost:11434/v1 --model qwen2.5vl
    """
    from zoetrope.wheel.captions import Described
    from zoetrope.wheel.workspace import open_workspace

    if sum(each is not None for each in (text, template, by)) > 1:
        raise UserError("Give one of --text, --template and --by.")
    if by is None and (model or instruction or again):
        raise UserError("--model, --instruction and --again go with --by folder:PATH or --by URL.")
    workspace = open_workspace(name)
    edited = workspace.take_in_edits()
    if by is not None:
        described = _by_model(workspace, pictures, by, model, instruction, again, as_json)
    else:
        texts = _by_hand(workspace, pictures, text, template)
        workspace.caption(texts, _BY)
        described = Described(len(texts))
    _report(workspace, described, len(edited), as_json)


def _by_hand(
    workspace: "Workspace", pictures: "Sequence[str] | None", text: str | None, template: str | None
) -> dict[str, str]:
    from zoetrope.wheel import captions
    from zoetrope.wheel.words import on_one_line

    if text is not None:
        if not pictures or len(pictures) != 1:
            raise UserError("Name the one picture that --text is for.")
        return {workspace.find(pictures[0]).sha256: on_one_line(text)}
    if template is None:
        return {}
    wanted = [workspace.find(each) for each in pictures or []] or [
        entry for entry in workspace.state().pictures.values() if not entry.caption
    ]
    return {entry.sha256: captions.from_template(template, workspace.persona, entry) for entry in wanted}


def _by_model(
    workspace: "Workspace",
    pictures: "Sequence[str] | None",
    by: str,
    model: str | None,
    instruction: str | None,
    again: bool,
    as_json: bool,
) -> "Described":
    from zoetrope.wheel.captioners import captioner_named
    from zoetrope.wheel.captioners.words import instruction_for
    from zoetrope.wheel.captions import Described, describe

    wanted = _wanted(workspace, pictures, again)
    if not wanted:
        console.print("Every picture has a caption: --again writes them anew.", highlight=False)
        return Described()
    if not as_json:
        console.print("Opening the model …", highlight=False)
    captioner = captioner_named(by, model)
    asked = instruction or instruction_for(workspace.persona)
    with progress_bar("captioning", len(wanted), as_json=as_json) as move:
        return describe(workspace, captioner, wanted, asked, move)


def _wanted(workspace: "Workspace", pictures: "Sequence[str] | None", again: bool) -> "list[Entry]":
    """The named pictures or all that may be trained on; only those without a caption unless `again`."""
    from zoetrope.wheel.captions import undescribed
    from zoetrope.wheel.state import Decision

    if pictures:
        chosen = [workspace.find(each) for each in pictures]
        return chosen if again else undescribed(chosen)
    every = list(workspace.state().pictures.values())
    return [entry for entry in every if entry.decision is not Decision.rejected] if again else undescribed(every)


def _report(workspace: "Workspace", described: "Described", edited: int, as_json: bool) -> None:
    from zoetrope.wheel import captions

    entries = list(workspace.state().pictures.values())
    lint = captions.lint(workspace.persona, entries, _max_tokens(workspace)) + captions.strays(workspace)
    tags = captions.words(workspace.persona, entries).tags()
    result: dict[str, Any] = {
        "captioned": described.written,
        "edited": edited,
        "remarks": described.remarks,
        "lint": lint,
        "tags": tags,
    }

    def show() -> None:
        paper.print(f"{described.written} captions written, {edited} hand-edited files taken in.", highlight=False)
        for fault in described.remarks + lint:
            paper.print(f"Note: {fault}", markup=False, highlight=False)
        for tag, count in list(tags.items())[:20]:
            paper.print(f"{count:5}  {tag}", markup=False, highlight=False)

    emit(result, as_json, show)


def _max_tokens(workspace: "Workspace") -> int | None:
    """What the base reads of a caption; unknown where it has left the catalogue, which is no matter here."""
    from zoetrope.models.catalogue import Catalogue

    try:
        return Catalogue().find(workspace.persona.base).defaults.max_tokens
    except UserError:
        return None
