"""Requests: what it costs to look at one."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.asgi import ClientRequest, Work
from benchmarks.cases import Case
from benchmarks.cases.requests import CASES, READ
from benchmarks.conftest import Compared, Paired
from benchmarks.sides import STOCK, TURBOSTAR, Side


@pytest.mark.parametrize("case", CASES, ids=str)
def test_requests(case: Case, compared: Compared) -> None:
    """One request to an endpoint that looks at it."""
    compared(case)


@pytest.mark.parametrize("name", READ)
def test_reading(name: str, paired: Paired) -> None:
    """A new Request, and what is read of it, without an application."""
    read, target = READ[name]
    scopes = ClientRequest(path="/items", query=b"page=2&per_page=50").scopes()

    def reading(web: Side) -> Work:
        request: Any = web.Request

        def work(times: int) -> None:
            for _ in range(times):
                read(request(scopes()))

        return work

    def scopes_alone(times: int) -> None:
        for _ in range(times):
            scopes()

    assert read(STOCK.Request(scopes())) == read(TURBOSTAR.Request(scopes()))
    paired(
        reading(STOCK),
        reading(TURBOSTAR),
        overhead=scopes_alone,
        target=target,
        name=f"Request, read {name}",
    )
