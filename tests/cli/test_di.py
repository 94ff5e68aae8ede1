"""`turbostar di`: the table, the graphs, and what it says of mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from turbostar.cli.commands import main

PROGRAM = """
from turbostar.di import Container, Inject


class Engine: ...


class Repo:
    def __init__(self, engine: Engine) -> None: ...


async def show(repo: Inject[Repo]) -> None: ...


good, bad = Container(), Container()
good.add(Engine, scope="app")
for each in (good, bad):
    each.add(Repo)
    each.inject(show)
other = 1
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delitem(__import__("sys").modules, "wired_program", raising=False)
    (tmp_path / "wired_program.py").write_text(PROGRAM)
    return tmp_path


def run(folder: Path, *arguments: str) -> int:
    return main(["di", *arguments, "--app-dir", str(folder)])


def test_the_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each provider, and JSON where wanted."""
    target = folder / "table.json"
    assert run(folder, "wired_program:good", "--json", str(target)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["Provides", "By", "Defined", "Scope", "Width", "Users", "State"]
    assert lines[1].split() == ["Engine", "Engine", "wired_program.py:5", "app", "app", "1", "used"]
    assert lines[-1] == "2 providers, 1 handler"
    assert [row["provides"] for row in json.loads(target.read_bytes())] == ["Engine", "Repo"]


@pytest.mark.parametrize(
    ("form", "start"), [("mermaid", "graph"), ("dot", "digraph"), ("svg", "<svg")]
)
def test_graphs(folder: Path, form: str, start: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing but the graph is printed, to be piped."""
    assert run(folder, "wired_program:good", "--graph", form) == 0
    assert capsys.readouterr().out.startswith(start)


def test_faults_are_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the exit status 1."""
    assert run(folder, "wired_program:bad") == 1
    assert "DI001 nothing provides Engine" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["wired_program"],
            "has several containers; write wired_program:good or wired_program:bad",
        ),
        (["json"], "module 'json' holds no turbostar.di.Container by itself; name a module that"),
        ([":good"], "names no container; write module:attribute, as in main:di"),
        (
            ["wired_program:other"],
            "is of type int, which is no turbostar.di.Container; name the di",
        ),
        (["wired_program:god"], "has no attribute 'god'; did you mean 'good'?"),
        (["no_such_module:di"], "there is no module 'no_such_module' in"),
        (["../other.py"], "write --app-dir .. other:di"),
        (["wired_program:good", "--graph", "png"], "mermaid, dot, svg"),
    ],
)
def test_mistakes(
    folder: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line: the thing, the cause, the repair."""
    assert run(folder, *arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
