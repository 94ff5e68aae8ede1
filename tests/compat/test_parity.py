"""The whole way on a small suite without a network: run, compare, report, exit status."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path

import pytest

from compat import __main__ as command, parity
from compat.environments import Interpreter
from compat.expected import Expected
from compat.parity import Setting, Verdict, check_suites
from compat.report import show_verdicts, verdicts_as_json
from compat.suites import Suite
from compat.terminal import PlainTerminal

TESTS = """
import importlib
def test_same(): pass
def test_broken(): assert False, "anywhere"
def test_worse(): assert importlib.import_module("starlette.status").__name__[0] == "s"
def test_better(): assert importlib.import_module("starlette.status").__name__[0] == "t"
"""
WORSE, BETTER = "tests/test_a.py::test_worse", "tests/test_a.py::test_better"


@pytest.fixture
def setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setting:
    """Return a setting with a small turbostar, and the running Python as the environment."""
    package = tmp_path / "root" / "turbostar"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", "utf-8")
    (package / "status.py").write_text("", "utf-8")
    monkeypatch.setattr(parity, "environment_for", lambda *arguments: Path(sys.executable))
    here = Interpreter(Path(sys.executable), "3.13.0")
    return Setting(here, package.parent, tmp_path / "cache", 2)


@pytest.fixture
def suite(setting: Setting) -> Suite:
    """Return a suite whose source distribution is in the cache."""
    path = setting.cache / "sdists" / "demo-1.tar.gz"
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, text in (("pytest.ini", "[pytest]\n"), ("tests/test_a.py", TESTS)):
            member = tarfile.TarInfo(f"demo-1/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Suite("demo", "1", digest, "1.10.0", (), ("pytest.ini", "tests"), ("tests",), ("swap",))


def check(suite: Suite, setting: Setting, *expected: Expected) -> Verdict:
    """Run *suite* and return the only verdict."""
    verdicts, errors = check_suites([suite], [], expected, setting, PlainTerminal())
    assert errors == []
    return verdicts[0]


def test_differences_are_found_shown_and_written(
    suite: Suite, setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both directions differ, what is broken on both sides does not, and all of it is reported."""
    verdict = check(suite, setting)
    found = {item.test: (item.stock, item.turbostar) for item in verdict.comparison.differences}
    assert found == {WORSE: ("passed", "failed"), BETTER: ("failed", "passed")}
    assert verdict.comparison.stock_failures == ["tests/test_a.py::test_broken"]
    show_verdicts([verdict], setting, PlainTerminal())
    written = capsys.readouterr().out
    assert f"demo swap: {WORSE}: passed on stock, failed" in written
    data = verdicts_as_json([verdict], [], setting)
    assert data["parity"] is False
    assert data["runs"][0]["stock_failures"][0]["test"] == "tests/test_a.py::test_broken"
    json.dumps(data)


def test_listed_differences_are_parity(suite: Suite, setting: Setting) -> None:
    """With both listed there is parity; with one more that agrees there is none."""
    entries = [Expected("demo", "swap", test, "wanted") for test in (WORSE, BETTER)]
    assert check(suite, setting, *entries).comparison.parity
    stale = Expected("demo", "swap", "tests/test_a.py::test_same", "was wanted")
    verdict = check(suite, setting, *entries, stale)
    assert not verdict.comparison.parity
    assert verdict.comparison.stale == [stale]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--suite", "nothing"], "--suite nothing: no such suite"),
        (["--turbostar", "."], "holds no turbostar package"),
        (["--suite", "fastapi", "--mode", "swap"], "--mode swap: no chosen suite supports it"),
        (["--benchmarks", "--suite", "fastapi"], "--benchmarks: fastapi has none"),
        (["--python", "3.99"], "--python 3.99: no such interpreter"),
    ],
)
def test_mistakes_are_one_line_and_status_2(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A wrong option is told on standard error before anything is fetched or run."""
    monkeypatch.chdir(tmp_path)
    assert command.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1


def test_the_suites_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """--list shows every suite with its version and modes."""
    assert command.main(["--list", "--no-color"]) == 0
    listed = capsys.readouterr().out
    assert "swap, install, disabled" in listed
    assert "fastapi" in listed
