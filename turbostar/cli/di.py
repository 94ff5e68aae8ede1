"""The command `turbostar di`: what a container provides, and who uses it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from turbostar.cli.errors import UserError
from turbostar.cli.loading import Kind, add_app_dir, import_target
from turbostar.cli.options import AppDir
from turbostar.cli.output import JsonFile, check_writable, screen, write_json
from turbostar.cli.routes import new_table, print_table
from turbostar.di.audit import Audit
from turbostar.di.container import Container
from turbostar.di.errors import WiringErrors
from turbostar.di.plot import FORMS, draw

__all__ = ["di"]

_CONTAINER = Kind(
    name="container",
    full_name="turbostar.di.Container",
    attribute="di",
    alone="turbostar.di.Container",
    otherwise="name a module that has one",
    is_one=lambda found: isinstance(found, Container),
    can_be=lambda found: isinstance(found, Container),
)


def di(
    container: Annotated[str, typer.Argument(metavar="MODULE:CONTAINER", help="The container.")],
    app_dir: AppDir = ".",
    graph: Annotated[
        str | None, typer.Option(metavar="FORM", help=f"Draw instead: {', '.join(FORMS)}.")
    ] = None,
    json: JsonFile = None,
) -> int:
    """List what a container provides: in which scope, for whom, and what nobody uses.

    The module is imported and the container is validated; nothing is built.

    Exit status: 0; 1 if the wiring has faults; 2 if the container or an option is unusable.
    """
    if graph is not None and graph not in FORMS:
        raise UserError(f"--graph {graph}: no such form; choose one of {', '.join(FORMS)}")
    check_writable(json, "--json")
    add_app_dir(app_dir)
    found: Container = import_target(container, _CONTAINER)
    try:
        found.validate()
    except WiringErrors as errors:
        Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(str(errors))
        return 1
    report = found.audit()
    if graph is not None:
        sys.stdout.write(draw(report, graph))
        return 0
    _show(screen(json, soft_wrap=True, markup=False), report)
    if json is not None:
        write_json(json, [asdict(row) for row in report.rows])
    return 0


def _show(console: Console, report: Audit) -> None:
    table = new_table("Provides", "By", "Defined", "Scope", "Width", "Users", "State")
    for row in report.rows:
        state = Text(row.state, style="green" if row.state in ("used", "given") else "yellow")
        table.add_row(
            Text(row.provides), Text(row.by), row.where, row.scope, row.width, str(row.users), state
        )
    print_table(console, table)
    count = len(report.handlers)
    console.print(f"\n{len(report.rows)} providers, {count} handler{'' if count == 1 else 's'}")
    for about, rows in (("unused", report.unused), ("shadowed", report.shadowed)):
        if rows:
            console.print(f"{about}: {', '.join(row.provides for row in rows)}")
