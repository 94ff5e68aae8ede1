"""Type checkers find the same with swapped imports as with Starlette's."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import json
import os
import pkgutil
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import pytest
import starlette

from turbostar._attach.mirror import public_names

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CHECKERS = ["mypy", "pyright"]
OWN = ["container", "models"]  # programs that have no like of them on stock

# A line of the program, and the rule that it breaks.
Finding = tuple[int, str]


def every_name() -> str:
    """A program that imports each public name of each module of Starlette, one a line."""
    lines = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated names are imported as well
        for part in pkgutil.walk_packages(starlette.__path__, "starlette."):
            module = importlib.import_module(part.name)
            for name in public_names(module):
                if not inspect.ismodule(getattr(module, name)):
                    lines.append(f"from {part.name} import {name} as name_{len(lines)}")
    return "\n".join(lines) + "\n"


def swapped(program: str) -> str:
    return re.sub(r"^from starlette\b", "from turbostar", program, flags=re.MULTILINE)


@functools.cache
def checked(checker: str) -> dict[str, list[Finding]]:
    """What a checker finds in the programs, by the name of their file."""
    programs = {"application": (HERE / "application.py").read_text(), "names": every_name()}
    with tempfile.TemporaryDirectory() as folder:
        for name in OWN:
            Path(folder, f"own_{name}.py").write_text((HERE / f"{name}.py").read_text())
        for name, program in programs.items():
            Path(folder, f"stock_{name}.py").write_text(program)
            Path(folder, f"ours_{name}.py").write_text(swapped(program))
        found = by_mypy(folder) if checker == "mypy" else by_pyright(folder)
    return {
        name: [(line, rule) for file, line, rule in found if file == f"{name}.py"]
        for name in (
            *(f"own_{name}" for name in OWN),
            *(f"{side}_{program}" for side in ("stock", "ours") for program in programs),
        )
    }


def by_mypy(folder: str) -> list[tuple[str, int, str]]:
    command = ["mypy", "--strict", "--follow-imports=silent", "--config-file=", "--cache-dir=cache"]
    files = [path.name for path in Path(folder).glob("*.py")]
    done = run([*command, *files], folder, {"MYPYPATH": str(ROOT)})
    found = re.findall(r"^(\w+\.py):(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return [(file, int(line), rule) for file, line, rule in found]


def by_pyright(folder: str) -> list[tuple[str, int, str]]:
    config = {
        "typeCheckingMode": "strict",
        "reportUnusedImport": False,  # importing is all that one of the programs does
        "extraPaths": [str(ROOT)],
    }
    Path(folder, "pyrightconfig.json").write_text(json.dumps(config))
    done = run(["pyright", "--outputjson", "--pythonpath", sys.executable], folder, {})
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return [
        (Path(each["file"]).name, each["range"]["start"]["line"] + 1, each.get("rule", ""))
        for each in json.loads(done.stdout)["generalDiagnostics"]
        if each["severity"] == "error"
    ]


def run(
    command: list[str], folder: str, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=240,
    )


def found_by(checker: str, name: str) -> list[Finding]:
    if importlib.util.find_spec(checker) is None and not os.environ.get("CI"):
        pytest.skip(f"{checker} is not installed: it is in the dependency group dev")
    return checked(checker)[name]


@pytest.mark.parametrize("checker", CHECKERS)
def test_an_application_is_as_right_as_on_stock(checker: str) -> None:
    """Subclasses, handlers and all else pass; what is wrong in it is found at the same lines."""
    stock = found_by(checker, "stock_application")
    program = (HERE / "application.py").read_text().splitlines()
    first_wrong = program.index("# What is wrong on stock is wrong here.") + 1
    assert {line - first_wrong for line, _ in stock} == {1, 2, 3, 4}
    assert found_by(checker, "ours_application") == stock


@pytest.mark.parametrize("checker", CHECKERS)
def test_every_name_can_be_imported(checker: str) -> None:
    """What Starlette's modules export to a checker, turbostar's export as well."""
    refused_on_stock = {line for line, _ in found_by(checker, "stock_names")}
    refused = {line for line, _ in found_by(checker, "ours_names")}
    program = every_name().splitlines()
    assert len(program) - len(refused_on_stock) > 200
    assert [program[line - 1] for line in sorted(refused - refused_on_stock)] == []


@pytest.mark.parametrize("checker", CHECKERS)
def test_what_is_injected_has_its_type(checker: str) -> None:
    """``await scope.get(Repo)`` is a Repo, and so is a parameter ``Inject[Repo]``."""
    program = (HERE / "container.py").read_text().splitlines()
    first_wrong = program.index("# What is wrong is found.") + 1
    found = found_by(checker, "own_container")
    assert [line - first_wrong for line, _ in found] == [1, 2], found


@pytest.mark.parametrize("checker", CHECKERS)
def test_columns_and_rows_have_their_types(checker: str) -> None:
    """``User.age`` is a column of that type, ``user.age`` its value, a query's rows are Users."""
    program = (HERE / "models.py").read_text().splitlines()
    first_wrong = program.index("    # What is wrong is found.") + 1
    found = found_by(checker, "own_models")
    assert sorted({line - first_wrong for line, _ in found}) == [1, 2, 3, 4], found
