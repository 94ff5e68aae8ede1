"""Starlette's other middleware, wrong in one respect each."""

from __future__ import annotations

from typing import Any
from unittest import mock

from starlette.datastructures import MutableHeaders
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.body_limit import RequestBodyLimitResponder
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware, GZipResponder
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.sessions import Session, SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from tests.differential.broken.register import Patched, broken


@broken("cors")
def replaces_vary() -> Patched:
    def update(self: Any, other: Any) -> None:
        del self["vary"]
        MutableHeaders.__ior__(self, other)

    return mock.patch.object(MutableHeaders, "update", update)


@broken("cors")
def knows_its_origins_by_heart() -> Patched:
    known: dict[Any, bool] = {}
    allowed = CORSMiddleware.is_allowed_origin

    def is_allowed_origin(self: Any, origin: str) -> bool:
        return known.setdefault(origin, allowed(self, origin=origin))

    return mock.patch.object(CORSMiddleware, "is_allowed_origin", is_allowed_origin)


@broken("gzip")
def reads_the_quality() -> Patched:
    call = GZipMiddleware.__call__

    async def refused(self: Any, scope: Any, receive: Any, send: Any) -> None:
        headers = [(name, value.replace(b"gzip;q=0", b"")) for name, value in scope["headers"]]
        await call(self, {**scope, "headers": headers}, receive, send)

    return mock.patch.object(GZipMiddleware, "__call__", refused)


@broken("gzip")
def compresses_less() -> Patched:
    compress = GZipResponder._compress_body

    def less(self: Any, body: bytes, more_body: bool) -> bytes:
        self.compresslevel = 1
        return compress(self, body, more_body)

    return mock.patch.object(GZipResponder, "_compress_body", less)


@broken("sessions")
def takes_reading_for_writing() -> Patched:
    def mark_accessed(self: Any) -> None:
        self.accessed = self.modified = True

    return mock.patch.object(Session, "mark_accessed", mark_accessed)


@broken("sessions")
def never_expires() -> Patched:
    init = SessionMiddleware.__init__

    def ageless(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        unsign = self.signer.unsign
        self.signer.unsign = lambda data, max_age=None: unsign(data)

    return mock.patch.object(SessionMiddleware, "__init__", ageless)


@broken("authentication")
def remembers_the_user() -> Patched:
    call = AuthenticationMiddleware.__call__
    users: list[Any] = []

    async def remembered(self: Any, scope: Any, receive: Any, send: Any) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            users.append(scope["user"])
            scope["user"] = users[0]
            await self.app(scope, receive, send)

        same = AuthenticationMiddleware(app, self.backend, self.on_error)
        await call(same, scope, receive, send)

    return mock.patch.object(AuthenticationMiddleware, "__call__", remembered)


@broken("hosts")
def trusts_by_suffix() -> Patched:
    init = TrustedHostMiddleware.__init__

    def lenient(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        self.allowed_hosts = [host.replace("*.", "*") for host in self.allowed_hosts]

    return mock.patch.object(TrustedHostMiddleware, "__init__", lenient)


@broken("hosts")
def redirects_for_good() -> Patched:
    call = HTTPSRedirectMiddleware.__call__

    async def permanent(self: Any, scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            await send({**message, "status": 308} if message.get("status") == 307 else message)

        await call(self, scope, receive, sending)

    return mock.patch.object(HTTPSRedirectMiddleware, "__call__", permanent)


@broken("body limits")
def counts_one_less() -> Patched:
    receive = RequestBodyLimitResponder.receive_with_limit

    async def lenient(self: Any) -> Any:
        self.total_size -= 0 if self.total_size else 1
        return await receive(self)

    return mock.patch.object(RequestBodyLimitResponder, "receive_with_limit", lenient)
