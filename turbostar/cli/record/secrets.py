"""What is not written into a request file: values that their names show to be secrets."""

from __future__ import annotations

import collections
import functools
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from turbostar.cli.record import patterns
from turbostar.cli.values import escaped, quoted

__all__ = ["REDACTED", "Secrets"]

REDACTED = "REDACTED"

# A name that contains one of these, without regard to case, '-' and '_', is the name of a secret.
_WORDS = (
    "accesskey",
    "apikey",
    "authorization",
    "bearer",
    "codeverifier",
    "cookie",
    "credential",
    "csrf",
    "cvc",
    "cvv",
    "jwt",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "samlresponse",
    "secret",
    "sessionid",
    "sessionkey",
    "signature",
    "token",
    "xauth",
    "xsrf",
)
# Too short to be looked for within other names.
_NAMES = frozenset({"auth", "otp", "pass", "pin", "pw", "sid", "sig"})
# Numbers under such names, as "max_tokens" or "token_count", count tokens and are no secrets.
_COUNTS = re.compile(r"tokens\Z|tokens?(count|limit|budget|total|used|usage)\Z")
# Objects that hold a name and a value, as scripts that read forms make them.
_DEEPEST = 8  # values within values within values
_LONGEST = 1 << 16  # characters of a value within a value that is decoded
_MOST_NAMES = 10_000  # that are remembered
_USER_INFO = "userinfo"  # under which name the user and the password of an address are counted
_BYTE_ORDER_MARK = "\ufeff"
_NAME_KEYS, _VALUE_KEYS = ("name", "key", "field", "header"), ("value", "values")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


class Secrets:
    """Decides by name what is a secret, and puts something else in its place.

    What an earlier answer has given gets a place of its own, `{{name}}`, wherever it is sent back:
    so it is not written either, and the recorded requests still work. `redacted` counts the rest.
    What is returned for a text is as a request file has it: two braces that the text itself holds
    are escaped, where they could be taken for a place.
    """

    def __init__(
        self,
        *,
        add: Iterable[str] = (),
        keep: Iterable[str] = (),
        place: Callable[[str], str | None] = lambda value: None,
        known: Callable[[str], bool] = lambda value: False,
    ) -> None:
        """`place` returns what stands for a value that an earlier answer gave, or None; `known`
        tells whether such a value is a secret.
        """
        self._words = (*_WORDS, *filter(None, map(_plain, add)))
        self._kept = {_plain(name) for name in keep}
        self._place = place
        self._known = known
        self._escaped: Callable[[str], str] = escaped
        self._depth = 0
        self._secret_names: dict[str, bool] = {}
        self.redacted: collections.Counter[str] = collections.Counter()
        self.changes = 0
        """How often something was put in the place of a value."""

    def placeless(self) -> Secrets:
        """For content that can hold no places, such as compressed data: all is redacted there,
        and braces stay as they are.
        """
        other = Secrets(
            place=lambda value: REDACTED if self._known(value) else None, known=self._known
        )
        other._words, other._kept, other.redacted = self._words, self._kept, self.redacted
        other._escaped, other._depth = str, self._depth
        return other

    @property
    def is_placeless(self) -> bool:
        """Whether this is for content without places."""
        return self._escaped is str

    def keeps(self, name: str) -> bool:
        """Whether values of this name are to be written, secrets or not."""
        return _plain(name) in self._kept

    def is_secret(self, name: str) -> bool:
        """Whether values of this name are left out."""
        if (known := self._secret_names.get(name)) is not None:
            return known
        plain = _plain(name)
        found = plain in _NAMES or any(word in plain for word in self._words)
        if len(self._secret_names) < _MOST_NAMES:
            self._secret_names[name] = found and plain not in self._kept
        return found and plain not in self._kept

    def text(self, name: str, value: str) -> str:
        """What to write for a text of this name, whatever it holds: JSON, an address, a form."""
        if value.startswith(_BYTE_ORDER_MARK) and not value.startswith(2 * _BYTE_ORDER_MARK):
            return _BYTE_ORDER_MARK + self.text(name, value.removeprefix(_BYTE_ORDER_MARK))
        if (placed := self._placed(value)) is not None:
            return placed
        if value and self.is_secret(name):
            return self._secret(name, value)
        if (written := self._json_text(value)) is not None:
            return written
        self._depth += 1
        try:
            parts: Iterable[str] = [value]
            for stage in self._stages(value):
                parts = [one for part in parts for one in _unless_written(stage, part)]
        finally:
            self._depth -= 1
        return self._joined(parts)

    def _stages(self, value: str) -> Iterator[Callable[[str], Iterable[str]]]:
        """What looks for secrets in a text, one kind of place after the other."""
        if patterns.PUNCTUATION.search(value) is not None:
            yield functools.partial(_replaced, patterns.JSON_LINE, self._line)
            yield functools.partial(_replaced, patterns.USER_INFO, self._user_info)
            if self._depth == 1 or (self._depth <= _DEEPEST and len(value) <= _LONGEST):
                yield functools.partial(_replaced, patterns.WHOLE_QUERY, self._query)
                yield functools.partial(_replaced, patterns.QUERY, self._query)
            yield self._named
        yield functools.partial(_replaced, patterns.JWT, self._jwt)
        yield functools.partial(_replaced, patterns.PIECE, self._piece)

    def json(self, value: Any, name: str = "") -> Any:
        """What to write for a JSON value, in which each text stands under the name of its key."""
        if isinstance(value, Mapping):
            # All that is in something secret is secret.
            secret = self.is_secret(name)
            named = next((value[key] for key in _NAME_KEYS if isinstance(value.get(key), str)), "")
            return {
                self._escaped(key) if isinstance(key, str) else key: self.json(
                    inner,
                    name if secret else named if key in _VALUE_KEYS and named else str(key),
                )
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [self.json(inner, name) for inner in value]
        if isinstance(value, str):
            return self.text(name, value)
        number = isinstance(value, int | float | bytes) and not isinstance(value, bool)
        if number and self.is_secret(name) and not _COUNTS.search(_plain(name)):
            return self._redact(name)
        return value

    def query(self, query: str) -> str:
        """What to write for an encoded query; what is no secret stays as it was encoded."""
        return self._joined(self._pairs(query))

    def segment(self, segment: str) -> str:
        """What to write for a segment of a path, between two slashes."""
        before = self.changes
        written = self.text("", urllib.parse.unquote(segment, errors="surrogateescape"))
        if self.changes == before:
            return self._escaped(segment)
        return quoted(written, urllib.parse.quote)

    def _json_text(self, text: str) -> str | None:
        """What to write for a text that is JSON; None if it is none, or nested too deep."""
        found = patterns.json_value(text)
        if found is None:
            return None
        before = self.changes
        try:
            written = self.json(found)
        except RecursionError:
            return None
        if self.changes == before:
            return self._escaped(text)
        return patterns.dumped_like(text, found, written)

    def _placed(self, value: str) -> str | None:
        placed = self._place(value)
        self.changes += placed is not None
        return placed

    def _redact(self, name: str) -> str:
        self.redacted[name] += 1
        self.changes += 1
        return REDACTED

    def _secret(self, name: str, value: str) -> str:
        """A secret, of which only the scheme of an authorization is written."""
        scheme, space, rest = value.partition(" ")
        if "authorization" not in _plain(name) or not space:
            scheme, rest = "", value
        written = self._placed(rest) or self._redact(name)
        return f"{scheme}{space if scheme else ''}{written}"

    def _pairs(self, query: str) -> Iterator[str]:
        for number, pair in enumerate(query.split("&")):
            if number:
                yield "&"
            name, equals, value = pair.partition("=")
            before = self.changes
            plain = urllib.parse.unquote_plus(value, errors="surrogateescape")
            written = self.text(urllib.parse.unquote_plus(name), plain)
            if self.changes == before:
                yield pair
            else:
                yield name + equals
                yield _Written(quoted(written, urllib.parse.quote_plus))

    def _line(self, match: re.Match[str]) -> list[str]:
        written = self._json_text(match[0])
        return [match[0] if written is None else _Written(written)]

    def _user_info(self, match: re.Match[str]) -> list[str]:
        user, colon, password = match["user"].partition(":")
        if self.keeps(_USER_INFO) or not (password or (user and not colon)):
            return [match[0]]
        shown = user + colon if colon else ""
        return [match["scheme"], shown, self._redact(_USER_INFO), "@"]

    def _query(self, match: re.Match[str]) -> list[str]:
        return list(self._pairs(match[0]))

    def _named(self, part: str) -> Iterator[str]:
        end = 0
        for name, start, stop in patterns.named_values(part, self.is_secret):
            if (value := part[start:stop]) != REDACTED:
                yield part[end:start]
                yield _Written(self._secret(name, value))
                end = stop
        yield part[end:]

    def _jwt(self, match: re.Match[str]) -> list[str]:
        if not self.is_secret("jwt"):
            return [match[0]]
        placed = self._placed(match[0])
        return [_Written(placed)] if placed else [self._redact("jwt")]

    def _piece(self, match: re.Match[str]) -> list[str]:
        placed = self._placed(match[0])
        return [match[0] if placed is None else _Written(placed)]

    def _joined(self, parts: Iterable[str]) -> str:
        """The parts as one text, in which what the client has sent is escaped."""
        texts: list[str] = []
        sent = ""
        for part in parts:
            if isinstance(part, _Written):
                texts += [self._escaped(sent), part]
                sent = ""
            else:
                sent += part
        return "".join([*texts, self._escaped(sent)])


class _Written(str):
    """A part of a text that is already as a request file has it."""

    __slots__ = ()


def _unless_written(stage: Callable[[str], Iterable[str]], part: str) -> Iterable[str]:
    return [part] if isinstance(part, _Written) else stage(part)


def _replaced(
    pattern: re.Pattern[str], write: Callable[[re.Match[str]], list[str]], part: str
) -> Iterator[str]:
    """The part of a text with what the pattern matches written as the function says."""
    end = 0
    for match in pattern.finditer(part):
        yield part[end : match.start()]
        yield from write(match)
        end = match.end()
    yield part[end:]
