"""Finding interpreters, and when an environment is made again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from compat import environments
from compat.environments import Interpreter, environment_for, find_interpreter
from compat.errors import CompatError
from compat.suites import Suite

VERSION = ".".join(map(str, sys.version_info[:3]))
SUITE = Suite("demo", "1", "0", "1.10.0", ("pytest==9.2.0",), (), (), ("swap",))

posix = pytest.mark.skipif(os.name != "posix", reason="launchers are shell scripts")


def fake_python(path: Path, version: str) -> Path:
    """Write a launcher that answers as an interpreter of *version* would."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\necho \'["{path}", "{version}"]\'\n', "utf-8")
    path.chmod(0o755)
    return path


def test_the_running_python_is_the_default() -> None:
    """Without --python the tests run on the Python that runs compat, also named by its version."""
    assert find_interpreter(None).version == VERSION
    assert find_interpreter(VERSION) == find_interpreter(None)
    assert find_interpreter(sys.executable).version == VERSION


@posix
def test_a_version_is_found_on_path_and_under_pyenv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PATH comes first; a launcher that has nothing to launch is passed over."""
    broken, pyenv = tmp_path / "shims", tmp_path / "pyenv"
    fake_python(broken / "python3.98", "").write_text("#!/bin/sh\nexit 127\n", "utf-8")
    found = fake_python(pyenv / "versions" / "3.98.2" / "bin" / "python", "3.98.2")
    monkeypatch.setenv("PATH", f"{broken}{os.pathsep}/bin")
    monkeypatch.setenv("PYENV_ROOT", str(pyenv))
    assert find_interpreter("3.98") == Interpreter(found, "3.98.2")
    first = fake_python(tmp_path / "bin" / "python3.98", "3.98.1")
    monkeypatch.setenv("PATH", f"{broken}{os.pathsep}{first.parent}")
    assert find_interpreter("3.98") == Interpreter(first, "3.98.1")


@posix
def test_an_old_python_is_refused(tmp_path: Path) -> None:
    """Below 3.11 turbostar does not run, and the error says so."""
    old = fake_python(tmp_path / "python", "3.10.9")
    with pytest.raises(CompatError, match=r"3\.11 or newer is needed"):
        find_interpreter(str(old))


@pytest.mark.parametrize("wanted", ["3.99", "no/such/python", __file__])
def test_no_interpreter_is_one_line(wanted: str) -> None:
    """What is no Python here is named with what to give instead."""
    with pytest.raises(CompatError, match="no such interpreter runs here") as caught:
        find_interpreter(wanted)
    assert "\n" not in str(caught.value)


@posix
def test_an_environment_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stamp follows requirements, Starlette and interpreter; the second run makes nothing."""
    made: list[list[str]] = []

    def make(folder: Path, python: Path, *rest: object) -> None:
        python.parent.mkdir(parents=True, exist_ok=True)
        python.touch()
        made.append([*map(str, rest[1:2])])

    monkeypatch.setattr(environments, "_make", make)
    say: Callable[[str], None] = lambda text: None  # noqa: E731 - a name for the type
    here = Interpreter(Path(sys.executable), VERSION)
    python = environment_for(SUITE, here, tmp_path, say)
    assert environment_for(SUITE, here, tmp_path, say) == python
    assert len(made) == 1
    more = replace(SUITE, requirements=("pytest==9.2.0", "trio==0.35.0"))
    assert environment_for(more, here, tmp_path, say) == python
    assert environment_for(replace(SUITE, starlette="1.11.0"), here, tmp_path, say) != python
    assert len(made) == 3


def test_a_failed_installation_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error carries the tool's last error and its log; the next run starts afresh."""

    def fail(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "ERROR: no route to the index\n")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(CompatError, match="no route to the index") as caught:
        environment_for(SUITE, Interpreter(Path("python"), VERSION), tmp_path, lambda text: None)
    assert "\n" not in str(caught.value)
    assert [path.suffix for path in (tmp_path / "envs").iterdir() if path.is_dir()] == []
