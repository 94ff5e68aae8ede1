"""Values that later requests take from earlier answers: a token, an address, an identifier.

A request file declares them: `"save": {"token": "json:/access_token"}` on one line, and
`{{token}}` on a later one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from http.cookies import CookieError, SimpleCookie
from typing import Any

import msgspec

from turbostar.cli.errors import UserError

__all__ = [
    "MissingValue",
    "NotFound",
    "Save",
    "checked_save",
    "escaped",
    "find",
    "insert",
    "names_in",
    "quoted",
]

Headers = Sequence[tuple[bytes, bytes]]

_NAME = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)
# The place of a value, or two braces that a request holds itself, which stand as {{{{}}.
_PLACEHOLDER = re.compile(r"{{({{|[A-Za-z_]\w*)}}", re.ASCII)
_IN_FORM = re.compile(r"%7B%7B(%7B%7B|[A-Za-z_]\w*)%7D%7D", re.ASCII)
_TAKEN_FOR_PLACE = re.compile(r"{{(?=(?:{{|[A-Za-z_]\w*)}})", re.ASCII)
_BRACES = ("{{", "%7B%7B")
_FORMS = '"json:/pointer", "header:name", "cookie:name" or "regex:pattern"'


class MissingValue(UserError):
    """A request uses a value that no answer has given."""


class NotFound(Exception):
    """An answer does not hold the value that is to be saved; says where it was looked for."""


class Save(msgspec.Struct, frozen=True):
    """A value to take from the answer to a request: its name, and where it stands."""

    name: str
    kind: str
    where: str


def checked_save(name: str, source: str) -> Save:
    """One entry of `save`, as `"token": "json:/access_token"`.

    Raises:
        ValueError: the name or the source is not of the documented form.
    """
    if not _NAME.match(name):
        raise ValueError(
            f"`save` names a value {name!r}; use letters, digits and underscores, a letter first"
        )
    kind, colon, where = source.partition(":")
    if not colon or kind not in _FINDERS:
        raise ValueError(f"`save` takes {name!r} from {source!r}; write {_FORMS}")
    if kind == "json" and where and not where.startswith("/"):
        raise ValueError(f"`save` takes {name!r} from {source!r}; a JSON pointer begins with '/'")
    if kind == "regex":
        try:
            re.compile(where)
        except re.error as exc:
            raise ValueError(f"`save` takes {name!r} from a wrong pattern: {exc}") from exc
    return Save(name, kind, where)


def find(save: Save, headers: Headers, body: bytes) -> str:
    """The value in an answer; the names of `headers` are lower case.

    Raises:
        NotFound: the answer does not have it.
    """
    return _FINDERS[save.kind](save.where, headers, body)


def names_in(text: str, *, form: bool = False) -> list[str]:
    """The names of the values that a text, or an encoded form, has places for."""
    pattern = _IN_FORM if form else _PLACEHOLDER
    return [name for name in pattern.findall(text) if name not in _BRACES]


def escaped(text: str) -> str:
    """The text with `{{{{}}` for two braces where they would be taken for a place."""
    return _TAKEN_FOR_PLACE.sub("{{{{}}", text)


def quoted(text: str, quote: Callable[..., str]) -> str:
    """A text with places, percent-encoded but for these; `quote` is one of urllib's functions."""
    encoded, sent = [], ""
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        sent += text[end : match.start()]
        end = match.end()
        if match[1] in _BRACES:
            sent += match[1]
        else:
            encoded += [quote(sent, safe="", errors="surrogateescape"), match[0]]
            sent = ""
    return "".join([*encoded, quote(sent + text[end:], safe="", errors="surrogateescape")])


def insert(
    text: str,
    values: Mapping[str, str],
    encode: Callable[[str], str] = str,
    *,
    form: bool = False,
) -> str:
    """The text with the values in their places, each as `encode` writes it.

    A place whose name is not among the values stays as it is. In a `form`, the braces are
    percent-encoded.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] in _BRACES:
            return match[1]
        return encode(values[match[1]]) if match[1] in values else match[0]

    return (_IN_FORM if form else _PLACEHOLDER).sub(value, text)


def _in_json(pointer: str, headers: Headers, body: bytes) -> str:
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise NotFound("is not JSON") from None
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, ValueError, TypeError):
            raise NotFound(f"has nothing at {pointer} of its JSON") from None
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return json.dumps(value)
    raise NotFound(f"has neither a text nor a number at {pointer or 'the top'} of its JSON")


def _in_headers(name: str, headers: Headers, body: bytes) -> str:
    wanted = name.lower().encode("latin-1", "replace")
    for key, value in headers:
        if key == wanted:
            return value.decode("latin-1")
    raise NotFound(f"has no header {name!r}")


def _in_cookies(name: str, headers: Headers, body: bytes) -> str:
    for key, value in headers:
        if key != b"set-cookie":
            continue
        pair = value.decode("latin-1").partition(";")[0]
        found, equals, text = pair.strip().partition("=")
        if equals and found == name:
            return _unquoted(text)
    raise NotFound(f"sets no cookie {name!r}")


def _unquoted(text: str) -> str:
    """The value of a cookie without the quotes that characters such as spaces need."""
    try:
        return SimpleCookie(f"value={text}")["value"].value
    except (CookieError, KeyError):
        return text


def _in_text(pattern: str, headers: Headers, body: bytes) -> str:
    match = re.search(pattern, body.decode("utf-8", "replace"))
    if match is None:
        raise NotFound(f"has no match of {pattern!r}")
    # A group that takes no part in the match is None.
    return (match[1] or "") if match.re.groups else match[0]


_FINDERS: dict[str, Callable[[str, Headers, bytes], str]] = {
    "json": _in_json,
    "header": _in_headers,
    "cookie": _in_cookies,
    "regex": _in_text,
}
