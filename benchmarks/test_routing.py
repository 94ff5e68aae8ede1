"""Routing: finding the route of a path among many, and the path of a route among many."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.asgi import ClientRequest, Work
from benchmarks.cases import Case
from benchmarks.cases.routing import CASES, route_table
from benchmarks.conftest import Compared, Paired
from benchmarks.sides import STOCK, TURBOSTAR, Side


@pytest.mark.parametrize("case", CASES, ids=str)
def test_routing(case: Case, compared: Compared) -> None:
    """One request of a route table."""
    compared(case)


def _url_path_for(web: Side) -> Any:
    app: Any = route_table(web, 400)
    return app.url_path_for


def _url_for(web: Side) -> Any:
    app: Any = route_table(web, 400)
    return web.Request({**ClientRequest().scopes()(), "app": app}).url_for


@pytest.mark.parametrize(
    ("name", "build"), [("url_path_for", _url_path_for), ("Request.url_for", _url_for)]
)
def test_url_for(name: str, build: Any, paired: Paired) -> None:
    """The last of 400 names; of a Request, which then makes a URL of the path."""
    stock, turbostar = build(STOCK), build(TURBOSTAR)
    for group in (0, 57, 99):
        values = {"id": 123, "item": "first"}
        expected = str(stock(f"part{group}", **values))
        assert expected.endswith(f"/resources{group}/123/items/first")
        assert str(turbostar(f"part{group}", **values)) == expected
    paired(_naming(stock), _naming(turbostar), target=150, name=f"{name} among 400 names")


def _naming(make: Any) -> Work:
    def work(times: int) -> None:
        for _ in range(times):
            make("part99", id=123, item="first")

    return work
