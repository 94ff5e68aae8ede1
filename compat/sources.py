"""Source distributions: fetched by pip from the configured index, cached, verified, unpacked."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from compat.errors import CompatError

__all__ = ["last_line", "newest_version", "pip_command", "source_distribution"]


def pip_command() -> list[str]:
    """Return the command that starts pip for the running interpreter."""
    if importlib.util.find_spec("pip") is None:
        raise CompatError(
            f"{sys.executable} has no pip, which fetches the suites; "
            "run `python -m ensurepip` or start compat with a Python that has pip"
        )
    return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]


def newest_version(package: str) -> str:
    """Return the newest release of *package* that the index offers to the running Python."""
    command = [
        *pip_command(),
        *("install", "--quiet", "--dry-run", "--no-deps", "--ignore-installed"),
        *("--report", "-", package),
    ]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise CompatError(
            f"--starlette newest: pip could not ask the index ({last_line(result.stderr)}); "
            "check the network, or name a version"
        )
    version: str = json.loads(result.stdout)["install"][0]["metadata"]["version"]
    return version


def source_distribution(name: str, version: str, sha256: str | None, cache: Path) -> Path:
    """Return the folder of the unpacked source distribution of *name* at *version*.

    It is downloaded into *cache* once; a checksum that is not None is verified every time.
    Raises CompatError if it cannot be had or the checksum differs.
    """
    folder = cache / "sdists"
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"{name}-{version}.tar.gz"
    if not archive.exists():
        _download(name, version, archive)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if sha256 is not None and digest != sha256:
        raise CompatError(
            f"{archive.name}: its sha256 is {digest}, the suite says {sha256}; delete {archive} "
            "and run again, and if it stays so do not trust the index"
        )
    return _unpacked(archive, digest)


def _download(name: str, version: str, archive: Path) -> None:
    with tempfile.TemporaryDirectory(dir=archive.parent) as temporary:
        command = [
            *pip_command(),
            *("download", "--quiet", "--no-deps", "--no-binary", name),
            *("--dest", temporary, f"{name}=={version}"),
        ]
        result = subprocess.run(command, capture_output=True, text=True)
        found = sorted(Path(temporary).glob("*.tar.gz"))
        if result.returncode != 0 or not found:
            raise CompatError(
                f"{name} {version}: pip could not download its source distribution "
                f"({last_line(result.stderr)}); check the network, the index and the version"
            )
        found[0].replace(archive)


def _unpacked(archive: Path, digest: str) -> Path:
    """Unpack into a folder named after the content, so that another content is never reused."""
    target = archive.parent / f"{archive.name.removesuffix('.tar.gz')}-{digest[:12]}"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=archive.parent) as temporary:
            with tarfile.open(archive) as tar:
                tar.extractall(temporary, filter="data")
            folders = [path for path in Path(temporary).iterdir() if path.is_dir()]
            if len(folders) != 1:
                raise CompatError(f"{archive.name}: not a source distribution; delete {archive}")
            shutil.move(folders[0], target)
    return target


def last_line(text: str) -> str:
    """Return the last line of a program's errors that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["no message"])[-1].removeprefix("ERROR: ")
