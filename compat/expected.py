"""Reads ``compat/expected.toml``: the differences that are known and wanted."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compat.errors import CompatError
from compat.suites import Suite

__all__ = ["Expected", "parse_expected"]

_FILE = "compat/expected.toml"
_KEYS = ("suite", "modes", "python", "tests", "reason")


@dataclass(frozen=True)
class Expected:
    """One test that may end differently, in one mode, and why.

    ``python`` holds the versions it is limited to, as ``3.13``; empty means any.
    """

    suite: str
    mode: str
    test: str
    reason: str
    python: tuple[str, ...] = ()

    def applies_to(self, suite: str, mode: str, python: str) -> bool:
        """Return whether this is about a run of *suite* in *mode* on Python *python* (3.13.0)."""
        parts = python.split(".")
        versions = [version.split(".") for version in self.python]
        return (self.suite, self.mode) == (suite, mode) and (
            not versions or any(parts[: len(version)] == version for version in versions)
        )


def parse_expected(text: str, suites: Mapping[str, Suite]) -> list[Expected]:
    """Return the entries of *text*, one for each test and mode.

    Raises CompatError, naming the entry, if it is not as the head of the file describes it.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CompatError(f"{_FILE}: not valid TOML ({error}); correct the file") from None
    for key in data:
        if key != "expected":
            raise CompatError(f"{_FILE}: unknown table {key!r}; entries are [[expected]]")
    entries = data.get("expected", [])
    if not isinstance(entries, list):
        raise CompatError(f"{_FILE}: expected must be a list; write [[expected]]")
    found: list[Expected] = []
    for number, entry in enumerate(entries, 1):
        found.extend(_parse_entry(entry, f"{_FILE}: entry {number}", suites))
    _refuse_twins(found)
    return found


def _parse_entry(entry: dict[str, Any], where: str, suites: Mapping[str, Suite]) -> list[Expected]:
    for key in entry:
        if key not in _KEYS:
            raise CompatError(f"{where}: unknown key {key!r}; known keys are {', '.join(_KEYS)}")
    suite, reason = entry.get("suite"), entry.get("reason")
    if not isinstance(suite, str) or suite not in suites:
        raise CompatError(f"{where}: no such suite {suite!r}; there are {', '.join(suites)}")
    if not isinstance(reason, str) or not reason.strip():
        raise CompatError(f"{where}: reason is missing; say why the difference is wanted")
    modes = _strings(entry, "modes", where)
    for mode in modes:
        if mode not in suites[suite].modes:
            raise CompatError(
                f"{where}: {suite} has no mode {mode!r}; it has {', '.join(suites[suite].modes)}"
            )
    python = tuple(_strings(entry, "python", where)) if "python" in entry else ()
    return [
        Expected(suite, mode, test, reason.strip(), python)
        for test in _strings(entry, "tests", where)
        for mode in modes
    ]


def _strings(entry: dict[str, Any], key: str, where: str) -> list[str]:
    """Return the list *key*; one string stands for a list of one."""
    value = entry.get(key)
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not values:
        raise CompatError(f"{where}: {key} is missing; give a string or a list of strings")
    if not all(isinstance(item, str) and item for item in values):
        raise CompatError(f"{where}: {key} must hold non-empty strings only; correct it")
    return values


def _refuse_twins(found: list[Expected]) -> None:
    seen: set[tuple[str, str, str, tuple[str, ...]]] = set()
    for item in found:
        key = (item.suite, item.mode, item.test, item.python)
        if key in seen:
            raise CompatError(f"{_FILE}: {item.test} is listed twice for {item.mode}; keep one")
        seen.add(key)
