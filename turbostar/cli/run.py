"""`turbostar run`: uvicorn with every option of its own, serving the accelerated application.

uvicorn is given `turbostar.cli.run:app` instead of the user's target. Whatever process imports
that name (this one, a worker, a reloaded child) accelerates Starlette first and then imports the
target, which the environment carries, as only that reaches processes started by `spawn`.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import logging
import multiprocessing
import os
import pathlib
import signal
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator
from types import FrameType
from typing import Any

from turbostar.cli import addresses, configuration, general, protocols
from turbostar.cli.errors import InterruptedByUser, UserError
from turbostar.cli.precedence import is_given, settle

__all__ = ["APPLICATION", "FACTORY", "TARGET", "run"]

#: What a server imports: the accelerated application, which these variables name.
APPLICATION = "turbostar.cli.run:app"
TARGET = "TURBOSTAR_RUNTARGET"
FACTORY = "TURBOSTAR_RUNFACTORY"
# A file into which a worker process writes why it cannot serve.
_FAILURE = "TURBOSTAR_RUN_FAILURE"
# A file that the worker makes which says how much is accelerated: the others need not.
_ANNOUNCED = "TURBOSTAR_RUN_ANNOUNCED"


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import turbostar

    turbostar.install()
    app = globals()["app"] = _load(os.environ.get(TARGET, ""))  # uvicorn asks twice
    _announce()
    return app


def _load(target: str) -> Any:
    from turbostar.cli.loading import import_target, load_app

    in_worker = multiprocessing.parent_process() is not None
    try:
        with _interruptible(in_worker):
            if FACTORY in os.environ:
                return load_app(target, factory=True)
            return import_target(target)
    except KeyboardInterrupt as exc:
        number = exc.args[0] if exc.args else signal.SIGINT
        raise InterruptedByUser(f"interrupted while importing {target}", number) from None
    except UserError as exc:
        if not in_worker:
            raise
        from uvicorn.importer import ImportFromStringError

        if _FAILURE in os.environ:
            pathlib.Path(os.environ[_FAILURE]).write_text(str(exc), encoding="utf-8")
        raise ImportFromStringError(str(exc)) from exc


@contextlib.contextmanager
def _interruptible(in_worker: bool) -> Iterator[None]:
    """Let signals end an import, which uvicorn's own handlers would wait for."""

    def end(number: int, frame: FrameType | None) -> None:
        if in_worker:
            os._exit(128 + number)  # the process above tells why
        raise KeyboardInterrupt(number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _announce() -> None:
    """Say once, in uvicorn's log, how much is accelerated."""
    if _ANNOUNCED in os.environ:
        try:
            os.close(os.open(os.environ[_ANNOUNCED], os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return  # another worker has said it
    import turbostar
    from turbostar._explain.report import activity

    found = activity(os.environ.get(TARGET, "APP"))
    logger = logging.getLogger("uvicorn.error")
    logger.info("turbostar %s: %s", turbostar.__version__, found)
    if (advice := protocols.advice()) is not None:
        logger.info(advice)


def run(arguments: list[str], commands: Collection[str] = ("run",)) -> int:
    """Serve an application: `arguments` are those of uvicorn's own command line.

    Args:
        arguments: of the command line, after `turbostar run`.
        commands: the names of all sub-commands, which have tables of their own in pyproject.toml.

    Returns:
        The exit status.

    Raises:
        UserError: uvicorn is missing, an argument is wrong, the application cannot be imported, or
            the address cannot be bound.
    """
    try:
        import click
        from uvicorn.main import main as uvicorn_command
    except ModuleNotFoundError as exc:
        library = (exc.name or "").partition(".")[0]
        raise UserError(
            f"turbostar run needs {library}, which is missing; pip install 'turbostar[cli]'"
        ) from exc

    def serve(**options: Any) -> None:
        assert uvicorn_command.callback is not None
        _settle(click.get_current_context(), options)
        _serve(uvicorn_command.callback, options)

    command = copy.copy(uvicorn_command)
    command.callback = serve
    command.help = (
        "Serve an application, accelerated. APP is module:attribute, or a module with one "
        "application. All options but the last three are uvicorn's own, and its environment "
        "variables (UVICORN_PORT and so on) hold."
    )
    command.epilog = f"Documentation: {general.documentation()}"
    given = configuration.defaults("run", commands, command.params)
    own = [protocols.offered(each) for each in command.params]
    command.params = [*own, *_general_options(click)]
    command.context_settings = {**command.context_settings, "help_option_names": ["-h", "--help"]}
    try:
        status = command.main(
            arguments, prog_name="turbostar run", standalone_mode=False, default_map=given
        )
    except click.ClickException as exc:
        raise UserError(f"{exc.format_message().rstrip('.')}; see turbostar run --help") from exc
    return status if isinstance(status, int) else 0


def completed() -> Callable[..., None]:
    """A function with uvicorn's options, in the form in which typer completes them."""
    import typer
    from uvicorn.main import main as uvicorn_command

    def nothing(**options: Any) -> None:
        """Stands for the command."""

    parameters = []
    for each in uvicorn_command.params:
        if each.param_type_name == "option":
            kind = bool if getattr(each, "is_flag", False) else str
            found = typer.Option(None, *each.opts, *each.secondary_opts)
            parameters.append(
                inspect.Parameter(
                    str(each.name), inspect.Parameter.KEYWORD_ONLY, default=found, annotation=kind
                )
            )
    vars(nothing)["__signature__"] = inspect.Signature(parameters)
    nothing.__annotations__ = {each.name: each.annotation for each in parameters}
    return nothing


def _general_options(click: Any) -> list[Any]:
    """-v, -q and --color, in the form in which uvicorn's command takes options."""

    def applied(name: str) -> Callable[..., None]:
        return lambda context, parameter, value: general.apply(**{name: value})

    switch: dict[str, Any] = {"is_flag": True, "expose_value": False}
    colors = click.Choice([color.value for color in general.Color])
    return [
        click.Option(
            ["--verbose", "-v"],
            help="Log level debug, and a traceback with each error.",
            callback=applied("verbose"),
            **switch,
        ),
        click.Option(
            ["--quiet", "-q"], help="Log level warning.", callback=applied("quiet"), **switch
        ),
        click.Option(
            ["--color"],
            type=colors,
            help="Colours of the log.",
            callback=applied("color"),
            expose_value=False,
        ),
    ]


def _settle(context: Any, options: dict[str, Any]) -> None:
    """Let what the command line says prevail, where options exclude each other."""
    host, port = options["host"], options["port"]
    settle(context, ("uds",), ("fd",), ("host", "port"))
    settle(context, ("reload",), ("workers",))
    options |= context.params | {"host": host, "port": port}  # which have no value for "none"
    for name, chosen in (
        ("log_level", general.settings.quiet or general.settings.verbose),
        ("use_colors", general.settings.color is not None),
    ):
        if chosen and not is_given(context, name):
            options[name] = None


def _apply_general_options(options: dict[str, Any]) -> None:
    if options["log_level"] is None and general.settings.quiet:
        options["log_level"] = "warning"
    elif options["log_level"] is None and general.settings.verbose:
        options["log_level"] = "debug"
    if options["use_colors"] is None and os.environ.get("NO_COLOR"):
        options["use_colors"] = False
    elif options["use_colors"] is None and os.environ.get("FORCE_COLOR"):
        options["use_colors"] = True


def _serve(uvicorn: Callable[..., None], options: dict[str, Any]) -> None:
    os.environ[TARGET] = options.pop("app")
    if options.pop("factory"):
        os.environ[FACTORY] = "1"
    addresses.check(options)
    options["http"] = protocols.chosen(options["http"], http2=bool(options.get("http2")))
    _apply_general_options(options)

    def start() -> None:
        # The factory has been called by the time that uvicorn gets the application.
        uvicorn(app=APPLICATION, factory=False, **options)

    if _has_workers(options):
        _with_workers(start)
    else:
        start()


def _has_workers(options: dict[str, Any]) -> bool:
    workers = options["workers"] or os.environ.get("WEB_CONCURRENCY", "1")
    return not options["reload"] and str(workers) != "1"


def _with_workers(start: Callable[[], None]) -> None:
    """Let workers that cannot import the application say so once, as an error of this process."""
    with tempfile.TemporaryDirectory(prefix="turbostar-run-") as directory:
        failure = pathlib.Path(directory, "failure")
        os.environ[_FAILURE] = str(failure)
        os.environ[_ANNOUNCED] = str(pathlib.Path(directory, "announced"))
        start()
        if failure.exists():
            raise UserError(failure.read_text(encoding="utf-8"))
