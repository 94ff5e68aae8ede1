"""The suites: what ``compat/suites/*.toml`` says, checked and typed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from compat.errors import CompatError

__all__ = ["MODES", "STOCK", "Benchmarks", "Suite", "load_suites", "parse_suite", "select_suites"]

STOCK = "stock"
MODES = ("swap", "install", "disabled", "server")

_KEYS = {
    "name": str,
    "version": str,
    "sha256": str,
    "starlette": str,
    "requirements": list,
    "copy": list,
    "tests": list,
    "pythonpath": list,
    "modes": list,
    "flags": list,
    "mode_flags": dict,
    "random_ids": list,
    "variables": dict,
    "benchmarks": dict,
}
_REQUIRED = ("name", "version", "sha256", "requirements", "copy", "tests", "modes")


@dataclass(frozen=True)
class Benchmarks:
    """The part of a suite that ``--benchmarks`` runs."""

    copy: tuple[str, ...]
    files: str


@dataclass(frozen=True)
class Suite:
    """One project's tests at one version.

    ``starlette`` is the Starlette they run against; ``sha256`` is None if the version was chosen
    on the command line and no checksum is known for it. What ``random_ids`` match in the ids of
    tests is different in every run.
    """

    name: str
    version: str
    sha256: str | None
    starlette: str
    requirements: tuple[str, ...]
    copy: tuple[str, ...]
    tests: tuple[str, ...]
    modes: tuple[str, ...]
    pythonpath: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    mode_flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    random_ids: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    benchmarks: Benchmarks | None = None

    def flags_for(self, mode: str) -> tuple[str, ...]:
        """Return pytest's arguments when turbostar runs in *mode*.

        Stock runs everything that any mode runs; what a mode leaves out is left out of the
        comparison by :meth:`ignored_in`.
        """
        return (*self.flags, *self.mode_flags.get(mode, ()))

    def ignored_in(self, mode: str) -> tuple[str, ...]:
        """Return the test ids or prefixes of ids that *mode* leaves out on purpose."""
        ignored = []
        for flag in self.mode_flags.get(mode, ()):
            option, _, value = flag.partition("=")
            if option in ("--ignore", "--deselect"):
                ignored.append(value)
        return tuple(ignored)

    def at_starlette(self, version: str) -> Suite:
        """Return this suite against another Starlette, with that version's own tests if it is
        Starlette's suite."""
        if version == self.starlette:
            return self
        if self.name != "starlette":
            return replace(self, starlette=version)
        return replace(self, starlette=version, version=version, sha256=None)


def parse_suite(text: str, file: str) -> Suite:
    """Return the suite that *text*, the content of *file*, describes."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CompatError(f"{file}: not valid TOML ({error}); correct the file") from None
    _check_keys(data, file)
    unknown = [mode for mode in [*data["modes"], *data.get("mode_flags", {})] if mode not in MODES]
    if unknown:
        raise CompatError(f"{file}: no such mode {unknown[0]!r}; use {', '.join(MODES)}")
    for flag in (flag for flags in data.get("mode_flags", {}).values() for flag in flags):
        if not flag.startswith(("--ignore=", "--deselect=")):
            raise CompatError(
                f"{file}: mode_flags take --ignore=PATH and --deselect=ID only, not {flag!r}; "
                "put flags of every run into flags"
            )
    benchmarks = data.get("benchmarks")
    return Suite(
        name=data["name"],
        version=data["version"],
        sha256=data["sha256"],
        starlette=data.get("starlette", data["version"]),
        requirements=tuple(data["requirements"]),
        copy=tuple(data["copy"]),
        tests=tuple(data["tests"]),
        modes=tuple(data["modes"]),
        pythonpath=tuple(data.get("pythonpath", ())),
        flags=tuple(data.get("flags", ())),
        mode_flags={mode: tuple(flags) for mode, flags in data.get("mode_flags", {}).items()},
        random_ids=tuple(data.get("random_ids", ())),
        variables=dict(data.get("variables", {})),
        benchmarks=benchmarks
        and Benchmarks(copy=tuple(benchmarks["copy"]), files=benchmarks["files"]),
    )


def _check_keys(data: dict[str, Any], file: str) -> None:
    for key, value in data.items():
        if key not in _KEYS:
            raise CompatError(f"{file}: unknown key {key!r}; known keys are {', '.join(_KEYS)}")
        if not isinstance(value, _KEYS[key]):
            raise CompatError(f"{file}: {key} must be a {_KEYS[key].__name__}; correct the file")
    for name, value in data.get("variables", {}).items():
        if not isinstance(value, str):
            raise CompatError(f"{file}: variables.{name} must be a string; put it into quotes")
    missing = [key for key in _REQUIRED if key not in data]
    if missing:
        raise CompatError(f"{file}: {missing[0]} is missing; add it")
    loose = [item for item in data["requirements"] if "==" not in item]
    if loose:
        raise CompatError(f"{file}: {loose[0]!r} is not pinned; write it as NAME==VERSION")
    for pattern in data.get("random_ids", ()):
        try:
            re.compile(pattern)
        except re.error as error:
            raise CompatError(
                f"{file}: random_ids {pattern!r} is no regular expression ({error}); correct it"
            ) from None


def load_suites(folder: Path) -> dict[str, Suite]:
    """Return the suites of every TOML file in *folder* by name, Starlette's own first."""
    files = sorted(folder.glob("*.toml"), key=lambda path: (path.stem != "starlette", path.stem))
    suites = [parse_suite(path.read_text("utf-8"), f"compat/suites/{path.name}") for path in files]
    return {suite.name: suite for suite in suites}


def select_suites(suites: dict[str, Suite], names: list[str]) -> list[Suite]:
    """Return the suites called *names* in the order of *suites*; all of them if none is named."""
    for name in names:
        if name not in suites:
            raise CompatError(f"--suite {name}: no such suite; there are {', '.join(suites)}")
    return [suite for name, suite in suites.items() if not names or name in names]
