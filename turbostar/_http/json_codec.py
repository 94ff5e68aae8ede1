"""JSON by msgspec with the answers of the standard library.

Stock Starlette encodes with ``json.dumps(..., ensure_ascii=False, allow_nan=False, separators=(",",
":"))`` and decodes with ``json.loads``. Both are kept here as the oracle: msgspec's answer is used
only where it is known to be the same one, and otherwise the standard library decides, which also
gives its exceptions with their messages.

Where msgspec encodes differently without raising (NaN and infinities, also as keys; subclasses of
dict and list that iterate in their own way) the difference can hide anywhere in the content, so the
content is vetted. For content made of JSON's own types that takes one call: `marshal` walks it in C
and refuses everything that is not exactly a builtin type. A few items are looked at one by one.
"""

from __future__ import annotations

import json
import marshal
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID

import msgspec

from turbostar._guard.classes import namespace

__all__ = ["DefaultHook", "decodes_as_ever", "dumps", "encodes_as_ever", "loads"]

DefaultHook = Callable[[Any], Any]

_encode = msgspec.json.Encoder().encode
_encode_msgpack = msgspec.msgpack.Encoder().encode
_decode = msgspec.json.Decoder().decode
_stdlib_dumps = json.dumps
_stdlib_loads = json.loads
_marshal = marshal.dumps

# What the standard library does it with, as it was at the start.
_Encoder = json.JSONEncoder
_encoder = namespace(_Encoder)
_init = _encoder["__init__"]
_default = _encoder["default"]
_encoder_encode = _encoder["encode"]
_iterencode = _encoder["iterencode"]
_inner: Any = json.encoder  # whose names the encoder looks up when it is used
_c_make_encoder = _inner.c_make_encoder
_encode_string = _inner.encode_basestring
_default_decoder = json._default_decoder  # type: ignore[attr-defined]
_scan_once = _default_decoder.scan_once
_decoder = namespace(json.JSONDecoder)
_decoder_decode = _decoder["decode"]
_raw_decode = _decoder["raw_decode"]

# marshal's version 4 writes a float as "g" (0xe7 where it is shared) and its eight bytes in
# little-endian order, msgpack as 0xcb and big-endian. NaN and infinities have all exponent bits
# set, so their top byte is 0x7f or 0xff, which memchr finds in no time where there is none.
_MARSHAL_VERSION = 4
_FLOAT_TAGS = (0x67, 0xE7)
_NONFINITE_ENDING_IN = {
    top: re.compile(rb"%b(?<=[g\xe7].{6}[\xf0-\xff]%b)" % (bytes([top]), bytes([top])), re.DOTALL)
    for top in (0x7F, 0xFF)
}
_PACKED_NONFINITE = re.compile(rb"\xcb[\x7f\xff][\xf0-\xff]")
_FEW = 500

# Of a dict with so few items each is looked at in less time than marshal takes for all of them.
_FEW_ITEMS = 8
_SHORT = 500
_PLAIN = frozenset({str, int, bool, type(None)})


def encodes_as_ever(module: Any) -> bool:
    """Whether nobody has changed how the standard library encodes what a module hands to it.

    Args:
        module: in which the name ``json`` is looked up, as Starlette does.
    """
    return (
        module.json is json
        and json.dumps is _stdlib_dumps
        and json.JSONEncoder is _Encoder
        and _inner.c_make_encoder is _c_make_encoder
        and _inner.encode_basestring is _encode_string
        and _encoder["__init__"] is _init
        and _encoder["default"] is _default
        and _encoder["encode"] is _encoder_encode
        and _encoder["iterencode"] is _iterencode
    )


def decodes_as_ever(module: Any) -> bool:
    """The same for decoding."""
    return (
        module.json is json
        and json.loads is _stdlib_loads
        and json._default_decoder is _default_decoder
        and _default_decoder.scan_once is _scan_once
        and "decode" not in vars(_default_decoder)
        and _decoder["decode"] is _decoder_decode
        and _decoder["raw_decode"] is _raw_decode
    )


def dumps(content: Any, default: DefaultHook | None = None) -> bytes:
    """Encode `content` as compact UTF-8 JSON, as stock Starlette's ``JSONResponse`` would.

    Beyond what the standard library encodes: datetime, date, time, timedelta, UUID, Decimal, Enum,
    bytes (base64), set, frozenset, dataclasses, attrs classes, msgspec Structs, and pydantic
    models.

    Args:
        content: the value to encode.
        default: called with each object that none of that covers; returns one that it does.

    Raises:
        TypeError: an object cannot be encoded.
        ValueError: a float is NaN or infinite, or the content contains itself.
        UnicodeEncodeError: a string holds a lone surrogate.
        RecursionError: the content is nested too deeply.
    """
    # The standard library is asked outside of each `except`, for its own exceptions to be alone.
    body = marshalled = b""
    try:
        body = _encode(content)
        if type(content) is dict and len(content) <= _FEW_ITEMS and len(body) <= _SHORT:
            for key in content:
                kind = type(content[key])
                # fast: most values are text, which need not be looked up (JSON, 1 route)
                if type(key) is not str or (
                    kind is not str
                    and kind not in _PLAIN
                    and not (kind is float and isfinite(content[key]))
                ):
                    break
            else:
                return body
        marshalled = _marshal(content, _MARSHAL_VERSION)
    except Exception:
        # Either refuses what the other way may encode; `marshalled` is empty then.
        pass
    if not marshalled:
        # Whatever msgspec refuses (odd keys, subclasses of str or int, a lone surrogate, …), or
        # marshal (what is not exactly a builtin type).
        return body if body and _is_faithful(content, body) else _dumps_slowly(content, default)
    if 0x7F in marshalled and _holds_nonfinite(marshalled, 0x7F):
        return _dumps_slowly(content, default)
    if 0xFF in marshalled and _holds_nonfinite(marshalled, 0xFF):
        return _dumps_slowly(content, default)
    return body


def loads(data: bytes | bytearray | str) -> Any:
    """Decode JSON, as ``json.loads`` would.

    Raises:
        json.JSONDecodeError: the data is not JSON; message and position are the standard library's.
        UnicodeDecodeError: the data is not in the encoding that it starts out in.
        RecursionError: the data is nested too deeply.
    """
    try:
        return _decode(data)
    except Exception:
        # NaN, 1e400, lone surrogates, BOM, UTF-16, a number of thousands of digits, or not JSON.
        # Asked outside of the `except`, for the exceptions to be the same.
        pass
    return json.loads(data)


def _holds_nonfinite(marshalled: bytes, top: int) -> bool:
    """Whether a float whose last byte is `top` is NaN or infinite; may err on the side of yes."""
    at = marshalled.find(top)
    for _ in range(_FEW):
        if at < 0:
            return False
        if at >= 8 and marshalled[at - 1] >= 0xF0 and marshalled[at - 8] in _FLOAT_TAGS:
            return True
        at = marshalled.find(top, at + 1)
    # Many such bytes (negative integers, say): from here on the regex engine is quicker.
    return _NONFINITE_ENDING_IN[top].search(marshalled) is not None


def _dumps_slowly(content: Any, default: DefaultHook | None) -> bytes:
    """The oracle: the standard library, extended only where it would raise TypeError."""

    def encodable(value: Any) -> Any:
        return _represent(value, default)

    return json.dumps(
        content, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=encodable
    ).encode("utf-8")


def _represent(value: Any, default: DefaultHook | None) -> Any:
    """Return what stands in JSON for a `value` that the standard library cannot encode."""
    cls = type(value)
    if hasattr(cls, "__pydantic_serializer__"):
        if hasattr(cls, "model_dump"):
            return value.model_dump(mode="json")
        return cls.__pydantic_serializer__.to_python(value, mode="json")

    def unknown(inner: Any) -> Any:
        # msgspec asks for subclasses of str, int and float as well.
        for base in (str, int, float):
            if isinstance(inner, base):
                return base(inner)
        if default is None:
            raise TypeError(f"Object of type {type(inner).__name__} is not JSON serializable")
        return default(inner)

    return msgspec.to_builtins(value, enc_hook=unknown, str_keys=True)


# The types whose instances hold nothing that could be encoded differently, beside float.
_ATOMS = frozenset(
    {str, int, bool, type(None), bytes, bytearray, memoryview}
    | {datetime, date, time, timedelta, UUID, Decimal}
)


def _is_faithful(content: Any, body: bytes) -> bool:
    """Whether msgspec's `body` says what the standard library would, with the superset allowed.

    Asked only for content with a type that is not JSON's own. Such a type is opaque here: what a
    dataclass holds is msgspec's to encode, for stock could not.
    """
    opaque = False
    waiting = [content]
    while waiting:
        value = waiting.pop()
        kind = type(value)
        if kind in _ATOMS:
            continue
        if kind is float:
            if not isfinite(value):
                return False
        elif kind is dict:
            waiting.extend(value)
            waiting.extend(value.values())
        elif kind is list or kind is tuple or kind is set or kind is frozenset:
            waiting.extend(value)
        elif isinstance(value, (dict, list, tuple, str, int, float)):
            return False
        elif hasattr(kind, "__pydantic_serializer__"):
            return False  # a dataclass of pydantic's, whose serializers msgspec would not call
        else:
            opaque = True
    if opaque and b"null" in body:  # None, or a NaN that msgspec found inside
        try:
            packed = _encode_msgpack(content)
        except (OverflowError, ValueError, TypeError):
            return False
        return _PACKED_NONFINITE.search(packed) is None
    return True
