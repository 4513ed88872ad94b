"""The command line: one file a command group, each light to import so that `--help` answers at once."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from zoetrope import __version__
from zoetrope.cli import models, persona, world
from zoetrope.cli.caption import caption
from zoetrope.cli.card import card
from zoetrope.cli.choose import choose
from zoetrope.cli.compare import compare
from zoetrope.cli.curate import curate
from zoetrope.cli.demo import demo
from zoetrope.cli.generate import generate
from zoetrope.cli.output import harmless
from zoetrope.cli.review import correct, keep, reject, review
from zoetrope.cli.studio import studio
from zoetrope.cli.train import train
from zoetrope.cli.turn import turn
from zoetrope.errors import UserError


class Shell(TyperGroup):
    """A user's mistake becomes one sentence on stderr and exit code 2; anything unexpected keeps its traceback."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        def run() -> Any:
            return super(Shell, self).main(args, prog_name, complete_var, False, windows_expand_args, **extra)

        if not standalone_mode:
            return run()
        try:
            code = run()
        except UserError as error:
            _complain(str(error))
            code = 2
        except typer.TyperException as error:
            said = error.format_message()
            # A group called without a command arrives here too, with its help for a message.
            if said.startswith("Usage:"):
                typer.echo(said, err=True)
            else:
                _complain(said + _where_to_look(error))
            code = error.exit_code
        except typer.Abort:
            _complain("stopped, because the question was not answered.")
            code = 1
        raise SystemExit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("Stopped: files already finished are kept, nothing half-written is left.", err=True)
            raise typer.Exit(130) from None


def _complain(message: str) -> None:
    typer.echo("Error: " + harmless(" ".join(message.splitlines())), err=True)


def _where_to_look(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    return f" (see {context.command_path} --help)" if context else ""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"zoetrope {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=Shell,
    name="zoetrope",
    context_settings={"max_content_width": 120},
    rich_markup_mode=None,  # help in plain words answers in half the time
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def zoetrope(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """A local-first studio for consistent characters.

    Example: zoetrope demo
    """


app.command()(studio)
app.command()(demo)
app.command()(generate)
for command in (curate, caption, review, keep, reject, correct, train, card, choose, turn, compare):
    app.command()(command)
app.add_typer(persona.app, name="persona", no_args_is_help=True)
app.add_typer(models.app, name="models", no_args_is_help=True)
app.add_typer(world.app, name="world", no_args_is_help=True)


def main() -> None:
    """The `zoetrope` command."""
    app(prog_name="zoetrope")
