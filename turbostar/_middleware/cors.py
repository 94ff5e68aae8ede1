"""What ``CORSMiddleware`` answers, worked out on raw headers.

Its attributes are read anew for each request, for they may be changed at any time. What is kept
of earlier requests is used while they are the same, and have not been changed in place either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import starlette.middleware.cors as stock
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from turbostar._guard.requirements import ATTRIBUTE, Requirements
from turbostar._http.raw_headers import CHANGED, RawHeaders, add_vary, names_in, replace
from turbostar._http.tracked_send import is_followed, send_answer
from turbostar._stages.protocol import Answer, Stage, hand_down, register

__all__ = ["cors_call", "headers_for", "is_plain", "origin_of", "preflight"]

_ALLOW_ORIGIN = b"access-control-allow-origin"
_METHOD = b"access-control-request-method"
_HEADERS = b"access-control-request-headers"
_NETWORK = b"access-control-request-private-network"
_ASKED = frozenset({b"origin", _METHOD, _HEADERS, _NETWORK})
_VARY = (b"vary", b"Origin")
#: So many answers to preflights are remembered, for anybody may ask; and none to a longer question.
_MANY = 64
_LONG = 512
#: What cannot be changed in place, and holds nothing that could.
_FIXED = (bool, str, re.Pattern, type(None))

#: By what was asked: status, body and headers.
_Answers = dict[Any, tuple[int, bytes, RawHeaders]]

_new: Any = object.__new__
_stock_call = CORSMiddleware.__call__
_simple_response = CORSMiddleware.simple_response
_send = CORSMiddleware.send
_is_allowed_origin = CORSMiddleware.is_allowed_origin
_allow_explicit_origin = CORSMiddleware.allow_explicit_origin
_preflight_response = CORSMiddleware.preflight_response

_REQUIRED = Requirements(
    CORSMiddleware,
    ("simple_response", "send", "is_allowed_origin", "preflight_response"),
    static=[("allow_explicit_origin", "09aa10f35f85110d")],
    others=(
        *CHANGED,
        *((PlainTextResponse, name) for name in ("__init__", "init_headers", "render")),
    ),
    names=(
        *names_in(stock, "Headers", "MutableHeaders"),
        (stock, "PlainTextResponse", "starlette.responses:PlainTextResponse"),
    ),
)


def is_plain(cors: Any) -> bool:
    """Whether nothing of what is bypassed here was overridden or replaced."""
    cls = type(cors)
    return (
        _REQUIRED.are_met(cors)
        and cls.simple_response is _simple_response
        and cls.send is _send
        and cls.allow_explicit_origin is _allow_explicit_origin
    )


def origin_of(headers: RawHeaders) -> str | None:
    """The origin that a request says it comes from."""
    for name, value in headers:
        if name == b"origin":
            return value.decode("latin-1")
    return None


class _Simple:
    """The headers that are added to an answer, encoded.

    Attributes:
        headers, order: what they were made of.
        lines: these.
        names: of all that may be set.
        explicit: the lines of an answer to an origin that is to be named, in `place`.
        others: those of any other answer.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = dict(headers)
        self.order = [*headers]
        self.lines: RawHeaders = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers.items()
        ]
        self.explicit: RawHeaders = []
        self.others: RawHeaders = []
        for name, value in self.lines:
            replace(self.explicit, name, value)
            replace(self.others, name, value)
        replace(self.explicit, _ALLOW_ORIGIN, b"")
        add_vary(self.explicit, _VARY)
        add_vary(self.others, _VARY)
        names = [name for name, _ in self.explicit]
        self.names = frozenset(names)
        self.place = names.index(_ALLOW_ORIGIN) - len(names)


class _Memo:
    """What is remembered for one middleware.

    Attributes:
        answers: the settings, the order of the headers in them, and while these are the same, the
            answers to preflights.
    """

    __slots__ = ("answers", "simple")

    def __init__(self) -> None:
        self.simple: _Simple | None = None
        self.answers: tuple[tuple[Any, ...], list[str], _Answers] = ((), [], {})


def _memo(cors: Any) -> _Memo:
    checked = cors.__dict__[ATTRIBUTE]
    memo: _Memo | None = checked.memo
    if memo is None:
        memo = checked.memo = _Memo()
    return memo


def headers_for(cors: Any, raw_headers: Any, origin: str | None) -> RawHeaders:
    """The headers of an answer to a request from `origin`: a new list."""
    headers: RawHeaders = list(raw_headers)
    if origin is None:
        add_vary(headers, _VARY)
        return headers
    memo, given = _memo(cors), cors.simple_headers
    simple = memo.simple
    if simple is None or simple.headers != given or simple.order != [*given]:
        simple = memo.simple = _Simple(given)
    if cors.allow_all_origins:
        is_named = cors.allow_credentials
    else:
        is_named = cors.is_allowed_origin(origin=origin)
    if _is_free(headers, simple.names):
        if is_named:
            headers += simple.explicit
            headers[simple.place] = (_ALLOW_ORIGIN, origin.encode("latin-1"))
        else:
            headers += simple.others
        return headers
    for name, value in simple.lines:
        replace(headers, name, value)
    if is_named:
        replace(headers, _ALLOW_ORIGIN, origin.encode("latin-1"))
    add_vary(headers, _VARY)
    return headers


def _is_free(headers: RawHeaders, names: frozenset[bytes]) -> bool:
    """Whether none of these names is taken."""
    try:
        for name, _ in headers:
            if name in names:
                return False
    except TypeError:
        return False  # a name that cannot be hashed, such as a bytearray
    return True


def preflight(cors: Any, headers: RawHeaders) -> Response | None:
    """Answer an OPTIONS request that has these headers, if it asks what it may do."""
    # The first of each name is the one that counts.
    asked = {name: value for name, value in reversed(headers) if name in _ASKED}
    if b"origin" not in asked or _METHOD not in asked:
        return None
    memo, given = _memo(cors), cors.preflight_headers
    settings = (
        cors.allow_origins,
        cors.allow_methods,
        cors.allow_headers,
        cors.allow_all_origins,
        cors.allow_all_headers,
        cors.allow_private_network,
        cors.allow_origin_regex,
        cors.preflight_explicit_allow_origin,
        given,
    )
    known, order, answers = memo.answers
    if known != settings or order != [*given]:
        answers = {}
        memo.answers = tuple(map(_copied, settings)), [*given], answers
    question = (asked[b"origin"], asked[_METHOD], asked.get(_HEADERS), asked.get(_NETWORK))
    cls = type(cors)
    is_own = (
        cls.preflight_response is _preflight_response
        and cls.is_allowed_origin is _is_allowed_origin
    )
    answer = answers.get(question) if is_own else None
    if answer is None:
        response: Response = cors.preflight_response(request_headers=Headers(raw=headers))
        if is_own:
            _remember(response, question, answers)
        return response
    response = _new(PlainTextResponse)
    response.background = None
    response.status_code, response.body, lines = answer
    response.raw_headers = [*lines]
    return response


def _copied(setting: Any) -> Any:
    """A copy of a setting to compare it with; equal to nothing if it may change unseen."""
    kind = type(setting)
    if kind is list or kind is set or kind is dict:
        return setting.copy()
    return setting if kind in _FIXED or kind is tuple or kind is frozenset else object()


def _remember(response: Response, question: Any, answers: _Answers) -> None:
    if type(response) is not PlainTextResponse or sum(map(len, filter(None, question))) > _LONG:
        return
    if len(answers) >= _MANY:
        answers.clear()
    answers[question] = response.status_code, bytes(response.body), [*response.raw_headers]


class _Headers(Stage):
    """The stage of one request: it adds to the headers of the answer."""

    def __init__(
        self, cors: Any, given: Any, headers: RawHeaders, origin: str | None, send: Send
    ) -> None:
        self._cors = cors
        self._given = given
        self._headers = headers
        self._origin = origin
        self.forward = send

    def _with_ours(self, headers: Any) -> RawHeaders:
        # Whoever changes the request's headers in place changes who the answer is for.
        is_same = self._headers == self._given
        origin = self._origin if is_same else origin_of(self._headers)
        return headers_for(self._cors, headers, origin)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = self._with_ours(message.get("headers", ()))
        await self.forward(message)

    async def respond(self, answer: Answer) -> None:
        answer.headers = self._with_ours(answer.headers)
        await send_answer(self.forward, answer)


# Tracers name their spans after the function that sends: after Starlette's.
_Headers.send.__qualname__ = _send.__qualname__


async def cors_call(self: CORSMiddleware, scope: Scope, receive: Receive, send: Send) -> None:
    """Stand in for ``CORSMiddleware.__call__``; fall back to it where a part was replaced."""
    if scope["type"] != "http":
        await self.app(scope, receive, send)
        return
    if not is_plain(self):
        is_followed(send)  # it may go down as it is
        await _stock_call(self, scope, receive, send)
        return
    method, given = scope["method"], scope["headers"]
    headers = scope["headers"] = list(given)
    if method == "OPTIONS":
        response = preflight(self, headers)
        if response is not None:
            await response(scope, receive, send)
            return
    stage = _Headers(self, given, headers, origin_of(headers), send)
    app = self.app  # may be a property of a subclass: read once, as by Starlette
    await app(scope, receive, hand_down(stage, app))


register(cors_call)
