"""The command `turbostar record`."""

from __future__ import annotations

import pathlib
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from turbostar.cli.errors import UserError
from turbostar.cli.loading import add_app_dir, load_app
from turbostar.cli.options import AppDir, Factory
from turbostar.cli.output import check_writable, progress_console
from turbostar.cli.record.asgi import Recorder
from turbostar.cli.record.har import read_har
from turbostar.cli.record.lines import Recording

__all__ = ["record"]


def record(
    output: Annotated[
        pathlib.Path, typer.Option("--output", "-o", metavar="FILE", help="Write requests here.")
    ],
    app: Annotated[
        str | None, typer.Argument(metavar="MODULE:APP", help="The application to serve.")
    ] = None,
    from_har: Annotated[
        pathlib.Path | None,
        typer.Option(metavar="FILE", help="Take the requests from a HAR file of a browser."),
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Of the HAR file, those to this origin. [default: its first]"
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Serve on this address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Serve on this port.")] = 8000,
    redact: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Leave out values of this name, too (repeatable)."),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Write values of this name as they are (repeatable)."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE if there is one.")] = False,
    factory: Factory = False,
    app_dir: AppDir = ".",
) -> int:
    """Write the requests that an application gets into a file for verify and bench.

    The application is served (by uvicorn); use it with a browser or any client, and end it with
    Ctrl-C. Or take what a browser has saved as a HAR file. Bodies are written, too. Passwords,
    tokens, cookies and the like are not: what an answer gave is taken from the answer again when
    the requests are sent, and the rest becomes REDACTED, unless --keep says otherwise.

    Exit status: 0 recorded, 2 the application, a file or an option is unusable.
    """
    if (app is None) == (from_har is None):
        raise UserError("give either MODULE:APP or --from-har FILE; see turbostar record --help")
    if origin is not None and from_har is None:
        raise UserError("--origin goes only with --from-har; leave it out")
    console = progress_console()
    har = read_har(from_har, origin) if from_har is not None else None
    _check_output(output, force)
    recording = Recording(output, add=tuple(redact or ()), keep=tuple(keep or ()))
    if har is not None:
        for exchange in har.exchanges:
            recording.add(exchange)
        if har.others:
            _say(console, f"left out: {har.others} requests to others than {har.origin}")
    else:
        _serve(str(app), factory, app_dir, (host, port), recording, console)
    _summarise(console, recording, output)
    return 0


def _check_output(path: pathlib.Path, force: bool) -> None:
    """Fail before anything is recorded; the file is written with the first request."""
    check_writable(path, "--output")
    if not force and path.exists() and path.stat().st_size:
        raise UserError(f"{path}: exists; name another file, or overwrite it with --force")


def _serve(
    target: str,
    factory: bool,
    app_dir: str,
    address: tuple[str, int],
    recording: Recording,
    console: Console,
) -> None:
    try:
        from turbostar.cli.record.serving import serve
    except ModuleNotFoundError as exc:
        if exc.name != "uvicorn":
            raise
        raise UserError(
            "turbostar record needs uvicorn, which is missing; pip install 'turbostar[cli]'"
        ) from exc
    add_app_dir(app_dir)
    app = Recorder(load_app(target, factory=factory), recording)

    def started(url: str) -> None:
        _say(console, f"recording what is sent to {url}; Ctrl-C ends it")

    if not serve(app, address, started):
        raise UserError(f"{target}: did not start, as shown above; correct it")
    if app.shutdown_failure is not None:
        _say(console, f"the lifespan failed at the end: {app.shutdown_failure}")


def _say(console: Console, line: str) -> None:
    console.print(Text(line), soft_wrap=True)


def _summarise(console: Console, recording: Recording, output: pathlib.Path) -> None:
    count = len(recording)
    if not count:
        _say(console, "no request was recorded")
    else:
        _say(console, f"{count} request{'s' if count > 1 else ''} recorded in {output}")
    for line in recording.remarks():
        _say(console, line)
    if recording.has_left_out:
        _say(console, "--keep NAME writes values of that name as they are")
