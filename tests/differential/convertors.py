"""Convertors of the generated tables: Starlette's own, and custom ones that tell of each call."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

from starlette.convertors import CONVERTOR_TYPES, Convertor, IntegerConvertor
from starlette.exceptions import HTTPException

Log = list[Any]

UUID_TEXT = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

#: Values that a request puts in the place of a parameter, the matching ones first.
VALUES: dict[str, tuple[str, ...]] = {
    "str": ("a", "b", "42", "é", "x.y", "a-b", "", "a/b", "a\n"),
    "path": ("a", "a/b", "", "/", "a//b", "a\nb", "é/ü"),
    "int": ("42", "0", "007", "-1", "4.2", "x", "٣", "1" * 30),
    "float": ("1.5", "3", "0.0", "1.", ".5", "x", "-1.5"),
    "uuid": (UUID_TEXT, UUID_TEXT.replace("-", ""), UUID_TEXT.upper(), "6ba7", "x"),
    "slashy": ("ab/cd", "a/b", "a", "a/b/c", "A/b"),
    "picky": ("good", "bad", "http", "key", "a/b"),
    "maybe": ("", "a", "ab", "a/b"),
    "either": ("a", "ab", "b", "c"),
    "nocase": ("abc", "ABC", "aBc", "x"),
    "lines": ("a", "a\n", "a\nb", "a/b"),
    "groups": ("xy", "x", "a"),
}


class Telling(Convertor[Any]):
    """A convertor whose calls enter the log."""

    def __init__(self, name: str, regex: str, log: Log) -> None:
        self.name = name
        self.regex = regex  # type: ignore[misc]
        self.log = log

    def convert(self, value: str) -> Any:
        self.log.append(("convert", self.name, value))
        return value

    def to_string(self, value: Any) -> str:
        self.log.append(("to_string", self.name, repr(value)))
        return str(value)


class Picky(Telling):
    """A convertor that refuses values in three ways."""

    def convert(self, value: str) -> Any:
        super().convert(value)
        if value == "bad":
            raise ValueError(f"{value} is bad")
        if value == "http":
            raise HTTPException(422, "not this one", {"x-why": "convertor"})
        if value == "key":
            raise KeyError(value)
        return value.upper()


class TellingInteger(Telling):
    def convert(self, value: str) -> Any:
        return int(super().convert(value))


class Doubling(IntegerConvertor):
    """Stands in for `int`; as a subclass it must not be mistaken for it."""

    def convert(self, value: str) -> int:
        return 2 * int(value)


def custom(log: Log) -> dict[str, Convertor[Any]]:
    """The convertors every generated table may use beside Starlette's."""
    return {
        "slashy": Telling("slashy", "[a-z]+/[a-z]+", log),
        "picky": Picky("picky", "[^/]+", log),
        "maybe": Telling("maybe", "[^/]*", log),
        "either": Telling("either", "a|ab|b", log),
        "nocase": Telling("nocase", "(?i:abc)", log),
        "lines": Telling("lines", "(?s:.+)", log),
        # A named group of its own: stock looks it up among the parameters, and fails.
        "groups": Telling("groups", "(?P<inner>x)y?", log),
    }


def replacements(log: Log) -> dict[str, Convertor[Any]]:
    """What `register_url_convertor` may put in the place of a known convertor."""
    return {
        "doubling": Doubling(),
        "telling": TellingInteger("int", "[0-9]+", log),
        "signed": TellingInteger("signed", "-?[0-9]+", log),
        "wide": Telling("wide", ".+", log),
        "word": Telling("word", "[a-z]+", log),
    }


@contextlib.contextmanager
def registered(log: Log) -> Iterator[None]:
    """Register the custom convertors; afterwards everything is as it was."""
    before = dict(CONVERTOR_TYPES)
    CONVERTOR_TYPES.update(custom(log))
    try:
        yield
    finally:
        CONVERTOR_TYPES.clear()
        CONVERTOR_TYPES.update(before)


#: What `url_path_for` is given for a parameter.
ARGUMENTS: tuple[Any, ...] = ("a", "a/b", "", 7, -1, 2.5, uuid.UUID(UUID_TEXT), "x y", float("nan"))
