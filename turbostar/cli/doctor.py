"""The command `turbostar doctor`: what of an application is fast, and why the rest is not."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

import turbostar
from turbostar._attach.kill_switch import DISABLED
from turbostar._explain.handlers import HandlerReport
from turbostar._explain.reasons import Reason, is_fastapi
from turbostar._explain.report import Report, build_stack, explain
from turbostar._explain.routes import RouteReport
from turbostar._explain.stack import Layer, is_swapped
from turbostar.cli import general
from turbostar.cli.diagnosis import FASTAPI_IN_SHORT, Advice, Traffic, as_data
from turbostar.cli.errors import UserError
from turbostar.cli.loading import add_app_dir, load_app
from turbostar.cli.options import App, AppDir, Factory
from turbostar.cli.output import JsonFile, check_writable, screen, write_json
from turbostar.cli.request_file import read_requests
from turbostar.cli.routes import new_table, print_table, target_of

__all__ = ["doctor", "examine"]

_FRAMEWORKS = {"fastapi", "starlette", "turbostar"}

_MODES = {
    "installed": "turbostar.install() is in force",
    "swapped": "the application swapped its imports",
    "stock": "stock Starlette",
}


def doctor(
    app: App,
    requests: Annotated[
        pathlib.Path | None,
        typer.Option(metavar="FILE", help="Tell what share of these requests is fast."),
    ] = None,
    factory: Factory = False,
    app_dir: AppDir = ".",
    json: JsonFile = None,
) -> int:
    """Tell what of an application is on the fast path, and of the rest, why not.

    The application is imported, as `turbostar run` would do it, and its middleware stack is built;
    it is sent no request. One that swapped its imports is examined as it is, without install()
    unless it calls it.

    Exit status: 0, or 2 if the application or an option is unusable.
    """
    check_writable(json, "--json")
    recorded = None if requests is None else read_requests(requests)
    loaded, report = examine(app, factory=factory, app_dir=app_dir)
    own = {app.partition(":")[0].partition(".")[0], type(loaded).__module__.partition(".")[0]}
    advice = Advice(own - _FRAMEWORKS, general.documentation())
    traffic = None if recorded is None else Traffic.of(loaded, report, recorded)
    _show(screen(json, soft_wrap=True, markup=False), report, advice, traffic)
    if json is not None:
        write_json(json, as_data(report, advice, traffic))
    return 0


def examine(target: str, *, factory: bool = False, app_dir: str = ".") -> tuple[Any, Report]:
    """Import an application and explain it; return both.

    Raises:
        UserError: it cannot be imported, or one of its middleware raises when it is made.
    """
    add_app_dir(app_dir)
    with _install_calls() as calls:
        app = load_app(target, factory=factory)
    if not DISABLED and is_swapped(app) and not calls:
        turbostar.uninstall()
    try:
        build_stack(app)
    except Exception as exc:
        raise UserError(
            f"{target}: building its middleware stack raised {type(exc).__name__}: {exc}; "
            "correct the arguments of the middleware"
        ) from exc
    return app, explain(app)


@contextlib.contextmanager
def _install_calls() -> Iterator[list[None]]:
    """Count the calls of `turbostar.install` by the application, for ours hides their effect."""
    install, calls = turbostar.install, list[None]()

    def counted() -> None:
        calls.append(None)
        install()

    try:
        install()
        turbostar.install = counted
        yield calls
    finally:
        turbostar.install = install


# On the screen


class _Footnotes:
    """Reasons with their numbers; many routes share one."""

    def __init__(self) -> None:
        self.numbers: dict[Reason, int] = {}

    def refer(self, *reasons: Reason) -> str:
        found = [self.numbers.setdefault(reason, len(self.numbers) + 1) for reason in reasons]
        return " ".join(f"[{number}]" for number in found)


def _show(console: Console, report: Report, advice: Advice, traffic: Traffic | None) -> None:
    footnotes = _Footnotes()
    console.print(Text(report.summary, style="bold"))
    if traffic is not None:
        _show_traffic(console, traffic)
    _show_accelerations(console, report)
    if any(is_fastapi(type(route.place.router)) for route in report.routes):
        console.print(FASTAPI_IN_SHORT)
    if report.layers:
        console.print(Text("\nMiddleware, from the outside in", style="bold"))
        print_table(console, _layers(report.layers, footnotes))
    if report.routes:
        console.print(Text("\nRoutes, in their order", style="bold"))
        print_table(console, _routes(report.routes, footnotes))
    if report.handlers:
        console.print(Text("\nHandlers supplied by turbostar.di", style="bold"))
        print_table(console, _handlers(report.handlers))
    for reason, number in footnotes.numbers.items():
        change = advice.change(reason)
        shown = [f"[{number}] {reason.cause}", *([f"    -> {change}"] if change else [])]
        shown.append(f"    {advice.link(reason)}")
        console.print(("\n" if number == 1 else "") + "\n".join(shown))


def _show_traffic(console: Console, traffic: Traffic) -> None:
    console.print(traffic.summary)
    for route, number in traffic.slow_routes().items():
        console.print(f"  {number} {'is' if number == 1 else 'are'} not: {route}")


def _show_accelerations(console: Console, report: Report) -> None:
    refused = [standing for standing in report.standings if not standing.in_force]
    in_force = len(report.standings) - len(refused)
    console.print(
        f"{in_force} of {len(report.standings)} accelerations in force "
        f"({_MODES[report.mode]}; the list: turbostar/_guard/table.py)"
    )
    by_reason: dict[str, list[str]] = {}
    for standing in refused:
        by_reason.setdefault(standing.reason, []).append(_short(standing.target))
    for reason, targets in by_reason.items():
        which = "all" if len(targets) == len(report.standings) else ", ".join(targets)
        console.print(f"  refused: {which}: {reason}")
    for patch in report.patches:
        console.print(f"  {_short(patch.target)} has been replaced by {patch.by}")


def _layers(layers: tuple[Layer, ...], footnotes: _Footnotes) -> Table:
    split = layers[-1].task > 1
    table = new_table("Layer", "Defined", "State", *(["Task"] if split else []), "Why")
    for layer in layers:
        why = footnotes.refer(*layer.reasons, *layer.notes)
        task = [str(layer.task)] if split else []
        state = Text(layer.state, style="yellow" if layer.reasons else "green")
        table.add_row(layer.name, layer.defined.partition(":")[0], state, *task, why)
    return table


def _routes(routes: Iterable[RouteReport], footnotes: _Footnotes) -> Table:
    table = new_table("Path", "Methods", "Name", "Matched", "Run", "Fast", "Why")
    for route in routes:
        place = route.place
        table.add_row(
            Text("  " * place.depth + place.path),
            target_of(place),
            place.name,
            route.matched,
            route.run,
            _yes(route.fast),
            footnotes.refer(*route.reasons, *route.notes),
        )
    return table


def _handlers(handlers: Iterable[HandlerReport]) -> Table:
    table = new_table("Handler", "Defined", "Run", "Compiled", "Why")
    for each in handlers:
        table.add_row(each.name, each.where, each.run, _yes(not each.reason), Text(each.reason))
    return table


def _short(target: str) -> str:
    return target.replace(":", ".")


def _yes(value: bool) -> Text:
    return Text("yes", style="green") if value else Text("no", style="yellow")
