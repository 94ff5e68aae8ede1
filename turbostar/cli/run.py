"""`turbostar run`: uvicorn with every option of its own, serving the accelerated application.

uvicorn is given `turbostar.cli.run:app` instead of the user's target. Whatever process imports
that name (this one, a worker, a reloaded child) accelerates Starlette first and then imports the
target, which the environment carries, as only that reaches processes started by `spawn`.
"""

from __future__ import annotations

import copy
import multiprocessing
import os
import pathlib
import socket
import tempfile
from collections.abc import Callable
from typing import Any

from turbostar.cli.errors import UserError

__all__ = ["run"]

_TARGET = "TURBOSTAR_RUN_TARGET"
_FACTORY = "TURBOSTAR_RUN_FACTORY"
# A file into which a worker process writes why it cannot serve.
_FAILURE = "TURBOSTAR_RUN_FAILURE"


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import turbostar
    from turbostar.cli.loading import import_target, load_app

    turbostar.install()
    target = os.environ.get(_TARGET, "")
    try:
        return load_app(target, factory=True) if _FACTORY in os.environ else import_target(target)
    except UserError as exc:
        if multiprocessing.parent_process() is None:
            raise
        from uvicorn.importer import ImportFromStringError

        if _FAILURE in os.environ:
            pathlib.Path(os.environ[_FAILURE]).write_text(str(exc), encoding="utf-8")
        raise ImportFromStringError(str(exc)) from exc


def run(arguments: list[str]) -> int:
    """Serve an application: `arguments` are those of uvicorn's own command line.

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
        _serve(uvicorn_command.callback, options)

    command = copy.copy(uvicorn_command)
    command.callback = serve
    command.help = "Serve an application, accelerated. All options are uvicorn's own."
    try:
        status = command.main(arguments, prog_name="turbostar run", standalone_mode=False)
    except click.ClickException as exc:
        raise UserError(f"{exc.format_message().rstrip('.')}; see turbostar run --help") from exc
    return status if isinstance(status, int) else 0


def _serve(uvicorn: Callable[..., None], options: dict[str, Any]) -> None:
    os.environ[_TARGET] = options.pop("app")
    if options.pop("factory"):
        os.environ[_FACTORY] = "1"
    _check_address(options)

    def start() -> None:
        # The factory has been called by the time that uvicorn gets the application.
        uvicorn(app="turbostar.cli.run:app", factory=False, **options)

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
        start()
        if failure.exists():
            raise UserError(failure.read_text(encoding="utf-8"))


def _check_address(options: dict[str, Any]) -> None:
    """Find out before anything is started whether the address can be bound."""
    host, port = options["host"], options["port"]
    if options["uds"] is not None or options["fd"] is not None or not port:
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as exc:
            cause = getattr(exc, "strerror", None) or exc
            raise UserError(
                f"cannot serve on {host}:{port}: {cause}; choose another --host or --port"
            ) from exc
