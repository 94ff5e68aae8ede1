"""What is wrong with a request, place by place, as far as it is worth telling."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from turbostar.di.shapes import fields_of, inner

__all__ = ["Fault", "ValidationError", "faults_of", "refused"]

#: How many faults are told, how deep a body is looked into for them, and how often.
_MOST, _DEEPEST, _LOOKS = 100, 32, 2_000
#: How many characters of a path or a reason are told, which may be the client's own.
_LONGEST = 200
_MISSING: Any = object()


class Fault(NamedTuple):
    """One thing that is wrong with a request.

    Attributes:
        place: "body" or "query".
        path: where in it, such as ``$.items[0].price``.
        reason: what was expected, and what was found.
    """

    place: str
    path: str
    reason: str


class ValidationError(Exception):
    """A request that its handler cannot be called with.

    Attributes:
        status: 400 for what is no JSON, 413 for what is too large, 415 for another content type,
            and 422 for what has another shape.
        faults: what is wrong, place by place.
        more: there is more that is wrong, which was not looked for.
    """

    def __init__(self, status: int, faults: list[Fault], *, more: bool = False) -> None:
        self.status = status
        self.faults = faults
        self.more = more
        super().__init__("; ".join(f"{each.place} {each.path}: {each.reason}" for each in faults))

    def as_json(self) -> dict[str, Any]:
        """What the client is told."""
        told: dict[str, Any] = {
            "detail": [
                {"in": each.place, "path": each.path, "reason": each.reason} for each in self.faults
            ]
        }
        return {**told, "more": True} if self.more else told


def refused(status: int, reason: str) -> ValidationError:
    """The error that a body is of no use at all."""
    return ValidationError(status, [Fault("body", "$", _short(reason))])


def faults_of(place: str, path: str, raw: Any, hint: Any, exc: Exception) -> ValidationError:
    """The error that tells all faults, of which msgspec has told the first.

    Args:
        place: "body" or "query".
        path: where in it `raw` is.
        raw: what cannot be taken as `hint`, as JSON or the query string has it.
        hint: the type.
        exc: what msgspec has raised.
    """
    search = _Search(place, strict=place == "body")
    try:
        search.look(path, raw, hint, 0)
    except RecursionError:  # nested more deeply than can be looked at
        search.found.clear()
    found = search.found[:_MOST] or [_fault(place, path, exc)]
    return ValidationError(422, found, more=search.is_over)


class _Search:
    """Looks at each part by itself, as far as the type says what is there."""

    def __init__(self, place: str, *, strict: bool) -> None:
        self.place = place
        self.strict = strict
        self.found: list[Fault] = []
        self.looks = 0

    @property
    def is_over(self) -> bool:
        return len(self.found) > _MOST or self.looks > _LOOKS

    def look(self, path: str, raw: Any, hint: Any, depth: int) -> None:
        self.looks += 1
        try:
            msgspec.convert(raw, hint, strict=self.strict)
        except msgspec.ValidationError as exc:
            first = _fault(self.place, path, exc)
        else:
            return
        known = len(self.found)
        for below, item, each in _parts(path, raw, inner(hint)) if depth < _DEEPEST else ():
            if self.is_over:
                break
            if item is _MISSING:
                self.found.append(Fault(self.place, _short(below), "missing"))
            else:
                self.look(below, item, each, depth + 1)
        if len(self.found) == known:
            self.found.append(first)


def _parts(path: str, raw: Any, hint: Any) -> Iterator[tuple[str, Any, Any]]:
    """The parts of a value, each with its path and the type that it is to have."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(raw, list):
        if origin in (list, set, frozenset) or (origin is tuple and arguments[1:] == (...,)):
            for index, item in enumerate(raw):
                yield f"{path}[{index}]", item, arguments[0]
        return
    if not isinstance(raw, dict):
        return
    fields = fields_of(hint)
    if fields is not None:
        for name, (each, is_required) in fields.items():
            if name in raw or is_required:
                yield f"{path}.{name}", raw.get(name, _MISSING), each
    elif origin is dict:
        for name, item in raw.items():
            yield f"{path}[{_short(repr(name), 60)}]", item, arguments[1]


def _fault(place: str, path: str, exc: Exception) -> Fault:
    text = str(exc)
    reason, told, below = text.rpartition(" - at `")
    if not told:
        return Fault(place, _short(path), _short(text))
    return Fault(place, _short(path + below.rstrip("`").removeprefix("$")), _short(reason))


def _short(text: str, longest: int = _LONGEST) -> str:
    """A text without its middle, if it is long."""
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]}…{text[-half:]}"
