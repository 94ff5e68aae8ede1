"""Whoever overrides or replaces what the fast paths bypass is called, as on Starlette."""

from __future__ import annotations

import copy
import functools
import importlib
import inspect
import pickle
from typing import Any

import pytest

import turbostar
import turbostar.middleware.cors
from tests.middleware.drive import BODY, START, Sends, compare, http, play, receives
from tests.patching.patches import Proxy
from turbostar._guard.patches import look_again
from turbostar._middleware import cors as _cors

LOG: list[str] = []
LONG = {**BODY, "body": b"x" * 1000}
ORIGIN = (b"origin", b"https://a.example")
ASKING = (b"access-control-request-method", b"GET")
HOST = (b"host", b"a.example")
EVERYTHING = (ORIGIN, ASKING, HOST, (b"accept-encoding", b"gzip"), (b"cookie", b"session=x"))
ANSWER = [receives, Sends({**START, "headers": [(b"vary", b"x")]}), Sends(LONG)]
INCOMING = [{"type": "http.request", "body": b"abc"}]
REQUESTS = [
    (http(*EVERYTHING, (b"content-length", b"3")), ANSWER),
    (http(*EVERYTHING, method="OPTIONS"), ANSWER),
    (http(HOST), ANSWER),
]


MIDDLEWARE: dict[str, tuple[str, dict[str, Any]]] = {
    "middleware.body_limit": ("RequestBodyLimitMiddleware", {"max_body_size": 100}),
    "middleware.cors": ("CORSMiddleware", {"allow_origins": ["https://a.example"]}),
    "middleware.gzip": ("GZipMiddleware", {}),
    "middleware.httpsredirect": ("HTTPSRedirectMiddleware", {}),
    "middleware.sessions": ("SessionMiddleware", {"secret_key": "secret"}),
    "middleware.trustedhost": ("TrustedHostMiddleware", {"allowed_hosts": ["a.example"]}),
}
#: Noticed from the next request on.
AT_ONCE = {
    "middleware.body_limit": (
        "RequestBodyLimitMiddleware.__call__",
        "RequestBodyLimitResponder.receive_with_limit",
        "RequestBodyLimitResponder.send_with_limit",
    ),
    "middleware.cors": (
        "CORSMiddleware.__call__",
        "CORSMiddleware.simple_response",
        "CORSMiddleware.send",
        "CORSMiddleware.is_allowed_origin",
        "CORSMiddleware.allow_explicit_origin",
        "CORSMiddleware.preflight_response",
    ),
    "middleware.gzip": (
        "GZipMiddleware.__call__",
        "GZipResponder.send_with_compression",
        "GZipResponder.apply_compression",
        "IdentityResponder.send_with_compression",
        "IdentityResponder.apply_compression",
    ),
    "middleware.httpsredirect": ("HTTPSRedirectMiddleware.__call__", "URL.__init__"),
    "middleware.sessions": ("SessionMiddleware.__call__", "Session.__init__"),
    "middleware.trustedhost": ("TrustedHostMiddleware.__call__",),
}
#: Looked after when something is built.
LATER = {
    "middleware.body_limit": (
        "RequestBodyLimitResponder.__call__",
        "Headers.__init__",
        "Headers.__getitem__",
        "_get_content_length",
        "Headers",
    ),
    "middleware.cors": (
        "Headers.__init__",
        "Headers.__getitem__",
        "Headers.__contains__",
        "Headers.get",
        "MutableHeaders.getlist",
        "MutableHeaders.__init__",
        "MutableHeaders.__setitem__",
        "MutableHeaders.update",
        "PlainTextResponse.__init__",
        "PlainTextResponse.init_headers",
        "PlainTextResponse.render",
        "PlainTextResponse",
        "Headers",
        "MutableHeaders",
    ),
    "middleware.gzip": (
        "GZipResponder.__init__",
        "GZipResponder._compress_body",
        "IdentityResponder.__init__",
        "IdentityResponder.__call__",
        "Headers.__init__",
        "Headers.get",
        "MutableHeaders.add_vary_header",
        "_normalize_content_types",
        "GZipResponder",
        "IdentityResponder",
    ),
    "middleware.sessions": (
        "HTTPConnection.__init__",
        "MutableHeaders.__init__",
        "HTTPConnection",
        "MutableHeaders",
    ),
    "requests": ("cookie_parser", "Headers"),
    "middleware.trustedhost": (
        "Headers.__init__",
        "Headers.__getitem__",
        "parse_host_header",
        "Headers",
    ),
}


def targets(by_module: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(module, path) for module, paths in by_module.items() for path in paths]


def wrapper(original: Any, told: str) -> Any:
    """A function of the same kind that tells of each call, or a subclass that does."""
    if isinstance(original, type):

        class Own(original):  # type: ignore[misc]
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                LOG.append(told)
                super().__init__(*args, **kwargs)

        return Own
    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def later(*args: Any, **kwargs: Any) -> Any:
            LOG.append(told)
            return await original(*args, **kwargs)

        return later

    @functools.wraps(original)
    def at_once(*args: Any, **kwargs: Any) -> Any:
        LOG.append(told)
        return original(*args, **kwargs)

    return at_once


def proxy(original: Any, told: str) -> Any:
    """An object that tells of each call, and equals what it wraps."""
    return Proxy(original, lambda: LOG.append(told))


def replace(module: str, path: str, wrap: Any, patch: pytest.MonkeyPatch) -> None:
    owner: Any = importlib.import_module(f"starlette.{module}")
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    static = inspect.getattr_static(owner, name)
    replacement = wrap(getattr(owner, name), path)
    is_static = isinstance(static, staticmethod) and wrap is not proxy
    patch.setattr(owner, name, staticmethod(replacement) if is_static else replacement)


class Course:
    """Three requests, a patch of Starlette, the same requests, and without the patch again."""

    def __init__(self, module: str, path: str, wrap: Any, late: bool, looks: bool) -> None:
        self.module, self.path, self.wrap = module, path, wrap
        self.late, self.looks = late, looks
        self.logs: list[list[str]] = []
        self.patch = pytest.MonkeyPatch()

    def make(self, module: Any, app: Any) -> Any:
        name, arguments = MIDDLEWARE[self.of]
        self.logs.append([])
        middleware: Any = None
        turn = 0

        async def patching(scope: Any, receive: Any, send: Any) -> None:
            nonlocal turn, middleware
            if turn == (3 if self.late else 0):
                replace(self.module, self.path, self.wrap, self.patch)
                if self.looks:
                    look_again()
            if turn == 6:
                self.patch.undo()
                look_again()
            if turn == 0:
                middleware = getattr(module, name)(app, **arguments)
            turn += 1
            LOG.clear()
            try:
                await middleware(scope, receive, send)
            finally:
                self.logs[-1] += [f"request {turn}", *LOG]

        return patching

    def run(self, of: str) -> None:
        self.of = of
        try:
            compare(of, self.make, *REQUESTS * 3, incoming=INCOMING)
        finally:
            self.patch.undo()
        stock, ours = self.logs
        assert ours == stock


@pytest.mark.parametrize("late", [False, True], ids=["first", "late"])
@pytest.mark.parametrize("wrap", [wrapper, proxy])
@pytest.mark.parametrize(("module", "path"), targets(AT_ONCE))
def test_methods_replaced_at_any_time(module: str, path: str, wrap: Any, late: bool) -> None:
    """A method of the middleware that is replaced is called from the next request on."""
    Course(module, path, wrap, late, looks=path.endswith("__call__")).run(module)


@pytest.mark.parametrize("late", [False, True], ids=["first", "late"])
@pytest.mark.parametrize(("module", "path"), targets(LATER))
def test_what_is_looked_after_when_something_is_built(module: str, path: str, late: bool) -> None:
    """What else is bypassed, classes and functions, is called once an era has ended."""
    of = "middleware.sessions" if module == "requests" else module
    Course(module, path, wrapper, late, looks=True).run(of)


def _subclass(methods: str) -> Any:
    def make(base: Any) -> Any:
        class Sub(base):  # type: ignore[misc]
            pass

        for method in methods.split():
            static = inspect.getattr_static(base, method)
            told = wrapper(getattr(base, method), method)
            setattr(Sub, method, staticmethod(told) if type(static) is staticmethod else told)
        return Sub

    return make


OVERRIDES = [
    ("middleware.cors", "simple_response"),
    ("middleware.cors", "send"),
    ("middleware.cors", "is_allowed_origin"),
    ("middleware.cors", "allow_explicit_origin"),
    ("middleware.cors", "preflight_response"),
    ("middleware.cors", "send is_allowed_origin"),
    *((module, "__call__") for module in MIDDLEWARE),
    *((module, "") for module in MIDDLEWARE),
]


@pytest.mark.parametrize(("module", "methods"), OVERRIDES)
def test_subclasses_keep_their_say(module: str, methods: str) -> None:
    """A method that a subclass overrides is called as often as on Starlette."""
    logs: list[list[str]] = []
    name, arguments = MIDDLEWARE[module]

    def make(of: Any, app: Any) -> Any:
        LOG.clear()
        middleware = _subclass(methods)(getattr(of, name))(app, **arguments)

        async def logging(scope: Any, receive: Any, send: Any) -> None:
            await middleware(scope, receive, send)
            logs.append([*LOG])

        return logging

    compare(module, make, *REQUESTS, incoming=INCOMING)
    half = len(logs) // 2
    assert logs[:half] == logs[half:]
    assert logs[-1] or not methods


@pytest.mark.parametrize(
    "method",
    [
        "simple_response",
        "send",
        "is_allowed_origin",
        "allow_explicit_origin",
        "preflight_response",
    ],
)
def test_methods_of_an_instance(method: str) -> None:
    """A method that is set on one instance, after it has served, is called; and no longer after."""
    logs: list[list[str]] = []

    def make(of: Any, app: Any) -> Any:
        cors = of.CORSMiddleware(app, allow_origins=["https://a.example"])
        turn = 0

        async def changing(scope: Any, receive: Any, send: Any) -> None:
            nonlocal turn
            if turn == 3:
                setattr(cors, method, wrapper(getattr(cors, method), method))
            if turn == 6:
                delattr(cors, method)
            turn += 1
            LOG.clear()
            await cors(scope, receive, send)
            logs.append([*LOG])

        return changing

    compare("middleware.cors", make, *REQUESTS * 3, incoming=INCOMING)
    assert logs[:9] == logs[9:]
    assert method in str(logs[3:6])
    assert method not in str([*logs[:3], *logs[6:9]])


@pytest.mark.parametrize("module", MIDDLEWARE)
def test_installed(module: str) -> None:
    """In place, on Starlette's own classes, the answers are the same; and afterwards."""
    name, arguments = MIDDLEWARE[module]

    def make(of: Any, app: Any) -> Any:
        return getattr(of, name)(app, **arguments)

    how: Any = {"incoming": INCOMING}
    turbostar.uninstall()
    before = play("starlette", module, make, REQUESTS, **how)
    turbostar.install()
    try:
        during = play("starlette", module, make, REQUESTS, **how)
    finally:
        turbostar.uninstall()
    assert before == during == play("starlette", module, make, REQUESTS, **how)


def test_copies_and_pickles() -> None:
    """What was found out about a middleware is not found out about its copies."""
    cors = turbostar.middleware.cors.CORSMiddleware(None, allow_origins=["*"])  # type: ignore[arg-type]
    assert _cors.is_plain(cors)
    headers = _cors.headers_for(cors, [], "https://a.example")
    for copied in (copy.copy(cors), copy.deepcopy(cors), pickle.loads(pickle.dumps(cors))):
        assert _cors.is_plain(copied)
        copied.simple_headers["X-More"] = "1"
        copied.send = cors.send
        assert not _cors.is_plain(copied)
        assert _cors.is_plain(cors)
        cors.simple_headers.pop("X-More", None)  # a shallow copy shares it
    assert _cors.headers_for(cors, [], "https://a.example") == headers


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("middleware.body_limit", "send"),
        ("middleware.body_limit", "receive"),
        ("middleware.gzip", "send"),
        ("middleware.sessions", "send"),
    ],
)
def test_tracers_name_spans_as_on_starlette(module: str, name: str) -> None:
    """What is handed down to send and receive has the names of Starlette's functions."""

    def names(package: str) -> list[str]:
        found = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            handed = {"send": send, "receive": receive}[name]
            found.extend([handed.__name__, handed.__qualname__])

        cls, arguments = MIDDLEWARE[module]
        middleware = getattr(importlib.import_module(f"{package}.{module}"), cls)(app, **arguments)
        with pytest.raises(StopIteration):
            middleware(http(), None, None).send(None)
        return found

    assert names("turbostar") == names("starlette")
