"""The shop that is wired by turbostar.di: the application, its tests' clock, and its worker."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from examples.wired_shop import app, di
from examples.wired_shop.services import Clock
from examples.wired_shop.worker import main
from turbostar.cli.commands import main as turbostar

REQUESTS = Path(__file__).parents[2] / "examples" / "wired_shop" / "requests.jsonl"


class Frozen(Clock):
    def now(self) -> datetime.datetime:
        return datetime.datetime(2026, 5, 6, tzinfo=datetime.UTC)


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(app) as client, di.override({Clock: Frozen()}):
        yield client


def test_the_wiring_is_right() -> None:
    """And nothing in it is unused."""
    di.validate()
    assert [row.provides for row in di.audit().unused] == []


def test_an_order(client: TestClient) -> None:
    """It is there afterwards, at the time of the test's clock."""
    answer = client.post("/orders", json={"customer": "ada", "product": 2, "count": 3})
    assert answer.status_code == 201
    (order,) = client.get("/orders/ada").json()
    assert order["ordered"] == "2026-05-06T00:00:00+00:00"
    assert order["count"] == 3


def test_what_fails_is_rolled_back(client: TestClient) -> None:
    """One unit of work for each request."""
    answer = client.post("/orders", json={"customer": "alan", "product": 99})
    assert answer.status_code == 409
    assert client.get("/orders/alan").json() == []


def test_more_requests_than_connections(client: TestClient) -> None:
    """Each gives its connection back."""
    assert {client.get("/products").status_code for _ in range(10)} == {200}


@pytest.mark.parametrize("body", [{}, {"customer": 1, "product": "x"}, {"other": 1}])
def test_wrong_orders_are_refused(client: TestClient, body: dict[str, Any]) -> None:
    """With the places that are wrong."""
    answer = client.post("/orders", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_the_worker(capsys: pytest.CaptureFixture[str]) -> None:
    """The same container without a web application."""
    asyncio.run(main(["grace", "nobody"]))
    assert capsys.readouterr().out == "grace: Teapot\nnobody: nothing\n"


def test_turbostar_answers_as_stock(capsys: pytest.CaptureFixture[str]) -> None:
    """Every recorded request, below the same container."""
    assert turbostar(["verify", "examples.wired_shop:app", "--requests", str(REQUESTS)]) == 0
