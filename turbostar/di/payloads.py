"""Bodies and queries, decoded by msgspec."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec

from turbostar.di.faults import Fault, ValidationError, faults_of, refused
from turbostar.di.shapes import fields_of, is_optional, is_several

__all__ = ["BodyDecoder", "Fault", "QueryDecoder", "ValidationError"]

_TOO_DEEP = "nested too deeply"


class BodyDecoder:
    """Decodes JSON bodies as one type, with a decoder that is made once.

    Args:
        hint: the type.
        limit: how many bytes a body may have; None for as many as the server takes.
        default: what an empty body is taken for; `msgspec.UNSET` if there has to be one.
    """

    def __init__(self, hint: Any, limit: int | None = None, default: Any = msgspec.UNSET) -> None:
        self.hint = hint
        self.limit = limit
        self._default = None if default is msgspec.UNSET and is_optional(hint) else default
        self._decode = msgspec.json.Decoder(hint).decode

    async def __call__(self, request: Any) -> Any:
        """Read the body of a request and decode it.

        Raises:
            ValidationError: it is too large, no JSON, of another type or of another shape.
        """
        kind = request.headers.get("content-type", "application/json")
        is_json = kind == "application/json" or _is_json(kind)
        if is_json or self._default is not msgspec.UNSET:
            body = await (request.body() if self.limit is None else _limited(request, self.limit))
            if not body and self._default is not msgspec.UNSET:
                return self._default
        if not is_json:
            raise refused(415, f"expected application/json, got {kind.partition(';')[0].strip()}")
        try:
            return self._decode(body)
        except msgspec.ValidationError as exc:
            raise self._misshapen(body, exc) from exc
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise refused(400, f"not JSON: {exc}") from exc
        except RecursionError as exc:
            raise refused(400, _TOO_DEEP) from exc

    def _misshapen(self, body: bytes, exc: msgspec.ValidationError) -> ValidationError:
        """Tell every fault of a body of which msgspec has told the first, before its end."""
        try:
            raw = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as worse:
            return refused(400, f"not JSON: {worse}")
        except RecursionError:
            return refused(400, _TOO_DEEP)
        return faults_of("body", "$", raw, self.hint, exc)


def _is_json(kind: str) -> bool:
    media = kind.partition(";")[0].strip().lower()
    return media == "application/json" or media.endswith("+json")


async def _limited(request: Any, limit: int) -> bytes:
    """The body, as far as it is no longer than it may be."""
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit():
        if _is_more(announced, limit):
            raise refused(413, f"longer than {limit} bytes")
        body = await request.body()
        if len(body) > limit:
            raise refused(413, f"longer than {limit} bytes")
        return bytes(body)
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > limit:
            raise refused(413, f"longer than {limit} bytes")
    # Where `request.body()` leaves it as well, for whoever reads next.
    request._body = bytes(read)
    return request._body  # type: ignore[no-any-return]


def _is_more(digits: str, limit: int) -> bool:
    """Whether a number is larger, be it longer than Python reads numbers."""
    digits = digits.lstrip("0") or "0"
    return len(digits) > len(str(limit)) or int(digits) > limit


class QueryDecoder:
    """Decodes query strings: as a class with fields, or one parameter alone.

    Args:
        hint: the type: a Struct, dataclass, TypedDict or attrs class, which takes its fields from
            the query string, or that of a single value.
        parameter: the name of the handler's parameter, which names the query's where the type is
            that of a single value.
        default: what is taken where nothing of it is given; `msgspec.UNSET` if it has to be.
    """

    def __init__(self, hint: Any, parameter: str, default: Any = msgspec.UNSET) -> None:
        self.hint = hint
        self._default = None if default is msgspec.UNSET and is_optional(hint) else default
        fields = fields_of(hint)
        self._single = parameter if fields is None else None
        hints = {parameter: hint} if fields is None else {each: fields[each][0] for each in fields}
        self._names = frozenset(hints)
        self._lists = frozenset(name for name, each in hints.items() if is_several(each))

    def __call__(self, query: bytes) -> Any:
        """Decode a query string.

        Raises:
            ValidationError: a value is missing, of another type, or given twice.
        """
        found: dict[str, Any] = {}
        twice: dict[Fault, None] = {}
        try:
            pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        except ValueError as exc:
            raise ValidationError(422, [Fault("query", "$", str(exc))]) from exc
        for name, value in pairs:
            if name in self._lists:
                found.setdefault(name, []).append(value)
            elif name not in found:
                found[name] = value
            elif name in self._names:
                twice[Fault("query", f"$.{name}", "given more than once")] = None
        if twice:
            raise ValidationError(422, list(twice))
        if self._default is not msgspec.UNSET and self._names.isdisjoint(found):
            return self._default
        return self._converted(found)

    def _converted(self, found: dict[str, Any]) -> Any:
        data: Any = found
        path = "$"
        if self._single is not None:
            path = f"$.{self._single}"
            data = found.get(self._single, msgspec.UNSET)
            if data is msgspec.UNSET:
                raise ValidationError(422, [Fault("query", path, "missing")])
        try:
            return msgspec.convert(data, self.hint, strict=False)
        except msgspec.ValidationError as exc:
            raise faults_of("query", path, data, self.hint, exc) from exc
