"""The command `turbostar bench`."""

from __future__ import annotations

import pathlib
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from turbostar.cli.bench import environment
from turbostar.cli.bench.measure import Measured, Plan, WrongAnswer, measure
from turbostar.cli.bench.optional import load, require
from turbostar.cli.bench.processes import ended_by_signals
from turbostar.cli.bench.progress import ProgressBar
from turbostar.cli.bench.results import Result, Verification
from turbostar.cli.bench.servers import Application, event_loop, http_protocol
from turbostar.cli.bench.table import print_result
from turbostar.cli.bench.verified import unverified, verified
from turbostar.cli.bench.wrk import require_wrk
from turbostar.cli.errors import UserError
from turbostar.cli.options import AppDir, Factory
from turbostar.cli.recorded import read_requests

__all__ = ["bench"]

_QUICK_BUDGET = 18.0  # seconds of load, which with all else makes some 35
_QUICK_ROUNDS = 5
_INTERRUPTED = 130


def bench(
    app: Annotated[str, typer.Argument(metavar="MODULE:APP", help="The application, unedited.")],
    requests: Annotated[
        pathlib.Path | None,
        typer.Option(metavar="FILE", help="Recorded requests, JSON Lines. [default: derived]"),
    ] = None,
    duration: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="How long a round takes.")
    ] = 3.0,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds on each side, for each mix.")] = 7,
    restarts: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How often both servers start afresh. [default: a third of rounds, 2 at least]",
        ),
    ] = None,
    connections: Annotated[int, typer.Option(min=1, help="Keep-alive connections.")] = 32,
    mix: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Measure this request mix only (repeatable)."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Short rounds: some 35 s in all, for a first look.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Verify all answers first.")
    ] = True,
    ignore_header: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Do not compare this response header (repeatable)."),
    ] = None,
    wrk: Annotated[bool, typer.Option("--wrk", help="Load with wrk, found on PATH.")] = False,
    pin: Annotated[
        bool, typer.Option("--pin/--no-pin", help="Hold servers and load to cores of their own.")
    ] = True,
    port: Annotated[
        int,
        typer.Option(
            min=0,
            max=65534,
            help="Listen here and on the next. [default: free ones]",
            show_default=False,
        ),
    ] = 0,
    json: Annotated[
        pathlib.Path | None, typer.Option(metavar="FILE", help="Write all figures here as JSON.")
    ] = None,
    report: Annotated[
        pathlib.Path | None, typer.Option(metavar="FILE", help="Write a page with plots, as HTML.")
    ] = None,
    factory: Factory = False,
    app_dir: AppDir = ".",
) -> int:
    """Measure an application: stock Starlette (A) against turbostar (B), in turns.

    First all answers are verified. Then fresh servers of both kinds take turns under the same
    load; every answer is compared with stock's, and a wrong or missing one ends the benchmark.
    The table gives requests/s, latency, server CPU per request and peak memory: the median over
    the rounds with the lowest and highest, and B/A by pairs of neighbouring rounds.

    Exit status: 0 measured, 1 an answer was wrong, 2 the application or an option is unusable.
    """
    console, progress = Console(highlight=False), Console(stderr=True, highlight=False)
    require(["psutil", "uvicorn", *(["matplotlib", "jinja2"] if report else [])])
    if wrk:
        require_wrk()
    for path in (json, report):
        _check_writable(path)
    rounds = _QUICK_ROUNDS if quick else rounds
    application, ignored = Application(app, factory, app_dir), tuple(ignore_header or ())
    recorded = None if requests is None else read_requests(requests)
    facts = environment.describe()
    try:
        with ended_by_signals():
            if verify:
                chosen = verified(application, recorded, ignored, progress)
            else:
                chosen = unverified(application, recorded)
            if not chosen.same:
                raise WrongAnswer(
                    f"{app}: turbostar answers differently, as shown above; nothing was measured"
                )
            plan = Plan(
                application=application,
                requests=chosen.requests,
                seconds=duration,
                rounds=rounds,
                restarts=min(rounds, restarts or max(2, rounds // 3)),
                connections=connections,
                mixes=tuple(mix or ()),
                ignored_headers=ignored,
                port=port,
                pin=pin,
                wrk=wrk,
                budget=_QUICK_BUDGET if quick else None,
            )
            with ProgressBar(progress) as bar:
                measured = measure(plan, bar)
    except WrongAnswer as exc:
        progress.print(f"error: {exc}", style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        progress.print("error: interrupted; no figures", style="red")
        return _INTERRUPTED
    result = _result(plan, measured, chosen.verification, facts)
    print_result(result, console)
    if json is not None:
        _write(json, msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")
    if report is not None:
        _write(report, load("turbostar.cli.bench.report").render(result).encode())
        console.print(f"report: {report}", markup=False)
    return 0


def _result(
    plan: Plan, measured: Measured, verification: Verification, facts: dict[str, str]
) -> Result:
    return Result(
        application=plan.application.target,
        settings={
            "rounds": plan.rounds,
            "seconds": measured.seconds,
            "restarts": plan.restarts,
            "connections": plan.connections,
            "load": "wrk" if plan.wrk else "turbostar's own, asyncio",
            "event loop": event_loop(),
            "HTTP parser": http_protocol(),
            "pinned to cores": plan.pin and len(environment.usable_cores()) > 1,
        },
        environment=facts,
        verification=verification,
        answers_compared=measured.answers,
        mixes=measured.mixes,
        notes=measured.notes,
        left_out=measured.left_out,
    )


def _check_writable(path: pathlib.Path | None) -> None:
    """Fail before the work rather than after it."""
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise UserError(f"{path}: cannot be written; name a file in an existing directory")


def _write(path: pathlib.Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as exc:
        raise UserError(f"{path}: {exc.strerror or exc}; name a file that can be written") from exc
