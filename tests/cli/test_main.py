"""The `turbostar` command: its help, its version, its errors."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

import turbostar
from turbostar.cli.commands import COMMANDS


def turbostar_command(
    *arguments: str, cwd: pathlib.Path | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run `python -m turbostar` in a terminal of 80 columns."""
    return subprocess.run(
        [sys.executable, "-m", "turbostar", *arguments],
        cwd=cwd,
        env=os.environ | {"COLUMNS": "80", "NO_COLOR": "1"} | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_fits_on_a_screen() -> None:
    """`--help`, and no argument at all, explain every sub-command in 40 lines."""
    done = turbostar_command("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) <= 40
    for name, command in COMMANDS.items():
        assert name in done.stdout
        assert command.summary in done.stdout
    assert turbostar_command().stdout == turbostar_command("-h").stdout == done.stdout
    assert "Documentation: " in done.stdout


def test_version() -> None:
    """`--version` prints the version of the package."""
    done = turbostar_command("--version")
    assert (done.returncode, done.stdout) == (0, f"turbostar {turbostar.__version__}\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    """`turbostar COMMAND --help` works for each of them."""
    done = turbostar_command(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"turbostar {name}" in done.stdout
    assert "--quiet" in done.stdout
    assert turbostar_command(name, "-h").stdout == done.stdout


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["nonsense"], "No such command 'nonsense'; see turbostar --help"),
        (["--nonsense"], "see turbostar --help"),
        (["verify"], "Missing argument 'MODULE:APP'; see turbostar verify --help"),
        (["verify", "a:b", "--limit", "many"], "--limit"),
        (["run"], "Missing argument 'APP'; see turbostar run --help"),
        (["run", "a:b", "--port", "many"], "--port"),
    ],
)
def test_wrong_arguments(arguments: list[str], cause: str) -> None:
    """A wrong argument is told in one line on stderr, and the exit status is 2."""
    done = turbostar_command(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert cause in done.stderr


def test_help_imports_no_command() -> None:
    """`--help` does not import what only a sub-command needs."""
    code = (
        "import sys\n"
        "from turbostar.cli.commands import main\n"
        "main(['--help'])\n"
        "heavy = {'uvicorn', 'matplotlib', 'psutil'}\n"
        "heavy |= {'turbostar.cli.bench', 'turbostar.cli.verify', 'turbostar.cli.run'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_missing_extra(missing: str) -> None:
    """Without the libraries of the `cli` extra, the command says which extra to install."""
    code = (
        "import sys\n"
        f"sys.modules[{missing!r}] = None\n"
        "from turbostar.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"error: the command line needs {missing}, which is missing; pip install 'turbostar[cli]'\n"
    )


def test_missing_uvicorn() -> None:
    """Without uvicorn, `turbostar run` says which extra to install."""
    code = (
        "import sys\n"
        "sys.modules['uvicorn'] = None\n"
        "from turbostar.cli.commands import main\n"
        "sys.exit(main(['run', 'main:app']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "error: turbostar run needs uvicorn, which is missing; pip install 'turbostar[cli]'\n"
    )


def test_import_turbostar_imports_no_command_line() -> None:
    """`import turbostar` loads nothing of the command line."""
    code = "import sys, turbostar; sys.exit(any('turbostar.cli' in name for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
