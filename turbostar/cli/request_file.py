"""Reading request files: their lines, and what they mean."""

from __future__ import annotations

import base64
import json
import pathlib
import urllib.parse
from collections.abc import Iterable, Set
from typing import Any

import msgspec

from turbostar.cli.errors import UserError
from turbostar.cli.filled import filled
from turbostar.cli.recorded import (
    TOKEN,
    BodyKind,
    ClientMessage,
    Close,
    RecordedRequest,
    SendBytes,
    SendText,
    check_headers,
    check_target,
)
from turbostar.cli.values import checked_save, names_in

__all__ = ["check_line", "read_requests"]

_MOST_REPEATS = 100_000_000
_CLOSE_CODES = range(1000, 5000)


class _Line(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One line of a request file, as written."""

    path: str
    name: str | None = None
    method: str | None = None
    headers: list[tuple[str, str]] = []
    body: str | None = None
    body_base64: str | None = None
    json: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET  # null is a value
    form: list[tuple[str, str]] | None = None
    repeat: int = 1
    chunks: int = 1
    websocket: list[dict[str, Any]] | None = None
    subprotocols: list[str] = []
    disconnect: bool = False
    jar: str | None = None
    mix: str = "all"
    bench: bool = True
    save: dict[str, str] = {}


def read_requests(path: pathlib.Path) -> list[RecordedRequest]:
    """Read a file of recorded requests: JSON Lines, one request a line, blank lines skipped.

    Raises:
        UserError: the file cannot be read, holds no request, or has a line that is none; the
            message names the line.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as exc:
        raise UserError(
            f"{path}: {exc.strerror or exc}; give a readable file to --requests"
        ) from exc
    requests: dict[int, RecordedRequest] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            requests[number] = _request(msgspec.json.decode(line, type=_Line))
        except (msgspec.DecodeError, ValueError, RecursionError) as exc:
            raise UserError(f"{path}:{number}: {exc}; correct or delete this line") from exc
    if not requests:
        raise UserError(f"{path}: holds no request; write one JSON object a line")
    return _with_uses(path, requests)


def check_line(line: str) -> None:
    """Raise ValueError unless this is a line of a request file, whatever earlier ones save."""
    try:
        _request(msgspec.json.decode(line.encode(), type=_Line))
    except msgspec.DecodeError as exc:
        raise ValueError(str(exc)) from exc


def _with_uses(path: pathlib.Path, requests: dict[int, RecordedRequest]) -> list[RecordedRequest]:
    """The requests with the values they use noted.

    In a file without any `save`, two braces are nothing but two braces.
    """
    if not any(one.saves or one.path.startswith("{{") for one in requests.values()):
        return [filled(one, {}) for one in requests.values()]
    saved: set[str] = set()
    for number, request in requests.items():
        uses = tuple(dict.fromkeys(_uses(request, saved)))
        unknown = next((name for name in uses if name not in saved), None)
        if unknown is not None:
            raise UserError(
                f"{path}:{number}: uses the value {{{{{unknown}}}}}, which no earlier line saves; "
                f'add "save": {{"{unknown}": ...}} to the line whose answer has it'
            )
        requests[number] = (
            msgspec.structs.replace(request, uses=uses) if uses else filled(request, {})
        )
        saved.update(save.name for save in request.saves)
    return list(requests.values())


def _uses(request: RecordedRequest, saved: Set[str]) -> Iterable[str]:
    yield from names_in(request.path)
    for _, value in request.headers:
        yield from names_in(value)
    body = request.body.decode("latin-1")
    for name in names_in(body, form=request.body_is == "form"):
        if request.body_is != "bytes" or name in saved:  # bytes may hold two braces by chance
            yield name
    for message in request.websocket or ():
        if isinstance(message, SendText):
            yield from names_in(message.text)


def _request(line: _Line) -> RecordedRequest:
    _check_syntax(line)
    if line.websocket is not None:
        return _websocket(line)
    if line.subprotocols:
        raise ValueError("`subprotocols` go only with `websocket`")
    method = "GET" if line.method is None else line.method
    if not TOKEN.match(method):
        raise ValueError(f"`method` {method!r} is not an HTTP method")
    body, content_type, body_is = _body(line)
    headers = list(line.headers)
    if content_type and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("content-type", content_type))
    if line.chunks > max(len(body), 1):
        raise ValueError(f"`chunks` is {line.chunks}, more than the {len(body)} bytes of the body")
    return RecordedRequest(
        name=line.name or f"{method} {line.path}",
        method=method,
        path=line.path,
        headers=tuple(headers),
        body=body,
        chunks=line.chunks,
        disconnect=line.disconnect,
        jar=line.jar,
        mix=line.mix,
        bench=line.bench,
        saves=tuple(checked_save(name, source) for name, source in line.save.items()),
        body_is=body_is,
    )


def _check_syntax(line: _Line) -> None:
    if not line.path.startswith("{{"):  # such a path is known only when it is sent
        check_target(line.path)
    check_headers(line.headers)
    for field, number in (("chunks", line.chunks), ("repeat", line.repeat)):
        if number < 1:
            raise ValueError(f"`{field}` must be at least 1")
    if line.repeat > _MOST_REPEATS:
        raise ValueError(f"`repeat` must be at most {_MOST_REPEATS:,}: the body is kept in memory")
    if line.save and (line.websocket is not None or line.disconnect):
        raise ValueError("`save` excludes `websocket` and `disconnect`")


def _body(line: _Line) -> tuple[bytes, str | None, BodyKind]:
    """The body as sent, the content-type that its field implies, and how values stand in it."""
    given = [
        field
        for field, present in (
            ("body", line.body is not None),
            ("body_base64", line.body_base64 is not None),
            ("json", line.json is not msgspec.UNSET),
            ("form", line.form is not None),
        )
        if present
    ]
    if len(given) > 1:
        raise ValueError(f"`{given[0]}` and `{given[1]}` exclude each other")
    if not given and line.repeat != 1:
        raise ValueError("`repeat` needs a body")
    body, content_type = b"", None
    body_is: BodyKind = "text"
    if line.body is not None:
        body = line.body.encode()
    elif line.body_base64 is not None:
        body = _base64("body_base64", line.body_base64)
        body_is = "bytes"
    elif isinstance(line.json, msgspec.Raw):
        # The standard library keeps integers of any size.
        value = json.loads(bytes(line.json))
        body = json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        ).encode()
        content_type, body_is = "application/json", "json"
    elif line.form is not None:
        body = urllib.parse.urlencode(line.form).encode()
        content_type, body_is = "application/x-www-form-urlencoded", "form"
    return body * line.repeat, content_type, body_is


def _base64(field: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as exc:
        raise ValueError(f"`{field}` is not base64 ({exc})") from exc


def _websocket(line: _Line) -> RecordedRequest:
    body, _, _ = _body(line)
    if line.method is not None or body or line.chunks != 1 or line.disconnect:
        raise ValueError("`websocket` excludes `method`, a body, `chunks` and `disconnect`")
    for protocol in line.subprotocols:
        if not TOKEN.match(protocol):
            raise ValueError(f"{protocol!r} is not the name of a subprotocol")
    messages = tuple(_client_message(message) for message in line.websocket or ())
    if any(isinstance(message, Close) for message in messages[:-1]):
        raise ValueError("no message can follow a `close`")
    return RecordedRequest(
        name=line.name or f"WEBSOCKET {line.path}",
        path=line.path,
        headers=tuple(line.headers),
        websocket=messages,
        subprotocols=tuple(line.subprotocols),
        jar=line.jar,
        mix=line.mix,
        bench=line.bench,
    )


def _client_message(message: dict[str, Any]) -> ClientMessage:
    match message:
        case {"text": str(text), **others} if not others:
            return SendText(text)
        case {"bytes_base64": str(text), **others} if not others:
            return SendBytes(_base64("bytes_base64", text))
        case {"close": int(code), **others} if not others and code in _CLOSE_CODES:
            return Close(code)
    raise ValueError(
        f"{message!r} is none of the messages "
        '{"text": str}, {"bytes_base64": str}, {"close": 1000 to 4999}'
    )
