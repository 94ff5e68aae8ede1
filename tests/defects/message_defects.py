"""Defects in requests, responses and JSON."""

from __future__ import annotations

from tests.defects.rewriting import Defect

__all__ = ["MESSAGE_DEFECTS"]

MESSAGE_DEFECTS = [
    Defect(
        "encodes NaN",
        "if 0x7F in marshalled and _holds_nonfinite(marshalled, 0x7F):",
        "if False:",
    ),
    Defect(
        "encodes negative infinity",
        "if 0xFF in marshalled and _holds_nonfinite(marshalled, 0xFF):",
        "if False:",
    ),
    Defect(
        "encodes a small NaN",
        "and not (kind is float and isfinite(content[key]))",
        "and kind is not float",
    ),
    Defect(
        "trusts all that msgspec encodes",
        "return body if body and _is_faithful(content, body) else _dumps",
        "return body if body else _dumps",
    ),
    Defect(
        "ignores a default of the encoder",
        '        and _encoder["default"] is _default\n',
        "",
    ),
    Defect(
        "ignores who replaces json in responses",
        "        module.json is json\n        and json.dumps is",
        "        json.dumps is",
    ),
    Defect(
        "ignores who replaces json in requests",
        "        module.json is json\n        and json.loads is",
        "        json.loads is",
    ),
    Defect(
        "decodes nothing but what msgspec does",
        "        pass\n    return json.loads(data)",
        "        raise",
    ),
    Defect(
        "decodes JSON anew each time",
        '    if not hasattr(self, "_json"):\n',
        "    if True:\n",
    ),
    Defect(
        "shares the headers of a request",
        'headers._list = scope["headers"] = list(scope["headers"])',
        'headers._list = scope["headers"]',
    ),
    Defect(
        "tells names of headers apart by their case",
        'encoded: bytes = name.lower().encode("latin-1")',
        'encoded: bytes = name.encode("latin-1")',
    ),
    Defect(
        "loses blanks of a query",
        'query = query.replace("+", " ")',
        "pass",
    ),
    Defect(
        "drops blank values of a query",
        "        if field:\n            name, _, value",
        '        if "=" in field:\n            name, _, value',
    ),
    Defect(
        "takes any port of a host",
        "parsed is not None and parsed.is_valid_port",
        "parsed is not None",
    ),
    Defect(
        "puts the base URL below a mount",
        'path = scope.get("app_root_path", scope.get("root_path", ""))',
        'path = scope.get("root_path", "")',
    ),
    Defect(
        "reads a stream twice",
        '    if self._stream_consumed:\n        raise RuntimeError("Stream consumed")\n',
        "",
    ),
    Defect(
        "does not notice that the client has left",
        "            self._is_disconnected = True\n            raise stock.ClientDisconnect()",
        '            return b"".join(chunks)',
    ),
    Defect(
        "reads the first piece of a body only",
        'if message["type"] == "http.request" and not message.get("more_body", False):',
        'if message["type"] == "http.request":',
    ),
    Defect(
        "calls no body of a subclass",
        "        or stream.__func__ is not _stream\n",
        "",
    ),
    Defect(
        "gives an empty answer a length",
        "            and not status_code < 200  # as Starlette compares\n"
        "            and status_code not in (204, 304)\n",
        "",
    ),
    Defect(
        "shares the headers of JSON",
        "self.raw_headers = [length, _JSON_HEADER]",
        'self.raw_headers = globals().setdefault(f"shared{size}", [length, _JSON_HEADER])',
    ),
    Defect(
        "doubles a given length",
        "                has_length = True\n            elif",
        "                pass\n            elif",
    ),
    Defect(
        "doubles a given content type",
        '            elif key == b"content-type":\n                media_type = None\n',
        "",
    ),
    Defect(
        "loses Secure of a cookie",
        "key, max_age, path, domain, bool(secure), bool(httponly)",
        "key, max_age, path, domain, False, bool(httponly)",
    ),
    Defect(
        "quotes no location",
        "if _needs_no_quotes(location) is None:",
        "if False:",
    ),
    Defect(
        "quotes no cookie",
        '_quoted(value)[1].encode("latin-1")',
        'value.encode("latin-1")',
    ),
    Defect(
        "calls no init_headers of a subclass",
        '    if cls.init_headers is _stock_init_headers and "init_headers" not in vars(self):\n',
        "    if True:\n",
    ),
    Defect(
        "runs the background of a stream twice",
        "    await stream(self, scope, receive, send)\n    if self.background is not None:\n",
        "    await stream(self, scope, receive, send)\n"
        "    if self.background is not None:\n"
        "        await self.background()\n",
    ),
    Defect(
        "tells nobody that a client has left",
        "            raise ClientDisconnect()  # noqa",
        "            return  # noqa",
    ),
    Defect(
        "does not encode pieces of text",
        "chunk = chunk.encode(self.charset)",
        'chunk = chunk.encode("ascii", "replace")',
    ),
    Defect(
        "ends no stream",
        '        await send({"type": "http.response.body", "body": chunk, "more_body": True})\n'
        '    await send({"type": "http.response.body", "body": b"", "more_body": False})',
        '        await send({"type": "http.response.body", "body": chunk, "more_body": True})',
    ),
    Defect(
        "waits for no client that leaves",
        "    if _send_tells(scope):",
        "    if True:",
    ),
]
