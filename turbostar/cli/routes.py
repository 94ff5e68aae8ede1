"""The command `turbostar routes`: the routes of an application, one a line."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from turbostar._explain.places import Place, application_of, walk
from turbostar.cli.errors import UserError
from turbostar.cli.loading import add_app_dir, load_app
from turbostar.cli.options import App, AppDir, Factory
from turbostar.cli.output import JsonFile, check_writable, screen, write_json

__all__ = ["new_table", "print_table", "routes", "target_of"]


def routes(
    app: App,
    factory: Factory = False,
    app_dir: AppDir = ".",
    json: JsonFile = None,
) -> int:
    """List the routes of an application in the order in which they are matched.

    Paths hold those of the mounts above, names are as url_for takes them.

    Exit status: 0, or 2 if the application or an option is unusable.
    """
    check_writable(json, "--json")
    add_app_dir(app_dir)
    loaded = load_app(app, factory=factory)
    holder = loaded if hasattr(loaded, "routes") else application_of(loaded)
    if holder is None:
        raise UserError(
            f"{app}: has no routes; name a Starlette or FastAPI application or a Router"
        )
    places = list(walk(holder))
    print_table(screen(json, soft_wrap=True, markup=False), _table(places))
    if json is not None:
        write_json(json, [_as_data(place) for place in places])
    return 0


def _table(places: list[Place]) -> Table:
    table = new_table("Kind", "Path", "Methods", "Name", "Endpoint")
    for place in places:
        methods = ", ".join(place.methods) if place.methods else _unlimited(place)
        table.add_row(place.kind, Text(place.path), methods, place.name, place.endpoint)
    return table


def new_table(*columns: str) -> Table:
    """Return an empty table without lines."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def print_table(console: Console, table: Table) -> None:
    """Print one line a row, however narrow the terminal is: rows are searched and piped."""
    unlimited = console.options.update(width=10_000)
    console.width = max(console.width, console.measure(table, options=unlimited).maximum)
    console.print(table)


def _unlimited(place: Place) -> str:
    return "any" if place.kind == "HTTP" else ""


def target_of(place: Place) -> str:
    """The methods of a route, or its kind where it has none."""
    return ", ".join(place.methods or ()) or _unlimited(place) or place.kind


def _as_data(place: Place) -> dict[str, Any]:
    names = ("path", "methods", "name", "kind", "endpoint", "depth")
    return {name: getattr(place, name) for name in names}
