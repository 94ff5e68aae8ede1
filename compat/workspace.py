"""The folder in which one suite runs once: its tests, rewritten or not, and what is importable."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from compat.errors import CompatError
from compat.rewrite import rewrite_file
from compat.suites import STOCK

__all__ = ["INJECT", "Workspace", "add_turbostar", "new_run_folder", "prepare"]

INJECT = Path(__file__).resolve().parent / "inject"
_KEEP_RUNS = 6


@dataclass(frozen=True)
class Workspace:
    """Where a run happens and where it reports.

    ``tests`` is the current folder of the run, ``path`` holds nothing but turbostar.
    """

    tests: Path
    path: Path
    results: Path
    log: Path


def new_run_folder(cache: Path) -> Path:
    """Return a new folder for this invocation, and delete those of all but the latest few."""
    runs = cache / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    for old in sorted(runs.iterdir(), reverse=True)[_KEEP_RUNS - 1 :]:
        shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=time.strftime("%Y%m%d-%H%M%S-"), dir=runs))


def prepare(folder: Path, source: Path, copy: Iterable[str], mode: str) -> Workspace:
    """Copy the items *copy* of *source* into a workspace below *folder*, as *mode* wants them."""
    tests = folder / "work"
    tests.mkdir(parents=True)
    # pytest looks upwards for its configuration: a suite that brings none must not find ours.
    (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    for item in copy:
        origin, target = source / item, tests / item
        target.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_dir():
            shutil.copytree(origin, target)
        elif origin.is_file():
            shutil.copy2(origin, target)
        else:
            raise CompatError(f"{source.name}: has no {item}; correct `copy` of the suite")
    if mode in ("swap", "disabled"):
        for file in sorted(tests.rglob("*.py")):
            try:
                rewrite_file(file)
            except SyntaxError:
                # A fixture of the suite that is no Python: nothing imports it.
                continue
    path = folder / "path"
    path.mkdir()
    return Workspace(tests, path, folder / "results.jsonl", folder / "pytest.log")


def add_turbostar(workspace: Workspace, root: Path, mode: str) -> None:
    """Make the package below *root* importable, as it is now, and nothing else that lies there.

    A copy: sources that change while the tests run would give results of no version at all.
    """
    if mode != STOCK:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / "turbostar", workspace.path / "turbostar", ignore=ignored)
