"""`zoetrope persona`: a persona's workspace from its first picture on."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoetrope.cli.output import JsonFlag, emit, paper, progress_bar
from zoetrope.errors import UserError

if TYPE_CHECKING:
    from zoetrope.wheel.events import Event
    from zoetrope.wheel.intake import Intake
    from zoetrope.wheel.state import Entry, State
    from zoetrope.wheel.workspace import Workspace

ScorerOption = Annotated[
    list[str] | None,
    typer.Option(
        help="What tells whether a picture shows it; repeat for more. As the base's makers advise if not given."
    ),
]
EditorOption = Annotated[str, typer.Option(help="The model that will edit its pictures by instruction.")]

app = typer.Typer(no_args_is_help=True, help="Personas: their sources, captions, decisions and history.")

Name = Annotated[str, typer.Argument(help="A persona, or the path of its folder.")]


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Small letters and digits; its folder's name.")],
    kind: Annotated[str, typer.Option(help="photoreal, drawn or style.")],
    consent: Annotated[
        str, typer.Option(metavar="self|granted:FILE|fictional", help="Why this person may be drawn.")
    ] = "",
    base: Annotated[str, typer.Option(help="The model to teach; see `zoetrope models list`.")] = "nano-flux",
    trigger: Annotated[str | None, typer.Option(help="The word that will stand for it; the name if not given.")] = None,
    looks: Annotated[
        str, typer.Option(help="Who it is in words: helps to draw whole figures; first versions are compared with it.")
    ] = "",
    scorer: ScorerOption = None,
    editor: EditorOption = "",
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where; `personas/NAME` in the data folder if not given.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Begin a persona. Who it is, or why it may be drawn, is recorded first.

    Example: zoetrope persona new ada --kind drawn --base nano-flux --consent fictional
    """
    from zoetrope.models.catalogue import Catalogue
    from zoetrope.wheel.persona import make_persona
    from zoetrope.wheel.workspace import new_workspace, personas_folder

    said, document = _consent(consent, kind)
    model = Catalogue().find(base)
    persona = make_persona(
        name=name,
        kind=kind,
        trigger=trigger or name,
        base=model.name,
        looks=looks,
        consent={"kind": said},
        scorers=_scorers(scorer),
        editor=_editor(editor),
    )
    workspace = new_workspace(folder or personas_folder() / name, persona, document)
    emit(
        {"name": name, "folder": str(workspace.folder), "persona": workspace.persona.model_dump(mode="json")},
        as_json,
        lambda: paper.print(f"{name} lives in {workspace.folder}. Next: zoetrope persona add {name} PICTURES"),
    )


def _consent(text: str, kind: str) -> tuple[str, Path | None]:
    if not text:
        whose = "a photoreal persona may be a real person: " if kind == "photoreal" else ""
        raise UserError(f"Say why it may be drawn: {whose}give --consent self, granted:FILE or fictional.")
    word, _, file = text.partition(":")
    if word not in ("self", "granted", "fictional") or (word == "granted") != bool(file):
        raise UserError(f"The consent {text!r} is none of self, granted:FILE (the signed document) and fictional.")
    return word, Path(file) if file else None


def _scorers(names: list[str] | None) -> tuple[str, ...]:
    from zoetrope.judging.scorers import scorer_named

    found = []
    for text in names or []:
        scorer_named(text)
        name, _, folder = text.partition(":")
        # The persona is judged from other folders than the one in which this was typed.
        found.append(f"{name}:{Path(folder).expanduser().resolve()}" if folder else name)
    return tuple(dict.fromkeys(found))


def _editor(name: str) -> str:
    from zoetrope.models.catalogue import Catalogue

    if name and not Catalogue().find(name).family.takes_image:
        raise UserError(f"{name} draws from words alone: an editor takes a picture and an instruction.")
    return name


@app.command("set")
def change(
    name: Name,
    base: Annotated[str, typer.Option(help="Another model to teach from the next round on.")] = "",
    trigger: Annotated[str, typer.Option(help="Another word that stands for it.")] = "",
    looks: Annotated[str | None, typer.Option(help="Who it is in words.")] = None,
    scorer: ScorerOption = None,
    editor: EditorOption = "",
    as_json: JsonFlag = False,
) -> None:
    """Decide otherwise about a persona; what it was before stays in its log.

    Example: zoetrope persona set ada --scorer nano_identity
    """
    from zoetrope.models.catalogue import Catalogue
    from zoetrope.wheel.captions import lint
    from zoetrope.wheel.workspace import open_workspace

    said = {
        "base": Catalogue().find(base).name if base else None,
        "trigger": trigger or None,
        "looks": looks,
        "scorers": _scorers(scorer) or None,
        "editor": _editor(editor) or None,
    }
    chosen = {field: value for field, value in said.items() if value is not None}
    if not chosen:
        raise UserError("Say what to change: --base, --trigger, --looks, --scorer or --editor.")
    workspace = open_workspace(name)
    changed = workspace.change(**chosen)
    remarks = lint(workspace.persona, list(workspace.state().pictures.values())) if trigger else []

    def show() -> None:
        for event in changed:
            paper.print(_sentence(event), markup=False, highlight=False)
        for remark in remarks or ([] if changed else ["Nothing is other than it was."]):
            paper.print(remark, markup=False, highlight=False)

    emit({"changed": [event.model_dump(mode="json") for event in changed], "lint": remarks}, as_json, show)


@app.command()
def add(
    name: Name,
    paths: Annotated[list[Path], typer.Argument(help="Pictures, folders or ZIP archives; a .txt beside is a caption.")],
    as_json: JsonFlag = False,
) -> None:
    """Add pictures as sources: all of them, or none if one is bad.

    Example: zoetrope persona add ada drawings
    """
    from zoetrope.wheel.intake import add_sources
    from zoetrope.wheel.workspace import open_workspace

    _tell_taken(add_sources(open_workspace(name), paths), as_json)


def _tell_taken(taken: "Intake", as_json: bool) -> None:
    emit({"added": list(taken.added), "known": list(taken.known)}, as_json, lambda: paper.print(taken.told()))


@app.command()
def sources(
    name: Name,
    from_model: Annotated[str, typer.Option(metavar="MODEL", help="Who draws; see `zoetrope models list`.")],
    prompts: Annotated[
        Path, typer.Option(metavar="FILE", help="One prompt a line; [trigger] is drawn as its looks say.")
    ],
    seed: Annotated[int, typer.Option(min=0, help="The first picture's; each next one takes the next.")] = 1,
    per_prompt: Annotated[int, typer.Option(min=1, help="How many pictures of each prompt.")] = 1,
    as_json: JsonFlag = False,
) -> None:
    """Begin a style or a fictional persona with a model's own pictures, as sources: all of them or none.

    Stopped and given again, it goes on where it was.

    Example: zoetrope persona sources storybook --from-model nano-flux --prompts prompts.txt
    """
    from zoetrope.engines.local.engine import LocalEngine
    from zoetrope.wheel.compare import read_prompts
    from zoetrope.wheel.firstsources import draw_sources
    from zoetrope.wheel.workspace import open_workspace

    workspace, said = open_workspace(name), read_prompts(prompts)
    with progress_bar("drawing sources", len(said) * per_prompt, as_json=as_json) as move:
        taken = draw_sources(workspace, LocalEngine(), from_model, said, seed=seed, per_prompt=per_prompt, on_done=move)
    _tell_taken(taken, as_json)


@app.command()
def migrate(name: Name, as_json: JsonFlag = False) -> None:
    """Bring the files of a persona that an older Zoetrope wrote up to date.

    Example: zoetrope persona migrate ada
    """
    from zoetrope.wheel.migrate import migrate as bring_up
    from zoetrope.wheel.workspace import find_workspace

    done = bring_up(find_workspace(name))

    def show() -> None:
        for each in done.applied:
            paper.print(f"Applied: {each}", highlight=False)
        if done.known:
            paper.print(f"Up to date already: {', '.join(done.known)}", highlight=False)

    emit({"applied": list(done.applied), "known": list(done.known)}, as_json, show)


@app.command()
def status(name: Name, as_json: JsonFlag = False) -> None:
    """Show where a persona stands: its pictures, decisions and versions.

    Example: zoetrope persona status ada
    """
    from zoetrope.wheel.workspace import open_workspace

    workspace = open_workspace(name)
    state = workspace.state()
    emit(_told(workspace, state), as_json, lambda: _show_status(workspace, state))


@app.command("list")
def list_personas(as_json: JsonFlag = False) -> None:
    """Show every persona in the data folder.

    Example: zoetrope persona list
    """
    from zoetrope.wheel.workspace import PERSONA, Workspace, personas_folder

    found = [Workspace(path.parent) for path in sorted(personas_folder().glob(f"*/{PERSONA}"))]
    told, faults = [], []
    for workspace in found:
        try:
            told.append(_told(workspace, workspace.state()))
        except UserError as error:
            # One that is damaged must not hide the others.
            faults.append(str(error))

    def show() -> None:
        for each in told:
            paper.print(f"{each['name']}: {len(each['pictures'])} pictures, {len(each['versions'])} versions")
        for fault in faults:
            paper.print(f"Note: {fault}", highlight=False)
        if not found:
            paper.print("No persona yet: zoetrope persona new NAME --kind drawn --consent fictional")

    emit({"personas": told, "faults": faults}, as_json, show)


@app.command()
def log(name: Name, as_json: JsonFlag = False) -> None:
    """Show everything that happened, oldest first.

    Example: zoetrope persona log ada
    """
    from zoetrope.wheel.workspace import open_workspace

    events = open_workspace(name).log.read()

    def show() -> None:
        for event in events:
            paper.print(f"{event.number:5} {event.at:%Y-%m-%d %H:%M} {_sentence(event)}", highlight=False, markup=False)

    emit({"events": [event.model_dump(mode="json") for event in events]}, as_json, show)


@app.command()
def undo(name: Name, as_json: JsonFlag = False) -> None:
    """Take back the last step: pictures added, captions, decisions, settings. Again takes back the one before.

    Example: zoetrope persona undo ada
    """
    from zoetrope.wheel.workspace import open_workspace

    taken = open_workspace(name).undo()
    counts = Counter(event.kind for event in taken)
    emit(
        {"undone": [event.number for event in taken]},
        as_json,
        lambda: paper.print(f"Taken back: {', '.join(f'{n} × {kind}' for kind, n in counts.items())}."),
    )


@app.command()
def doctor(
    name: Name,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Write again whatever follows from the events.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Check every hash, caption and event, and mend what can be mended safely; exit 1 if something remains.

    Example: zoetrope persona doctor ada
    """
    from zoetrope.wheel.doctor import examine
    from zoetrope.wheel.doctor import healthy as all_well
    from zoetrope.wheel.workspace import open_workspace

    findings = examine(open_workspace(name), rebuild=rebuild)
    healthy = all_well(findings)

    def show() -> None:
        for finding in findings:
            paper.print(finding.what, markup=False, highlight=False)
        paper.print("All is well." if healthy else "Some of it needs you.")

    emit({"healthy": healthy, "findings": [vars(finding) for finding in findings]}, as_json, show)
    if not healthy:
        raise typer.Exit(1)


def _told(workspace: "Workspace", state: "State") -> dict[str, Any]:
    return {
        "name": workspace.name,
        "folder": str(workspace.folder),
        "pictures": [_picture(entry) for entry in state.pictures.values()],
        "versions": [vars(version) for version in state.versions],
        "round": state.round,
    }


def _picture(entry: "Entry") -> dict[str, Any]:
    return {
        "sha256": entry.sha256,
        "file": entry.file,
        "origin": entry.origin.value,
        "caption": entry.caption,
        "decision": entry.decision.value,
        "reason": entry.reason.value if entry.reason else None,
    }


def _show_status(workspace: "Workspace", state: "State") -> None:
    from rich.table import Table

    table = Table("picture", "from", "decision", "caption", title=f"{workspace.name}, round {state.round}")
    for entry in state.pictures.values():
        decision = f"{entry.decision.value} ({entry.reason.value})" if entry.reason else entry.decision.value
        table.add_row(_short(Path(entry.file).name), entry.origin.value, decision, entry.caption)
    paper.print(table)
    if not state.pictures:
        paper.print(f"No pictures yet: zoetrope persona add {workspace.name} PICTURES")


def _short(name: str) -> str:
    """A made picture is called by its hash, of which the start is enough to name it."""
    return name if len(name) <= 24 else name[:12]


def _sentence(event: "Event") -> str:
    said = event.model_dump(mode="json", exclude={"number", "batch", "at", "schema_version", "kind"})
    words = [f"{key}={value[:12] if key == 'sha256' else value}" for key, value in said.items() if value]
    return " ".join([event.kind, *words])
