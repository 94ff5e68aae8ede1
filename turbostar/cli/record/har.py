"""Exchanges from a HAR file, as the network panel of a browser saves it."""

from __future__ import annotations

import base64
import json
import pathlib
import urllib.parse
from typing import Any, NamedTuple

from turbostar.cli.errors import UserError
from turbostar.cli.record.bodies import ContentType
from turbostar.cli.record.exchange import Exchange
from turbostar.cli.recorded import ClientMessage, SendBytes, SendText

__all__ = ["Har", "read_har"]

_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_TARGET_CHARACTERS = "/%:@!$&'()*+,;=~-._?[]|"
_TEXT_MESSAGE = 1


class Har(NamedTuple):
    """What a HAR file holds for one origin; `others` counts the requests to other ones."""

    origin: str
    exchanges: list[Exchange]
    others: int


def read_har(path: pathlib.Path, origin: str | None = None) -> Har:
    """The requests of a HAR file to `origin`, as `https://example.com`.

    Without one, it is that of the first request.

    Raises:
        UserError: the file cannot be read, is no HAR file, or has no request to that origin.
    """
    try:
        entries = json.loads(path.read_bytes())["log"]["entries"]
        asked = [(_origin(entry["request"]["url"]), entry) for entry in entries]
    except OSError as exc:
        raise UserError(f"{path}: {exc.strerror or exc}; give a readable file") from exc
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise UserError(
            f"{path}: is no HAR file ({type(exc).__name__}: {exc}); save one from the network "
            "panel of a browser"
        ) from exc
    wanted = None if origin is None else _origin(origin)
    if origin is not None and wanted is None:
        raise UserError(f"--origin {origin}: is no address; write it as https://example.com")
    wanted = wanted or next((found for found, _ in asked if found is not None), None)
    chosen = [entry for found, entry in asked if found is not None and found == wanted]
    if not chosen:
        seen = ", ".join(sorted({found for found, _ in asked if found})) or "none"
        raise UserError(f"{path}: has no request to {wanted}; it has requests to: {seen}")
    exchanges = []
    for number, entry in enumerate(chosen, 1):
        try:
            exchanges.append(_exchange(entry))
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise UserError(
                f"{path}: request {number} to {wanted} is broken ({type(exc).__name__}: {exc}); "
                "delete it there"
            ) from exc
    return Har(str(wanted), exchanges, len(asked) - len(chosen))


def _origin(address: str) -> str | None:
    """Scheme and host of an address, or None if it is not one of the web."""
    parts = urllib.parse.urlsplit(address)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        return None
    return f"{_SCHEMES[parts.scheme]}://{parts.netloc.rpartition('@')[2].lower()}"


def _exchange(entry: dict[str, Any]) -> Exchange:
    request, response = entry["request"], entry.get("response", {})
    parts = urllib.parse.urlsplit(request["url"])
    target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
    headers = _headers(request)
    if not any(name == "host" for name, _ in headers):
        headers.insert(0, ("host", parts.netloc.rpartition("@")[2]))
    exchange = Exchange(
        method=request["method"].upper(),
        target=urllib.parse.quote(target, safe=_TARGET_CHARACTERS),
        headers=headers,
        body=_body(request.get("postData") or {}),
        answer_headers=_headers(response),
        answer_body=_decoded(response.get("content") or {}),
    )
    if parts.scheme in {"ws", "wss"}:
        exchange.websocket = _messages(entry)
        exchange.method = "GET"
        offered = exchange.header("sec-websocket-protocol")
        exchange.subprotocols = [one.strip() for one in offered.split(",") if one.strip()]
    return exchange


def _headers(message: dict[str, Any]) -> list[tuple[str, str]]:
    pairs = []
    for header in message.get("headers", ()):
        # Some browsers put several set-cookie headers into one, a line each.
        values = header["value"].split("\n") if header["name"].lower() == "set-cookie" else None
        for value in values or [header["value"]]:
            pairs.append((header["name"].lower(), value))
    return pairs


def _body(posted: dict[str, Any]) -> bytes:
    if posted.get("text"):
        return _decoded(posted)
    params = posted.get("params") or ()
    boundary = ContentType.of(posted.get("mimeType", "")).boundary
    if params and boundary:
        parts = "".join(f"--{boundary}\r\n{_part(one)}\r\n" for one in params)
        return f"{parts}--{boundary}--\r\n".encode()
    return urllib.parse.urlencode([(one["name"], one.get("value", "")) for one in params]).encode()


def _part(param: dict[str, Any]) -> str:
    head = f'Content-Disposition: form-data; name="{param["name"]}"'
    if "fileName" in param:
        head += f'; filename="{param["fileName"]}"'
    if "contentType" in param:
        head += f"\r\nContent-Type: {param['contentType']}"
    return f"{head}\r\n\r\n{param.get('value', '')}"


def _decoded(content: dict[str, Any]) -> bytes:
    text = content.get("text") or ""
    return base64.b64decode(text) if content.get("encoding") == "base64" else text.encode()


def _messages(entry: dict[str, Any]) -> list[ClientMessage]:
    return [
        SendText(one["data"])
        if one["opcode"] == _TEXT_MESSAGE
        else SendBytes(base64.b64decode(one["data"]))
        for one in entry.get("_webSocketMessages", ())
        if one["type"] == "send"
    ]
