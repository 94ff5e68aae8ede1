"""Values in an answer that a later request may send back: tokens, cookies and identifiers."""

from __future__ import annotations

import html.parser
import json
import re
from collections.abc import Iterator
from typing import Any

from turbostar.cli.record.exchange import Exchange
from turbostar.cli.record.patterns import named_values
from turbostar.cli.record.secrets import Secrets

__all__ = ["values_in"]

# Shorter ones may stand in a later request by chance.
_SHORTEST = 8
# UUIDs, object identifiers and other hexadecimal ones, ULIDs.
_IDENTIFIER = re.compile(r"[0-9a-fA-F-]{24,36}|[0-9A-HJKMNP-TV-Z]{26}")
_LARGEST = 1 << 20  # bytes of an answer that is looked through


def values_in(exchange: Exchange, secrets: Secrets) -> Iterator[tuple[str, str, str]]:
    """Each value with its name and its source, as `save` in a request file has them."""
    for name, value in exchange.answer_headers:
        if name == "set-cookie":
            cookie, equals, text = value.partition(";")[0].strip().partition("=")
            if equals and len(text) >= _SHORTEST:
                yield text, cookie, f"cookie:{cookie}"
        elif secrets.is_secret(name) and len(value) >= _SHORTEST:
            yield value, name, f"header:{name}"
    if len(exchange.answer_body) > _LARGEST:
        return
    kind = next((value for name, value in exchange.answer_headers if name == "content-type"), "")
    try:
        text = exchange.answer_body.decode()
        if "json" in kind:
            yield from _in_json(json.loads(text), "", "", secrets)
        elif "html" in kind:
            yield from _in_html(text, secrets)
    except (ValueError, RecursionError):  # not what its content-type says
        return


def _in_json(
    value: Any, name: str, pointer: str, secrets: Secrets
) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            part = key.replace("~", "~0").replace("/", "~1")
            yield from _in_json(inner, key, f"{pointer}/{part}", secrets)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _in_json(inner, name, f"{pointer}/{number}", secrets)
    elif (
        isinstance(value, str)
        and len(value) >= _SHORTEST
        and (secrets.is_secret(name) or _IDENTIFIER.fullmatch(value))
    ):
        yield value, name or "value", f"json:{pointer}"


def _in_html(text: str, secrets: Secrets) -> Iterator[tuple[str, str, str]]:
    fields = _Fields()
    fields.feed(text)
    for name, value, tag in fields.found:
        if len(value) < _SHORTEST or not secrets.is_secret(name):
            continue
        before, found, after = tag.partition(value)
        if found:  # as it stands, not escaped
            rest = "" if name in before else _pattern(after, secrets)
            yield value, name, f"regex:{_pattern(before, secrets)}([^\"'<> ]+){rest}"


def _pattern(text: str, secrets: Secrets) -> str:
    """A regular expression for this text, with spaces left readable, and secrets left out."""
    end, parts = 0, []
    for _, start, stop in named_values(text, secrets.is_secret):
        parts += [_escaped(text[end:start]), "[^\"'<>]*"]
        end = stop
    return "".join([*parts, _escaped(text[end:])])


def _escaped(text: str) -> str:
    return re.escape(text).replace("\\ ", " ")


class _Fields(html.parser.HTMLParser):
    """Collects the fields of forms, and what `meta` elements tell scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []  # name, value, the tag as written

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name"), given.get("content" if tag == "meta" else "value")
        if tag in {"input", "meta"} and name and value:
            self.found.append((name, value, self.get_starttag_text() or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
