"""The sub-commands of `turbostar`, and running the one that the arguments name."""

from __future__ import annotations

import functools
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

import typer
from rich.console import Console
from rich.text import Text

import turbostar
from turbostar.cli import configuration, general
from turbostar.cli.errors import InterruptedByUser, UserError
from turbostar.cli.precedence import settle_before

__all__ = ["COMMANDS", "Command", "main"]

_INTERRUPTED = 128 + signal.SIGINT
_COMPLETION = "_TURBOSTAR_COMPLETE"  # set by a shell that wants to complete a command

_HELP = """
Serve a Starlette application faster, check that its answers are the same, and measure it.

The application stays as it is, whether it imports starlette or turbostar. With TURBOSTAR_DISABLE=1
in the environment everything runs on stock Starlette. Options may stand in the environment, as in
TURBOSTAR_BENCH_ROUNDS=5, and in pyproject.toml under [tool.turbostar].
"""

_EPILOG = """
Examples:

- turbostar run main:app --port 8000 --workers 4
- turbostar verify main:app --requests requests.jsonl
- turbostar bench main:app --report report.html

Documentation: {documentation}
"""


class Command(NamedTuple):
    """A sub-command: the function that typer makes it of, and its line in `turbostar --help`.

    A `raw` function is called with the list of arguments, which it parses itself.
    """

    function: str  # module:attribute, imported only when the sub-command is called
    summary: str
    raw: bool = False
    exclusive: tuple[tuple[str, ...], ...] = ()
    """Parameters of which the stronger source decides, those that go together in one tuple."""


# typer's own words take three lines.
_SHORTER = {
    "install_completion": "Complete commands in this shell.",
    "show_completion": "Print the shell's part of that.",
}

# To add a sub-command, add a line.
COMMANDS = {
    "run": Command(
        "turbostar.cli.run:run", "Serve an application, accelerated (by uvicorn).", True
    ),
    "verify": Command(
        "turbostar.cli.verify.command:verify", "Compare every answer with stock Starlette's."
    ),
    "record": Command(
        "turbostar.cli.record.command:record",
        "Serve an application, and record its requests.",
        exclusive=(("app",), ("from_har", "origin")),
    ),
    "bench": Command(
        "turbostar.cli.bench.command:bench",
        "Measure an application against stock Starlette.",
        exclusive=(("quick",), ("duration", "rounds")),
    ),
    "doctor": Command("turbostar.cli.doctor:doctor", "Tell what is fast, and why the rest is not."),
    "di": Command("turbostar.cli.di:di", "List what a container provides, and who uses it."),
    "routes": Command("turbostar.cli.routes:routes", "List the routes of an application."),
}


def main(arguments: list[str]) -> int:
    """Run the sub-command that `arguments` name and return the exit status.

    A mistake of the user becomes one line on stderr and the exit status 2.
    """
    general.reset()
    called = _called(arguments)
    status = 2
    try:
        return _run(arguments, called)
    except (KeyboardInterrupt, typer.Abort):
        message, status = "interrupted", _INTERRUPTED
    except UserError as exc:
        _show_traceback()
        message, status = " ".join(str(exc).split()), exc.status
    except Exception as exc:
        # Errors of the command line: typer has its own classes for them or click's, depending on
        # its version, and uvicorn's command always click's.
        if type(exc).__name__ == "Abort":
            message, status = "interrupted", _INTERRUPTED
        elif (format_message := getattr(exc, "format_message", None)) is None:
            raise
        else:
            about = f"turbostar {called}" if called else "turbostar"
            text = str(format_message()).rstrip(".").replace("\n", " ")
            message = f"{text}{_origin(exc)}; see {about} --help"
    Console(stderr=True, soft_wrap=True, highlight=False).print(Text(f"error: {message}"))
    return status


def _called(arguments: list[str]) -> str | None:
    """The sub-command that is named, after general options."""
    for position, argument in enumerate(arguments):
        if argument in COMMANDS and arguments[position - 1 : position] != ["--color"]:
            return argument
        if not argument.startswith("-") and arguments[position - 1 : position] != ["--color"]:
            return None
    return None


def _run(arguments: list[str], called: str | None) -> int:
    command = COMMANDS[called] if called else None
    raw = command is not None and command.raw and _COMPLETION not in os.environ
    group = typer.main.get_command(_app(None if raw else called))
    for each in (group, *_commands(group).values()):
        each.params = [*each.params, *general.general_options()]
        for parameter in each.params:
            parameter.show_envvar = False  # the manual says how they are named
            parameter.help = _SHORTER.get(parameter.name, getattr(parameter, "help", None))
    before = arguments
    given = {}
    if command is not None and called is not None and raw:
        before = arguments[: arguments.index(called) + 1]
    elif command is not None and called is not None:
        if command.exclusive:
            settle_before(_commands(group)[called], *command.exclusive)
        options = _commands(group)[called].params
        for parameter in options:
            if parameter.param_type_name == "argument":  # click leaves them out
                parameter.envvar = f"TURBOSTAR_{called}_{parameter.name}".upper()
        given = {called: configuration.defaults(called, COMMANDS, options)}
    status = group.main(
        before or ["--help"],
        prog_name="turbostar",
        standalone_mode=False,
        auto_envvar_prefix="TURBOSTAR",
        default_map=given,
    )
    if command is not None and raw:
        status = _function(command)(arguments[len(before) :], COMMANDS)
    return status if isinstance(status, int) else 0


def _app(called: str | None) -> typer.Typer:
    """The command line, with the function of the sub-command that is called; no other is imported.

    So `turbostar --help` is quick, and a sub-command needs no library of the others. Completion
    looks at all of them.
    """
    app = typer.Typer(
        context_settings={"help_option_names": ["-h", "--help"]},
        help=_HELP,
        epilog=_EPILOG.format(documentation=general.documentation()),
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    for name, command in COMMANDS.items():
        function: Callable[..., Any] = _not_called
        if _COMPLETION in os.environ:
            function = _completed(command)
        elif name == called:
            function = _silenced(_function(command))
        app.command(name, short_help=command.summary)(function)
    return app


def _commands(group: Any) -> dict[str, Any]:
    commands: dict[str, Any] = group.commands
    return commands


def _function(command: Command) -> Callable[..., Any]:
    module, _, attribute = command.function.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return function


def _silenced(function: Callable[..., Any]) -> Callable[..., Any]:
    """A sub-command that shows nothing if --quiet is given, which is known once it is called."""

    @functools.wraps(function)
    def run(*arguments: Any, **options: Any) -> Any:
        try:
            with general.silenced():
                return function(*arguments, **options)
        except KeyboardInterrupt:
            # Some versions of typer would make a bare exit status of it.
            raise InterruptedByUser("interrupted") from None

    return run


def _completed(command: Command) -> Callable[..., Any]:
    """A function with the options of a sub-command, to complete them."""
    module = importlib.import_module(command.function.partition(":")[0])
    return module.completed() if command.raw else _function(command)


def _not_called() -> None:
    """Stands for a sub-command in the list of them."""


def _origin(exc: Any) -> str:
    """Where a wrong value comes from, if not from the command line."""
    context, parameter = getattr(exc, "ctx", None), getattr(exc, "param", None)
    if context is None or parameter is None:
        return ""
    source = getattr(context.get_parameter_source(parameter.name), "name", "")
    if source == "DEFAULT_MAP":
        return f" (from {os.environ.get(configuration.VARIABLE, 'pyproject.toml')})"
    return " (from the environment)" if source == "ENVIRONMENT" else ""


def _show_traceback() -> None:
    if general.settings.verbose:
        traceback.print_exc()


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
