"""The command `turbostar bench`."""

from __future__ import annotations

import pathlib
from typing import Annotated

import typer
from rich.console import Console

from turbostar.cli.bench import environment
from turbostar.cli.bench.measure import WrongAnswer, measure
from turbostar.cli.bench.optional import load, require
from turbostar.cli.bench.plan import Measured, Plan
from turbostar.cli.bench.progress import ProgressBar
from turbostar.cli.bench.results import Result, Verification
from turbostar.cli.bench.sending import announce
from turbostar.cli.bench.servers import Application, Software, event_loop
from turbostar.cli.bench.table import print_result
from turbostar.cli.bench.verified import unverified, verified
from turbostar.cli.bench.wrk import require_wrk
from turbostar.cli.errors import UserError
from turbostar.cli.options import AppDir, Factory, IgnoreHeader, Requests, UnsafeMethods
from turbostar.cli.output import (
    JsonFile,
    check_writable,
    progress_console,
    screen,
    write_file,
    write_json,
)
from turbostar.cli.request_file import read_requests
from turbostar.cli.signals import ended_by_signals

__all__ = ["bench"]

_SECONDS, _ROUNDS = 3.0, 7
_QUICK_BUDGET = 18.0  # seconds of load, which with all else makes some 35
_QUICK_ROUNDS = 5


def bench(
    app: Annotated[str, typer.Argument(metavar="MODULE:APP", help="The application, unedited.")],
    requests: Requests = None,
    unsafe_methods: UnsafeMethods = False,
    duration: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0.1, help="How long a round takes. [default: 3]"),
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Rounds on each side, for each mix. [default: 7]")
    ] = None,
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
    ignore_header: IgnoreHeader = None,
    server: Annotated[
        Software,
        typer.Option(
            help="What serves: uvicorn or granian on both sides, or turbostar, which is uvicorn "
            "with turbostar's protocol class for B alone."
        ),
    ] = Software.UVICORN,
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
    json: JsonFile = None,
    report: Annotated[
        pathlib.Path | None, typer.Option(metavar="FILE", help="Write a page with plots, as HTML.")
    ] = None,
    factory: Factory = False,
    app_dir: AppDir = ".",
) -> int:
    """Measure an application: stock Starlette (A) against turbostar (B), in turns.

    First all answers are verified. Then fresh servers of both kinds take turns under the same
    load; every answer is compared with stock's, and a wrong or missing one ends the benchmark.
    The table gives requests/s, latency, server CPU per request and peak memory, of the pair of
    neighbouring rounds with the middle B/A, and the lowest and highest of all rounds.

    Without --requests, every route is verified with GET, HEAD and OPTIONS and measured with GET;
    WebSockets are opened and closed. Nothing else is sent unless --unsafe-methods asks for it. A
    request file is sent as written, and what is not marked "bench": false many thousand times.

    Exit status: 0 measured, 1 an answer was wrong, 2 the application or an option is unusable.
    """
    console, progress = screen(json), progress_console()
    require(["psutil", "uvicorn", "httptools", *(["jinja2"] if report else [])])
    require([server.value] if server is Software.GRANIAN else [])
    if wrk:
        require_wrk()
    check_writable(json, "--json")
    check_writable(report, "--report")
    if quick:
        _check_alone(duration=duration, rounds=rounds)
    rounds = rounds or (_QUICK_ROUNDS if quick else _ROUNDS)
    application = Application(app, factory, app_dir, server)
    ignored = tuple(ignore_header or ())
    recorded = None if requests is None else read_requests(requests)
    generations = min(rounds, restarts or max(2, rounds // 3))
    if recorded is not None:
        announce(progress, recorded, verify, generations)
    facts = environment.describe(server)
    try:
        with ended_by_signals():
            if verify:
                chosen = verified(
                    application, recorded, ignored, progress, unsafe_methods=unsafe_methods
                )
            else:
                chosen = unverified(application, recorded)
            if not chosen.same:
                raise WrongAnswer(
                    f"{app}: turbostar answers differently, as shown above; nothing was measured"
                )
            plan = Plan(
                application=application,
                requests=chosen.requests,
                seconds=duration or _SECONDS,
                rounds=rounds,
                restarts=generations,
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
        errors = Console(stderr=True, highlight=False)
        errors.print(f"error: {exc}", style="red", markup=False, soft_wrap=True)
        return 1
    result = _result(plan, measured, chosen.verification, facts)
    _deliver(result, console, json, report)
    return 0


def _deliver(
    result: Result, console: Console, json: str | None, report: pathlib.Path | None
) -> None:
    """Show the result, and write it where that is wanted."""
    print_result(result, console)
    if json is not None:
        write_json(json, result)
    if report is not None:
        page = load("turbostar.cli.bench.report").render(result)
        write_file(report, page.encode(), "--report")
        console.print(f"report: {report}", markup=False)


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
            "server": plan.application.software.described,
            "pinned to cores": plan.pin and len(environment.usable_cores()) > 1,
        },
        environment=facts,
        verification=verification,
        answers_compared=measured.answers,
        mixes=measured.mixes,
        notes=measured.notes,
        left_out=measured.left_out,
    )


def _check_alone(**options: object) -> None:
    """Check that nothing is given which --quick decides."""
    for name, value in options.items():
        if value is not None:
            raise UserError(f"--quick and --{name} exclude each other; leave one of them out")
