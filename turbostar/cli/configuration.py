"""Options from `[tool.turbostar]` in pyproject.toml."""

from __future__ import annotations

import difflib
import os
import pathlib
import tomllib
from collections.abc import Collection, Sequence
from typing import Any

from turbostar.cli.errors import UserError

__all__ = ["VARIABLE", "defaults"]

VARIABLE = "TURBOSTAR_PYPROJECT"
"""Names another file than pyproject.toml in the working directory; empty: none."""

_SHARED = ("app", "app-dir", "factory", "ignore-header", "requests")


def defaults(command: str, commands: Collection[str], parameters: Sequence[Any]) -> dict[str, Any]:
    """What the file gives for the options of a sub-command, by the names of its parameters.

    `[tool.turbostar]` holds what several sub-commands take, and `[tool.turbostar.COMMAND]` what
    is for one. The keys are the options without their dashes, and `app`.

    Args:
        command: the sub-command.
        commands: the names of all of them.
        parameters: those of the sub-command, as click has them.

    Raises:
        UserError: the file is not TOML, or has a key or a value that cannot be.
    """
    name = os.environ.get(VARIABLE, "pyproject.toml")
    table = _table(name) if name else {}
    own = table.get(command, {})
    shared = {key: value for key, value in table.items() if key not in commands}
    where = f"{name}: [tool.turbostar]"
    for key in shared:
        _check_known(where, key, (*_SHARED, *commands))
    if not isinstance(own, dict):
        raise UserError(f"{where} {command} must be a table; write [tool.turbostar.{command}]")
    by_key = {_key(parameter): parameter for parameter in parameters}
    for key in own:
        _check_known(f"{name}: [tool.turbostar.{command}]", key, by_key)
    given = {key: value for key, value in shared.items() if key in by_key} | own
    return {
        by_key[key].name: _value(f"{name}: {key}", by_key[key], value)
        for key, value in given.items()
    }


def _table(name: str) -> dict[str, Any]:
    try:
        data = tomllib.loads(pathlib.Path(name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        if VARIABLE in os.environ:
            raise UserError(f"{name}: no such file; correct {VARIABLE}") from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise UserError(f"{name}: cannot be read ({exc}); correct it") from exc
    tool = data.get("tool", {})
    table = tool.get("turbostar", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise UserError(f"{name}: tool.turbostar must be a table; write [tool.turbostar]")
    return table


def _check_known(where: str, key: str, known: Collection[str]) -> None:
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1)
        repair = (
            f"did you mean {near[0]!r}?" if near else f"the keys are {', '.join(sorted(known))}"
        )
        raise UserError(f"{where} has the key {key!r}, which is no option; {repair}")


def _key(parameter: Any) -> str:
    """The option as written in the file: `ignore-header`, `verify` for --verify/--no-verify."""
    longest: str = max(parameter.opts, key=len)
    return longest.lstrip("-").replace("_", "-")


def _value(where: str, parameter: Any, value: Any) -> Any:
    """A value in the form in which the command line would give it."""
    if getattr(parameter, "is_flag", False):
        if not isinstance(value, bool):
            raise UserError(f"{where} is a switch; write true or false")
        return value
    if getattr(parameter, "multiple", False):
        if not isinstance(value, list):
            raise UserError(f"{where} may be given several times; write a list")
        return [str(item) for item in value]
    if isinstance(value, (bool, list, dict)):
        raise UserError(f"{where} takes one value; write a string or a number")
    return str(value)
