"""Runs of pytest in a process of their own: outcomes, crashes, and what each mode puts in."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from compat.compare import Results
from compat.errors import CompatError
from compat.runner import Run, child_environment, execute
from compat.workspace import Workspace, add_turbostar

OUTCOMES = """
import pytest

def test_passed(): pass
def test_failed(): assert 1 == 2, "so it is"
def test_skipped(): pytest.skip("why")
@pytest.mark.xfail
def test_xfailed(): assert False
@pytest.mark.xfail(strict=False)
def test_xpassed(): pass
@pytest.mark.xfail(strict=True)
def test_strict(): pass
@pytest.fixture
def broken(): raise ValueError("setup")
def test_setup(broken): pass
@pytest.fixture
def leaking():
    yield
    raise ValueError("teardown")
def test_teardown(leaking): pass
@pytest.mark.parametrize("x", [1, 2])
def test_cases(x): assert x == 1
"""

PACKAGE = """
import os, sys
installed = False
def install():
    global installed
    assert "starlette" not in sys.modules
    installed = not os.environ.get("TURBOSTAR_DISABLE")
"""


class Progress:
    """Remembers the last report."""

    def __init__(self) -> None:
        self.seen = (0, 0)

    def update(self, done: int, total: int) -> None:
        self.seen = (done, total)


def make_run(tmp_path: Path, test: str, mode: str = "stock", package: str = PACKAGE) -> Run:
    """Return a run of one file with the content *test*."""
    tests, path, root = (tmp_path / name for name in ("work", "path", "root"))
    for folder in (tests, path, root / "turbostar"):
        folder.mkdir(parents=True)
    (tests / "test_it.py").write_text(test, "utf-8")
    (tests / "pytest.ini").write_text("[pytest]\n", "utf-8")
    (root / "turbostar" / "__init__.py").write_text(package, "utf-8")
    workspace = Workspace(tests, path, tmp_path / "results.jsonl", tmp_path / "pytest.log")
    add_turbostar(workspace, root, mode)
    return Run("it", mode, Path(sys.executable), workspace, ("-q", "test_it.py"))


def outcome_of(run: Run) -> Results:
    """Execute *run* to its end."""
    return execute(run, "1.10.0", Progress(), threading.Event())


def test_every_outcome_is_collected(tmp_path: Path) -> None:
    """Each test has one outcome, with the phase it broke in and the first line of why."""
    progress = Progress()
    run = make_run(tmp_path, OUTCOMES)
    found = execute(run, "1.10.0", progress, threading.Event())
    assert {
        test.removeprefix("test_it.py::test_"): end for test, end in found.outcomes.items()
    } == {
        "passed": "passed",
        "failed": "failed",
        "skipped": "skipped",
        "xfailed": "xfailed",
        "xpassed": "xpassed",
        "strict": "failed",
        "setup": "error",
        "teardown": "error",
        "cases[1]": "passed",
        "cases[2]": "failed",
    }
    assert "so it is" in found.messages["test_it.py::test_failed"]
    assert "teardown" in found.messages["test_it.py::test_teardown"]
    assert progress.seen[1] == 10


def test_a_file_that_cannot_be_collected_is_an_error(tmp_path: Path) -> None:
    """A broken import shows as an error of the file, not as tests that are not there."""
    found = outcome_of(make_run(tmp_path, "import no_such_module\n"))
    assert found.outcomes == {"test_it.py": "error"}


def test_a_process_that_dies_names_its_log(tmp_path: Path) -> None:
    """Without an end in the results there is no comparison, but an error with the log's path."""
    run = make_run(tmp_path, "import os\ndef test_a(): pass\ndef test_b(): os._exit(9)\n")
    with pytest.raises(CompatError, match="ended with status 9 after 1 tests") as caught:
        outcome_of(run)
    assert str(run.workspace.log) in str(caught.value)


def test_a_run_can_be_stopped(tmp_path: Path) -> None:
    """When the invocation ends early the process is ended, not waited for."""
    run = make_run(tmp_path, "import time\ndef test_a(): time.sleep(600)\n")
    stop = threading.Event()
    stop.set()
    with pytest.raises(CompatError, match="stopped"):
        execute(run, "1.10.0", Progress(), stop)


@pytest.mark.parametrize(
    ("mode", "test"),
    [
        ("swap", "def test_a():\n    import turbostar\n    assert not turbostar.installed\n"),
        ("install", "def test_a():\n    import turbostar\n    assert turbostar.installed\n"),
        (
            "disabled",
            "import os\ndef test_a():\n    import turbostar\n    assert not turbostar.installed\n"
            "    assert os.environ['TURBOSTAR_DISABLE'] == '1'\n",
        ),
    ],
)
def test_modes_put_turbostar_in(tmp_path: Path, mode: str, test: str) -> None:
    """In every mode the sources under test are loaded; install() is called where it belongs."""
    assert outcome_of(make_run(tmp_path, test, mode)).outcomes == {"test_it.py::test_a": "passed"}


def test_a_failing_install_is_no_stock_run(tmp_path: Path) -> None:
    """If install() raises, the process ends instead of comparing stock with stock."""
    run = make_run(tmp_path, "def test_a(): pass\n", "install", "def install(): 1 / 0\n")
    with pytest.raises(CompatError, match="ended with status 70 after 0 tests"):
        outcome_of(run)
    assert "ZeroDivisionError" in run.workspace.log.read_text("utf-8")


def test_turbostar_on_stock_is_an_error(tmp_path: Path) -> None:
    """A stock run that has turbostar loaded is not believed."""
    source = "import sys, types\nsys.modules['turbostar'] = types.ModuleType('turbostar')\n"
    run = make_run(tmp_path, f"{source}def test_a(): pass\n")
    with pytest.raises(CompatError, match=r"turbostar was imported .* on stock"):
        outcome_of(run)


def test_an_unexpected_starlette_is_an_error(tmp_path: Path) -> None:
    """A run on another version of Starlette than it was made for is not believed."""
    source = (
        "import sys, types\nsys.modules['starlette'] = types.ModuleType('starlette')\n"
        "sys.modules['starlette'].__version__ = '0.1'\n"
    )
    run = make_run(tmp_path, f"{source}def test_a(): pass\n")
    with pytest.raises(CompatError, match=r"ran on Starlette 0\.1 and not 1\.10\.0"):
        outcome_of(run)


def test_the_environment_of_stock_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of ours or the caller's own settings reaches a stock run, and its path is ours."""
    for name in ("TURBOSTAR_DISABLE", "COMPAT_INSTALL", "PYTEST_ADDOPTS", "PYTHONWARNINGS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.delenv("PYTEST", raising=False)  # make's, where that picks the tests
    environment = child_environment(make_run(tmp_path, ""))
    ours = {name for name in environment if name.startswith(("TURBOSTAR_", "COMPAT_", "PYT"))}
    assert ours == {"COMPAT_RESULTS", "PYTHONPATH", "PYTHONHASHSEED"}
    assert environment["PYTHONPATH"].endswith("collector")
