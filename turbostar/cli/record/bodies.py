"""The body of a recorded request as fields of its line."""

from __future__ import annotations

import base64
import codecs
import email.message
import gzip
import json
import re
import urllib.parse
import zlib
from typing import Any, NamedTuple

import msgspec

from turbostar.cli.record import patterns
from turbostar.cli.record.secrets import Secrets
from turbostar.cli.values import escaped

__all__ = ["ContentType", "body_fields", "sent_bytes"]

_NAME = re.compile(rb";\s*name\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;\"]+))", re.IGNORECASE)
_TYPE = re.compile(rb"^content-type:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_FIRST_BOUNDARY = re.compile(rb"--([^\r\n]{1,70})\r?\ncontent-", re.IGNORECASE)
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # as zlib has them
_LARGEST = 1 << 26  # bytes that are unpacked
# How the bytes of messages in the format MessagePack begin, if they are maps or lists.
_MAP_OR_LIST = frozenset({*range(0x80, 0xA0), *range(0xDC, 0xE0)})


class ContentType(NamedTuple):
    """What a content-type says."""

    kind: str
    charset: str
    boundary: str

    @classmethod
    def of(cls, header: str) -> ContentType:
        message = email.message.Message()
        message["content-type"] = header.replace("\r", " ").replace("\n", " ")
        kind = message.get_content_type() if header else ""
        return cls(kind, str(message.get_param("charset", "")), message.get_boundary() or "")


def body_fields(
    body: bytes, content_type: str, secrets: Secrets, content_encoding: str = ""
) -> dict[str, Any]:
    """The fields of the line: `json`, `form`, `body` or `body_base64`, or none."""
    if not body:
        return {}
    found = ContentType.of(content_type)
    packed = _packed(body, found, secrets, content_encoding.strip().lower())
    if packed is not None:
        return _verbatim(packed)
    # Some clients send JSON under this type, which is their default.
    if found.kind == "application/x-www-form-urlencoded" and not _is_json(body):
        fields = _form(body, secrets)
    else:
        fields = _json(body, secrets) if "json" in found.kind else None
    return fields or _verbatim(_written(body, found, secrets))


def sent_bytes(data: bytes, secrets: Secrets) -> bytes:
    """What to write for bytes that can hold no places, as a message of a WebSocket."""
    return _written(data, ContentType.of(""), secrets.placeless()) if data else data


def _json(body: bytes, secrets: Secrets) -> dict[str, Any] | None:
    """The field `json`, if it is sent as these very bytes but for what is no longer in them."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    value = patterns.json_value(text)
    if not isinstance(value, dict | list):
        return None
    before = secrets.changes
    try:
        written = secrets.json(value)
    except RecursionError:
        return None
    compact = json.dumps(written, ensure_ascii=False, separators=(",", ":"))
    if secrets.changes == before and json.dumps(
        value, ensure_ascii=False, separators=(",", ":")
    ) != body.decode("utf-8", "replace"):
        return _verbatim(_sent(body, secrets))
    try:
        compact.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which only an escape can show
        return {"body": json.dumps(written)}
    return {"json": written}


def _is_json(body: bytes) -> bool:
    return isinstance(patterns.json_value(body.decode("latin-1")), dict | list)


def _form(body: bytes, secrets: Secrets) -> dict[str, Any] | None:
    """The field `form`, if it is sent as this very text but for what is no longer in it."""
    text = body.decode("latin-1")
    pairs = urllib.parse.parse_qsl(text, keep_blank_values=True, errors="surrogateescape")
    if any("\udc80" <= char <= "\udcff" for pair in pairs for char in "".join(pair)):
        return None
    before = secrets.changes
    written = [(escaped(name), secrets.text(name, value)) for name, value in pairs]
    if secrets.changes == before and urllib.parse.urlencode(pairs) != text:
        return None
    return {"form": written}


def _written(body: bytes, found: ContentType, secrets: Secrets) -> bytes:
    """The body as it is to be written, whatever is in it."""
    boundary = found.boundary.encode("latin-1", "replace")
    if not boundary and (first := _FIRST_BOUNDARY.match(body)) is not None:
        boundary = first[1]
    if boundary and b"--" + boundary in body:
        return _multipart(body, boundary, secrets)
    text, codec = _decoded(body, found.charset)
    if _is_wide(codec):
        return _sent(secrets.placeless().text("", text).encode(codec), secrets)
    if codec == "latin-1" or "msgpack" in found.kind:
        packed = _message_pack(body, secrets)
        if packed is not None:
            return packed
    return secrets.text("", text).encode(codec)


def _decoded(body: bytes, charset: str) -> tuple[str, str]:
    """The text of a body, and the codec that gives these very bytes again."""
    detected: str = json.detect_encoding(body[:4])
    marked = body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE))
    if detected in {"utf-16", "utf-32"}:
        detected += "-be" if body.startswith((b"\xfe", b"\0")) else "-le"
    for codec in (detected.removesuffix("-sig"), charset, "utf-8"):
        try:
            text = body.decode(codec) if codec else ""
            again = text.encode(codec) == body if text else False
        except (ValueError, LookupError):
            continue
        # Other bytes than text may look so, too.
        if again and (marked or not _is_wide(codec) or patterns.json_value(text) is not None):
            return text, codec
    return body.decode("latin-1"), "latin-1"


def _is_wide(codec: str) -> bool:
    """Whether ASCII characters have more than a byte, so that no place would be found."""
    return codec.lower().startswith(("utf-16", "utf-32", "utf_16", "utf_32", "utf16", "utf32"))


def _multipart(body: bytes, boundary: bytes, secrets: Secrets) -> bytes:
    """The body with what its parts hold as it is to be written."""
    parts = body.split(b"--" + boundary)
    for number, part in enumerate(parts):
        blank = _BLANK_LINE.search(part)
        head = part if blank is None else part[: blank.end()]
        value = part[len(head) :].removesuffix(b"\n").removesuffix(b"\r")
        end = part[len(head) + len(value) :]
        found = _NAME.search(head)
        name = (found[1] or found[2] or b"").decode("utf-8", "replace") if found else ""
        kind = _TYPE.search(head)
        if value and secrets.is_secret(name):
            text = value.decode("utf-8", "surrogateescape")
            value = secrets.text(name, text).encode("utf-8", "surrogateescape")
        elif value:
            value = _written(
                value, ContentType.of(kind[1].decode("latin-1") if kind else ""), secrets
            )
        parts[number] = secrets.text("", head.decode("latin-1")).encode("latin-1") + value + end
    return (b"--" + boundary).join(parts)


def _message_pack(body: bytes, secrets: Secrets) -> bytes | None:
    """The body in the format MessagePack, or None if it is none or holds no secret."""
    if body[0] not in _MAP_OR_LIST:
        return None
    placeless = secrets.placeless()  # the length of each text stands before it
    try:
        written = placeless.json(msgspec.msgpack.decode(body))
    except (ValueError, RecursionError):
        return None
    return _sent(msgspec.msgpack.encode(written), secrets) if placeless.changes else None


def _packed(body: bytes, found: ContentType, secrets: Secrets, encoding: str) -> bytes | None:
    """A compressed body without its secrets, or None if it cannot be unpacked."""
    if encoding not in _WINDOWS:
        return None
    unpacking = zlib.decompressobj(_WINDOWS[encoding])
    try:
        plain = unpacking.decompress(body, _LARGEST)
    except zlib.error:
        return None
    if not plain or unpacking.unconsumed_tail:
        return None
    written = _written(plain, found, secrets.placeless())
    if written == plain:
        return _sent(body, secrets)
    if encoding == "deflate":
        return _sent(zlib.compress(written), secrets)
    return _sent(gzip.compress(written, mtime=0), secrets)


def _sent(data: bytes, secrets: Secrets) -> bytes:
    """Bytes without any place, with the braces in them escaped where places can stand."""
    if secrets.is_placeless:
        return data
    return escaped(data.decode("latin-1")).encode("latin-1")


def _verbatim(body: bytes) -> dict[str, Any]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}
