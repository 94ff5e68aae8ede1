"""The server benchmark."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from benchmarks import served
from benchmarks.asgi import ClientRequest, ask, settled
from benchmarks.served_shapes import SHAPES, Shape
from benchmarks.server import main
from benchmarks.server_report import Sample, as_json, lines


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.key)
def test_all_sides_answer_alike(shape: Shape) -> None:
    """The raw function, stock and turbostar give one answer to each request."""
    recorded = shape.request
    request = ClientRequest(path=recorded.path, method=recorded.method, body=recorded.body)
    answers = {}
    for side, application in shape.applications.items():
        factory = application.partition("@")[0]
        messages = asyncio.run(ask(getattr(served, factory)(), request))
        if side == "raw" and shape.key == "middleware":  # it has none to add a header
            messages[0]["headers"].append((b"x-layer", b"yes"))
        answers[side] = settled(messages)
    right = answers[shape.reference]
    assert right[0]["status"] == 200
    assert all(answer == right for answer in answers.values())


def test_every_limit_is_of_sides_that_are_measured() -> None:
    """A limit of a side that nobody serves would never be missed."""
    for shape in SHAPES:
        for pair in shape.limits:
            assert set(pair) <= set(shape.applications)


def _samples(turbostar: float) -> list[Sample]:
    return [
        Sample("json", side, number, cpu * (1 + number / 10), 1000.0, 30.0)
        for number in range(3)
        for side, cpu in (
            ("raw", 20.0),
            ("stock", 40.0),
            ("turbostar", turbostar),
            ("raw, ours", 12.0),
            ("turbostar, ours", 13.0),
        )
    ]


def test_quotients_are_taken_round_by_round() -> None:
    """A machine that slows down moves both sides of a quotient, and so not the quotient."""
    shape = as_json(_samples(22.0))["shapes"]["json"]
    assert shape["ratios"]["stock / raw"] == {"median": 2.0, "low": 2.0, "high": 2.0}
    assert shape["cpu_us"]["stock"]["high"] == 48.0


@pytest.mark.parametrize(
    ("turbostar", "missed"),
    [(21.0, []), (24.0, ["raw"]), (30.0, ["raw", "stock"])],
)
def test_missed_limits_are_marked(turbostar: float, missed: list[str]) -> None:
    """The table says which limit was not kept."""
    marked = [line for line in lines(_samples(turbostar)) if line.endswith("missed")]
    assert [line.split()[3] for line in marked] == missed


def test_a_short_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Real servers are started, loaded, compared and measured; nothing of it is left."""
    for module in ("psutil", "uvicorn", "uvloop", "httptools"):
        pytest.importorskip(module)
    file = tmp_path / "server.json"
    arguments = ["--rounds", "1", "--restarts", "1", "--seconds", "0.3", "--connections", "2"]
    assert main([*arguments, "--shape", "item", "--json", str(file)]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("item")
    document = json.loads(file.read_bytes())
    sides = {sample["side"] for sample in document["samples"]}
    assert sides == {"raw", "stock", "turbostar", "raw, ours", "turbostar, ours"}
    assert all(sample["cpu_us"] > 0 for sample in document["samples"])


def test_senseless_numbers_are_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is started for a run that measures nothing."""
    assert main(["--rounds", "0"]) == 2
    assert capsys.readouterr().err.startswith("error: --rounds")
