"""From exchanges to the lines of a request file."""

from __future__ import annotations

import base64
import itertools
import json
import pathlib
import re
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from turbostar.cli.record.answers import values_in
from turbostar.cli.record.bodies import body_fields, sent_bytes
from turbostar.cli.record.exchange import Exchange
from turbostar.cli.record.secrets import REDACTED, Secrets
from turbostar.cli.recorded import DEFAULT_HOST, Close, SendText
from turbostar.cli.request_file import check_line
from turbostar.cli.unsafe import SAFE_METHODS
from turbostar.cli.values import escaped

__all__ = ["Recording"]

# What belongs to a connection, or is added when a request is sent.
_DROPPED = {
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "te",
    "transfer-encoding",
    "upgrade",
}
_LONGEST_CAUSE = 200  # characters
_LOCAL = re.compile(r"(localhost|127(\.\d+){3}|0\.0\.0\.0|\[::1\]|testserver|test)(:\d+)?\Z")


class Recording:
    """Requests as lines, in a file that is complete after each of them.

    A value that an answer gives and a later request sends back becomes a `save` of the earlier
    line. Cookies are not written: requests that send each other's cookies share a jar.
    """

    def __init__(
        self,
        path: pathlib.Path | None,
        *,
        add: tuple[str, ...] = (),
        keep: tuple[str, ...] = (),
        prefix: str = "",
    ) -> None:
        """With no `path`, nothing is written until somebody writes `text()`; with one, what is in
        that file is replaced by the first request.

        `add` are further names of secrets, `keep` those that are written; `prefix` begins the
        names of jars and values, so that several recordings can be put together.
        """
        self.secrets = Secrets(add=add, keep=keep, place=self._place, known=self._is_token)
        self.unknown_cookies = 0
        self.refused: list[str] = []
        """Requests that no request file can hold, and why."""
        self._path = path
        self._prefix = prefix
        self._lines: list[dict[str, Any]] = []
        self._sources: dict[str, tuple[int, str, str]] = {}  # value: line, name, source
        self._placed: dict[str, str] = {}  # value: name under which it is saved
        self._jars: dict[tuple[str, str], str] = {}  # cookie as set: jar
        self._numbers = itertools.count(1)
        self._changed = True  # what has been written already
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._lines)

    def text(self) -> str:
        """All lines."""
        return "".join(map(_as_line, self._lines))

    @property
    def has_left_out(self) -> bool:
        """Whether a secret, or a cookie, was left out that no answer gave."""
        return bool(self.secrets.redacted or self.unknown_cookies)

    def remarks(self) -> Iterator[str]:
        """What to know about requests that are not recorded as they were sent."""
        if redacted := self.secrets.redacted:
            names = ", ".join(f"{name} ({count})" for name, count in redacted.most_common())
            yield f"redacted: {names}"
        if count := self.unknown_cookies:
            yield (
                f"{count} request{'s' if count > 1 else ''} sent cookies that no recorded answer "
                "had set: these are left out"
            )
        if self.refused:
            count = len(self.refused)
            are = f"{count} requests are" if count > 1 else "1 request is"
            first = _shortened(self.refused[0])
            yield f"{are} not recorded, as no request file can hold such: {first}"

    def add(self, exchange: Exchange) -> None:
        """Add one exchange, after its answer has come.

        Raises:
            OSError: the file cannot be written.
        """
        with self._lock:
            line = self._line(exchange)
            try:
                check_line(_as_line(line))
            except ValueError as exc:
                self.refused.append(f"{exchange.method} {exchange.target}: {exc}")
                return
            self._lines.append(line)
            for value, name, source in values_in(exchange, self.secrets):
                self._sources[value] = len(self._lines) - 1, name, source
            if self._path is None:
                return
            if self._changed:
                self._path.write_text(self.text(), encoding="utf-8")
                self._changed = False
            else:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(_as_line(line))

    def _line(self, exchange: Exchange) -> dict[str, Any]:
        host = exchange.header("host")
        jar = self._jar(exchange)
        fields: dict[str, Any] = {}
        if exchange.websocket is None and exchange.method != "GET":
            fields["method"] = exchange.method
        fields["path"] = self._target(exchange.target)
        if headers := self._headers(exchange, host):
            fields["headers"] = headers
        if exchange.websocket is None:
            fields |= body_fields(
                exchange.body,
                exchange.header("content-type"),
                self.secrets,
                exchange.header("content-encoding"),
            )
        else:
            fields["websocket"] = self._messages(exchange)
            if exchange.subprotocols:
                fields["subprotocols"] = self._subprotocols(exchange.subprotocols)
        if jar is not None:
            fields["jar"] = jar
        if exchange.method not in SAFE_METHODS:
            fields["bench"] = False
        return fields

    def _subprotocols(self, names: Sequence[str]) -> list[str]:
        """What to write for them: browsers send a token as the one after its name."""
        written: list[str] = []
        for before, name in zip(("", *names), names, strict=False):
            if self.secrets.is_secret(before) or name in self._sources:
                self.secrets.redacted["sec-websocket-protocol"] += 1
                written.append(REDACTED)
            else:
                written.append(name)
        return written

    def _headers(self, exchange: Exchange, host: str) -> list[tuple[str, str]]:
        local = _LOCAL.match(host) is not None
        headers = [("host", escaped(host))] if host and not local else []
        for name, value in exchange.headers:
            if name == "cookie" and self.secrets.keeps("cookie"):
                headers.append((name, escaped(value)))
            elif name in {"origin", "referer"}:
                headers.append((name, self._address(value, host if local else "")))
            elif name not in _DROPPED and not name.startswith(":"):
                headers.append((name, self.secrets.text(name, value)))
        return headers

    def _address(self, address: str, host: str) -> str:
        """The address of a page that led to a request, with the host that it will be sent to."""
        scheme, colon, rest = address.partition("://")
        user, at, server = rest.partition("/")[0].rpartition("@")
        if not host or server != host:
            return self.secrets.text("", address)
        target = self._target(rest[len(user + at + server) :])
        return self.secrets.text("", f"{scheme}{colon}{user}{at}") + DEFAULT_HOST + target

    def _target(self, target: str) -> str:
        path, mark, query = target.partition("?")
        segments = map(self.secrets.segment, path.split("/"))
        return "/".join(segments) + mark + self.secrets.query(query)

    def _messages(self, exchange: Exchange) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        for message in exchange.websocket or ():
            if isinstance(message, SendText):
                messages.append({"text": self.secrets.text("", message.text)})
            elif isinstance(message, Close):
                messages.append({"close": message.code})
            else:
                data = sent_bytes(message.data, self.secrets)
                messages.append({"bytes_base64": base64.b64encode(data).decode()})
        return messages

    def _jar(self, exchange: Exchange) -> str | None:
        """The jar of the client that sends the cookies of this request, or of a new one."""
        sent = [_pair(part) for part in exchange.header("cookie").split(";")]
        known = [self._jars[pair] for pair in sent if pair in self._jars]
        if any(pair[0] and pair not in self._jars for pair in sent):
            self.unknown_cookies += not self.secrets.keeps("cookie")
        given = [
            _pair(value.partition(";")[0])
            for name, value in exchange.answer_headers
            if name == "set-cookie"
        ]
        if not known and not given:
            return None
        jar = (
            max(known, key=known.count) if known else f"{self._prefix}client-{next(self._numbers)}"
        )
        self._jars |= dict.fromkeys(given, jar)
        return jar

    def _place(self, value: str) -> str | None:
        """The place for a value that an earlier answer gave, which that line now saves."""
        if value not in self._sources:
            return None
        if value not in self._placed:
            number, name, source = self._sources[value]
            self._placed[value] = self._free_name(name)
            self._lines[number].setdefault("save", {})[self._placed[value]] = source
            self._changed = True
        return f"{{{{{self._placed[value]}}}}}"

    def _is_token(self, value: str) -> bool:
        return value in self._sources and self.secrets.is_secret(self._sources[value][1])

    def _free_name(self, wanted: str) -> str:
        name = re.sub(r"\W+", "_", self._prefix + wanted, flags=re.ASCII).strip("_")
        name = name if name[:1].isalpha() else f"value_{name}"
        taken = {key for line in self._lines for key in line.get("save", {})}
        numbered = (f"{name}_{number}" for number in itertools.count(2))
        return next(one for one in itertools.chain([name], numbered) if one not in taken)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_CAUSE else text[:_LONGEST_CAUSE] + "…"


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.strip().partition("=")
    return name, value


def _as_line(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False) + "\n"
