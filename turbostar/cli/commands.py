"""The sub-commands of `turbostar`, and running the one that the arguments name."""

from __future__ import annotations

import importlib
import signal
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import typer
from rich.console import Console
from rich.text import Text

import turbostar
from turbostar.cli.errors import UserError

__all__ = ["COMMANDS", "Command", "main"]

_INTERRUPTED = 128 + signal.SIGINT

_HELP = """
Serve a Starlette application faster, check that its answers are the same, and measure it.

The application stays as it is, whether it imports starlette or turbostar. With TURBOSTAR_DISABLE=1
in the environment everything runs on stock Starlette.
"""

_EPILOG = """
Examples:

- turbostar run main:app --port 8000 --workers 4
- turbostar verify main:app --requests requests.jsonl
- turbostar bench main:app --report report.html
"""


class Command(NamedTuple):
    """A sub-command: the function that typer makes it of, and its line in `turbostar --help`.

    A `raw` function is called with the list of arguments, which it parses itself.
    """

    function: str  # module:attribute, imported only when the sub-command is called
    summary: str
    raw: bool = False


# To add a sub-command, add a line.
COMMANDS = {
    "run": Command(
        "turbostar.cli.run:run", "Serve an application, accelerated (by uvicorn).", True
    ),
    "verify": Command(
        "turbostar.cli.verify.command:verify", "Compare every answer with stock Starlette's."
    ),
    "bench": Command(
        "turbostar.cli.bench.command:bench", "Measure an application against stock Starlette."
    ),
    "doctor": Command("turbostar.cli.doctor:doctor", "Tell what is fast, and why the rest is not."),
    "routes": Command("turbostar.cli.routes:routes", "List the routes of an application."),
}


def main(arguments: list[str]) -> int:
    """Run the sub-command that `arguments` name and return the exit status.

    A mistake of the user becomes one line on stderr and the exit status 2.
    """
    try:
        return _run(arguments)
    except (KeyboardInterrupt, typer.Abort):
        return _INTERRUPTED
    except UserError as exc:
        message = " ".join(str(exc).split())
    except Exception as exc:
        # Errors of the command line: typer has its own class for them or click's, depending on
        # its version; both can format themselves.
        format_message = getattr(exc, "format_message", None)
        if format_message is None:
            raise
        about = f"turbostar {arguments[0]}" if arguments[0] in COMMANDS else "turbostar"
        message = f"{str(format_message()).rstrip('.')}; see {about} --help".replace("\n", " ")
    Console(stderr=True, soft_wrap=True, highlight=False).print(Text(f"error: {message}"))
    return 2


def _run(arguments: list[str]) -> int:
    named = COMMANDS.get(arguments[0]) if arguments else None
    if named is not None and named.raw:
        status = _function(named)(arguments[1:])
    else:
        group = typer.main.get_command(_app(arguments[0] if named else None))
        status = group.main(arguments or ["--help"], prog_name="turbostar", standalone_mode=False)
    return status if isinstance(status, int) else 0


def _app(called: str | None) -> typer.Typer:
    """The command line, with the function of the sub-command that is called; no other is imported.

    So `turbostar --help` is quick, and a sub-command needs no library of the others.
    """
    app = typer.Typer(
        add_completion=False,
        help=_HELP,
        epilog=_EPILOG,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    for name, command in COMMANDS.items():
        function = _function(command) if name == called else _not_called
        app.command(name, short_help=command.summary)(function)
    return app


def _function(command: Command) -> Callable[..., Any]:
    module, _, attribute = command.function.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return function


def _not_called() -> None:
    """Stands for a sub-command in the list of them."""


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"turbostar {turbostar.__version__}\n")
        raise typer.Exit


def _options(
    version: bool = typer.Option(
        False, "--version", help="Print the version.", is_eager=True, callback=_version
    ),
) -> None:
    """The options of `turbostar` itself."""
