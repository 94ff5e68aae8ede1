"""What one replay of requests remembers: the cookies of each jar, and the values it has saved."""

from __future__ import annotations

from turbostar.cli.filled import filled
from turbostar.cli.record.secrets import REDACTED
from turbostar.cli.recorded import RecordedRequest
from turbostar.cli.values import Headers, MissingValue, NotFound, find
from turbostar.cli.verify.cookies import CookieJar

__all__ = ["Session"]

_NEVER_SAVED = "no request before it has saved one"
_IF_CHANGED = "see whether the earlier request is still answered as it was, and correct its `save`"
_IF_REDACTED = (
    f"the earlier request has {REDACTED} in place of a secret: write that into the file, or record "
    "again with --keep NAME"
)


class Session:
    """The memory of one replay, from its first request to its last.

    `prepare` makes a request ready to be sent, and `learn` is told its answer.
    """

    def __init__(self) -> None:
        self._jars: dict[str, CookieJar] = {}
        self._values: dict[str, str] = {}
        self._missing: dict[str, tuple[str, bool]] = {}
        """Why a value was not found, and whether secrets were left out of the request."""

    def prepare(self, request: RecordedRequest) -> tuple[RecordedRequest, str | None]:
        """The request with its values, and its `cookie` header if its jar has cookies for it.

        Raises:
            MissingValue: the request uses a value that no answer has given, or one that cannot
                stand where it is used.
        """
        for name in request.uses:
            if name not in self._values:
                cause, redacted = self._missing.get(name, (_NEVER_SAVED, False))
                raise MissingValue(
                    f"{request.name!r} needs the value {{{{{name}}}}}: {cause}; "
                    + (_IF_REDACTED if redacted else _IF_CHANGED)
                )
        try:
            if request.uses:
                request = filled(request, self._values)
        except ValueError as exc:
            raise MissingValue(f"{request.name!r}: {exc}; correct the `save` that it uses") from exc
        jar = self._jars.setdefault(request.jar, CookieJar()) if request.jar else None
        return request, jar.header(request.path) if jar else None

    def learn(
        self,
        request: RecordedRequest,
        status: int | None,
        headers: Headers,
        body: bytes,
        *,
        now: float,
    ) -> None:
        """Keep the cookies and the values of an answer.

        `status` is None if none came, the names of `headers` are lower case, and `now` is the time
        in seconds since the epoch.
        """
        if request.jar and status is not None:
            cookies = [value.decode("latin-1") for name, value in headers if name == b"set-cookie"]
            jar = self._jars.setdefault(request.jar, CookieJar())
            jar.update(cookies, path=request.path, now=now)
        for save in request.saves:
            self._values.pop(save.name, None)
            redacted = _is_redacted(request)
            if status is None:
                self._missing[save.name] = f"{request.name!r} got no answer", redacted
                continue
            try:
                self._values[save.name] = find(save, headers, body)
            except NotFound as exc:
                cause = f"the answer to {request.name!r}, with status {status}, {exc}"
                self._missing[save.name] = cause, redacted


def _is_redacted(request: RecordedRequest) -> bool:
    values = (request.path, *(value for _, value in request.headers))
    return REDACTED.encode() in request.body or any(REDACTED in value for value in values)
