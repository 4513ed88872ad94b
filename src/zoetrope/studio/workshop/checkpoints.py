"""Earlier checkpoints of a round as LoRAs of the library, to be tried and compared like any other."""

from pathlib import Path

from zoetrope.errors import UserError
from zoetrope.studio.loras.library import read_sheet, take
from zoetrope.studio.loras.models import Lora, Origin
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.wheel.workspace import Workspace, round_folder

# As the trainer calls it, which would bring all of torch along.
KEPT = "checkpoints"


def kept(workspace: Workspace, number: int) -> list[int]:
    """After how many steps a round's training kept one."""
    return sorted(int(path.stem) for path in (_training(workspace, number) / KEPT).glob("*.safetensors"))


def bring(persona: Persona, number: int) -> list[Lora]:
    """Take a round's into the library, each named by its step; nobody draws with one unless told to."""
    workspace = workspace_of(persona)
    versions = [version.number for version in workspace.state().versions if version.round == number]
    steps = kept(workspace, number)
    if not steps or not versions:
        raise UserError("This round kept no earlier checkpoints; a turn keeps some where that is asked for.")
    folder = _training(workspace, number)
    # Of the last, which was exported: all it says but two things holds for these too.
    sheet = read_sheet(folder / f"{workspace.name}.json") | {"version": versions[-1]}
    del sheet["sha256"]
    return [
        take(
            persona.space,
            folder / KEPT / f"{step:06}.safetensors",
            sheet | {"name": f"{workspace.name} at {step}"[:80], "steps": step},
            Origin.turn,
            persona,
        )
        for step in steps
    ]


def _training(workspace: Workspace, number: int) -> Path:
    return round_folder(workspace, number) / "training"
