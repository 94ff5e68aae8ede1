"""Requests with the values of earlier answers put in their places."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping

import msgspec

from turbostar.cli.recorded import RecordedRequest, SendText, check_headers, check_target
from turbostar.cli.values import insert

__all__ = ["filled"]


def filled(request: RecordedRequest, values: Mapping[str, str]) -> RecordedRequest:
    """The request with the values in place of `{{name}}`, and two braces in place of `{{{{}}`.

    Raises:
        ValueError: with them, it is no request any longer.
    """
    path = _filled_path(request.path, values)
    headers = tuple((name, insert(value, values)) for name, value in request.headers)
    check_target(path)
    check_headers(headers)
    messages = request.websocket and tuple(
        SendText(insert(message.text, values)) if isinstance(message, SendText) else message
        for message in request.websocket
    )
    body = _filled_body(request, values)
    return msgspec.structs.replace(
        request,
        path=path,
        headers=headers,
        body=body,
        chunks=min(request.chunks, max(len(body), 1)),
        websocket=messages,
    )


def _filled_path(path: str, values: Mapping[str, str]) -> str:
    if not path.startswith("{{"):
        return insert(path, values, lambda value: urllib.parse.quote(value, safe=""))
    # An address that an answer gave, with or without the server's name.
    whole = urllib.parse.urlsplit(insert(path, values))
    return urllib.parse.urlunsplit(("", "", whole.path or "/", whole.query, ""))


def _filled_body(request: RecordedRequest, values: Mapping[str, str]) -> bytes:
    # Latin-1 takes any bytes and gives them back; values are sent in UTF-8.
    if b"{{" not in request.body and request.body_is != "form":
        return request.body
    text = request.body.decode("latin-1")
    if request.body_is == "form":
        text = insert(text, values, urllib.parse.quote_plus, form=True)
    elif request.body_is == "json":
        text = insert(text, values, lambda value: _as_latin1(_in_quotes(value)))
    else:
        text = insert(text, values, _as_latin1)
    return text.encode("latin-1")


def _as_latin1(text: str) -> str:
    return text.encode().decode("latin-1")


def _in_quotes(text: str) -> str:
    """The text as it stands between the quotes of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
