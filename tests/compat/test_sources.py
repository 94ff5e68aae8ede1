"""Source distributions in the cache: verified, unpacked, prepared; and errors without a network."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from compat.errors import CompatError
from compat.sources import last_line, source_distribution
from compat.workspace import new_run_folder, prepare


def archive(cache: Path) -> str:
    """Put a source distribution into *cache* and return its sha256."""
    path = cache / "sdists" / "demo-1.tar.gz"
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, text in (
            ("pyproject.toml", "[tool]\n"),
            ("tests/test_a.py", "import starlette.status\n"),
            ("tests/data.py", "import starlette (\n"),
        ):
            member = tarfile.TarInfo(f"demo-1/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_cached_distribution_is_verified_and_unpacked(tmp_path: Path) -> None:
    """With the right checksum the same folder is returned every time, without a download."""
    digest = archive(tmp_path)
    folder = source_distribution("demo", "1", digest, tmp_path)
    assert (folder / "tests" / "test_a.py").is_file()
    assert source_distribution("demo", "1", None, tmp_path) == folder


def test_another_checksum_is_refused(tmp_path: Path) -> None:
    """A file that is not the one the suite names is never unpacked."""
    archive(tmp_path)
    with pytest.raises(CompatError, match="the suite says 0000; delete"):
        source_distribution("demo", "1", "0000", tmp_path)


def test_no_index_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an index the error names the package, pip's reason and what to check."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(CompatError, match="pip could not download") as caught:
        source_distribution("no-such-package-here", "1", None, tmp_path)
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "sdists").iterdir())


def test_the_last_error_of_a_program_is_shown() -> None:
    """Errors win over notices that follow them."""
    assert last_line("ERROR: no such thing\nnotice\n") == "no such thing"
    assert last_line("a\nb\n\n") == "b"
    assert last_line("") == "no message"


@pytest.mark.parametrize(
    ("mode", "rewritten"), [("stock", 0), ("install", 0), ("swap", 1), ("disabled", 1)]
)
def test_workspaces_are_rewritten_as_the_mode_wants(
    tmp_path: Path, mode: str, rewritten: bool
) -> None:
    """Swap and disabled get rewritten copies, the others exact ones; broken files stay as is."""
    source = source_distribution("demo", "1", archive(tmp_path), tmp_path)
    workspace = prepare(tmp_path / mode, source, ["pyproject.toml", "tests"], mode)
    text = (workspace.tests / "tests" / "test_a.py").read_text("utf-8")
    assert ("turbostar" in text) is bool(rewritten)
    assert (workspace.tests / "tests" / "data.py").read_text("utf-8") == "import starlette (\n"
    assert (source / "tests" / "test_a.py").read_text("utf-8") == "import starlette.status\n"


def test_a_missing_item_is_named(tmp_path: Path) -> None:
    """What the suite wants copied must be in the distribution."""
    source = source_distribution("demo", "1", archive(tmp_path), tmp_path)
    with pytest.raises(CompatError, match="has no docs"):
        prepare(tmp_path / "run", source, ["docs"], "stock")


def test_pytest_finds_no_configuration_above_the_tests(tmp_path: Path) -> None:
    """A suite without a configuration of its own runs on pytest's defaults, not on ours."""
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n", "utf-8")
    source = source_distribution("demo", "1", archive(tmp_path), tmp_path)
    workspace = prepare(tmp_path / "run", source, ["tests/data.py"], "stock")
    command = [sys.executable, "-m", "pytest", "--rootdir", ".", "--collect-only"]
    result = subprocess.run(command, cwd=workspace.tests, capture_output=True, text=True)
    assert "configfile: ../pytest.ini" in result.stdout


def test_old_runs_are_deleted(tmp_path: Path) -> None:
    """Only the latest few run folders are kept."""
    folders = [new_run_folder(tmp_path) for _ in range(9)]
    assert len(list((tmp_path / "runs").iterdir())) == 6
    assert folders[-1].is_dir()
