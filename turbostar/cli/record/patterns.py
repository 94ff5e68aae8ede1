"""Where values with names stand within a text: addresses, queries, markup, settings, JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

__all__ = [
    "JSON_LINE",
    "JWT",
    "PIECE",
    "PUNCTUATION",
    "QUERY",
    "USER_INFO",
    "WHOLE_QUERY",
    "NamedValue",
    "dumped_like",
    "json_value",
    "named_values",
]

# Each line of JSON Lines, or of an event stream.
JSON_LINE = re.compile(r"(?m)(?:(?<=^)|(?<=^data:)|(?<=^data: ))[\[{].*[\]}](?=[ \t\r]*$)")
USER_INFO = re.compile(r"(?P<scheme>\b[A-Za-z][A-Za-z0-9+.-]{0,20}://)(?P<user>[^/\s?#\"'<>]*)@")
# All of a text, or what follows a question mark or hash in it.
WHOLE_QUERY = re.compile(r"\A[\w.\-%\[\]$]{1,100}=[^\s\"'<>;{}]*\Z")
QUERY = re.compile(r"(?<=[?#])[^\s\"'<>?#=]{1,100}=[^\s\"'<>?#]*")
JWT = re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*")
PUNCTUATION = re.compile(r"[=:<]")  # without one of these, there is no name before a value
PIECE = re.compile(r"[A-Za-z0-9._~+/=-]{8,}")

_JSON_STARTS = frozenset(' \t\r\n{["')
_STYLES: tuple[dict[str, Any], ...] = (
    {"ensure_ascii": False, "separators": (",", ":")},
    {"ensure_ascii": False},
    {"ensure_ascii": True, "separators": (",", ":")},
    {"ensure_ascii": True},
    {"ensure_ascii": False, "indent": 2},
    {"ensure_ascii": False, "indent": 4},
)

# The name in name=value, name="value" and "name": value, whatever the value is.
_NAME = re.compile(
    r"(?<![\w.\-\[\]$%])[\w.\-\[\]$%]{1,100}(?=(?P<quote>\\*[\"'])?[ \t]{0,8}(?:[=:]|%3D))"
)
_VALUE = re.compile(
    r"""
    (?:\\*["'])? [ \t]{0,8}
    (?:
        [=:] [ \t]{0,8} (?P<open>\\*["'])
        (?: (?P<quoted>(?:\\.|[^\\])*?) (?P=open) | (?P<unclosed>[^\r\n]+) )
      | = [ \t]{0,8} (?P<bare>[^\s&;,"'<>]+)
      | %3D (?P<encoded>[^\s&;,"'<>%]+ (?: %(?!26|2C|3B) [^\s&;,"'<>%]* )*)
      | : [ \t]{0,8} (?P<line>[^\r\n]*[^\s,;}\]])
    )
    """,
    re.VERBOSE | re.DOTALL,
)
# In which `token: String` is no value. Objects in braces have their names in quotes.
_GRAPHQL = re.compile(r"\s*(?:(?:query|mutation|subscription|fragment)\b|\{)")
_WORD = re.compile(r"[\w.+-]+")
_TAG = re.compile(r"<(?P<prefix>(?:[\w.-]{1,50}:)?)(?P<name>[\w.-]{1,100})(?:\s[^<>]{0,500})?>")
_CONSTANTS = frozenset({"true", "false", "null", "True", "False", "None", "{", "["})


class NamedValue(NamedTuple):
    """A value in a text, from `start` to `end`, and its name."""

    name: str
    start: int
    end: int


def named_values(text: str, wanted: Callable[[str], bool]) -> Iterator[NamedValue]:
    """The values whose names are wanted, as attributes, settings, parameters or elements."""
    found = [*_elements(text, wanted), *_pairs(text, wanted)]
    end = 0
    for one in sorted(found, key=lambda one: one.start):
        if one.start >= end and one.start < one.end:
            end = one.end
            yield one


def _elements(text: str, wanted: Callable[[str], bool]) -> Iterator[NamedValue]:
    end = 0
    unclosed: set[str] = set()
    for tag in _TAG.finditer(text):
        closing = f"</{tag['prefix']}{tag['name']}"
        if tag.start() < end or closing in unclosed or not wanted(tag["name"]):
            continue
        if (found := text.find(closing, tag.end())) < 0:
            unclosed.add(closing)
        else:
            end = found
            yield NamedValue(tag["name"], tag.end(), end)


def _pairs(text: str, wanted: Callable[[str], bool]) -> Iterator[NamedValue]:
    end = 0
    graphql = _GRAPHQL.match(text) is not None
    for name in _NAME.finditer(text):
        if name.start() < end or not wanted(name[0]):
            continue
        if (value := _VALUE.match(text, name.end())) is None:
            continue
        start, stop = value.span(str(value.lastgroup))
        is_setting = text[start - 1] in " \t" and _begins_line(text, name.start())
        if value.lastgroup == "line" and not (is_setting and not graphql):
            # Within a line, a colon shows a value only after a name in quotes.
            word = _WORD.match(text, start)
            if name["quote"] is None or word is None:
                continue
            stop = word.end()
        if text[start:stop] not in _CONSTANTS:
            end = stop
            yield NamedValue(name[0], start, stop)


def _begins_line(text: str, position: int) -> bool:
    before = text[text.rfind("\n", 0, position) + 1 : position]
    return not before.strip(" \t-")


def json_value(text: str) -> Any:
    """The object, the array, or the text in quotes that a text is as JSON, or None."""
    if text[:1] not in _JSON_STARTS:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list | str) else None


def dumped_like(text: str, value: Any, written: Any) -> str:
    """`written` as JSON, in the style in which `text` has `value`."""
    style = next((one for one in _STYLES if json.dumps(value, **one) == text), _STYLES[0])
    dumped = json.dumps(written, **style)
    try:
        dumped.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which only an escape can show
        return json.dumps(written)
    return dumped
