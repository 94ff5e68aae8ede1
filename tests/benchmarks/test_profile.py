"""The entry points of the profilers."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import profile
from benchmarks.profile import CASES, find_case, main
from turbostar.cli.errors import UserError


def test_a_case_is_found_by_part_of_its_name() -> None:
    """The whole name wins over a beginning, and a beginning over a part."""
    assert find_case("json, 1").name == "JSON, 1 route"
    assert find_case("preflight").name == "CORS, preflight"
    for case in CASES:
        assert find_case(case.name) is case


@pytest.mark.parametrize(
    ("name", "message"), [("routes", "several cases"), ("quantum", "no case is called")]
)
def test_an_unknown_or_ambiguous_name_is_an_error(name: str, message: str) -> None:
    """The error tells what to do about it."""
    with pytest.raises(UserError, match=message):
        find_case(name)


def test_the_cases_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a case the command tells which there are."""
    assert main([]) == 0
    assert capsys.readouterr().out.splitlines() == [case.name for case in CASES]


@pytest.mark.parametrize("side", ["stock", "turbostar"])
def test_functions_are_profiled(
    side: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """cProfile's table names the endpoint, and is written where asked."""
    file = tmp_path / "stats"
    assert main(["405", "--side", side, "--seconds", "0.05", "--output", str(file)]) == 0
    assert f"120 routes, 405, {side}" in capsys.readouterr().out
    assert file.stat().st_size


@pytest.mark.parametrize("case", ["JSON, 1 route", "StreamingResponse", "WebSocket"])
def test_memory_is_profiled(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The lines that hold a request's memory are listed, the driver's scope among them."""
    assert main([case, "--side", "stock", "--memory"]) == 0
    shown = capsys.readouterr().out
    assert "bytes live when the answer's last message is sent" in shown
    assert "asgi.py" in shown


def test_so_many_requests_are_made(capsys: pytest.CaptureFixture[str]) -> None:
    """What runs under valgrind asks a fixed number of times."""
    assert main(["405", "--plain", "--requests", "7"]) == 0
    assert capsys.readouterr().out.endswith(": 7 requests\n")


@pytest.mark.parametrize(
    ("option", "tool"),
    [("--pyspy", "py-spy"), ("--instructions", "valgrind"), ("--lines", "line_profiler")],
)
def test_a_missing_profiler_is_an_error(
    option: str,
    tool: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line says what to install."""
    monkeypatch.setattr(profile.shutil, "which", lambda name: None)
    monkeypatch.setattr(profile.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(profile.sys, "executable", "/nowhere/python")
    assert main(["405", option]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert tool in error
