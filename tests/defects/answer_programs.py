"""Programs about the parts of requests, and about responses of all kinds."""

from __future__ import annotations

import re
from typing import Any

from tests.defects.program import program
from tests.fast_path.serving import Names, get


def serving(names: Names, answer: Any, *middleware: Any, **more: Any) -> Any:
    """An application in which every path is answered by `answer(request)`, awaited if need be."""

    async def endpoint(request: Any) -> Any:
        response = answer(request)
        return await response if hasattr(response, "__await__") else response

    methods = ["GET", "POST", "OPTIONS"]
    routes = [names.Route("/{at:path}", endpoint, methods=methods)]
    return names.Starlette(routes=routes, middleware=middleware, **more)


@program
def parts_of_requests(names: Names) -> Any:
    """Each part of a request, of a usual one and of odd ones."""

    def answer(request: Any) -> Any:
        told: list[Any] = [
            sorted(request.headers.items()),
            request.headers.get("X-Name"),
            "X-NAME" in request.headers,
            request.headers.getlist("x-name"),
            request.query_params.multi_items(),
            request.query_params.get("a"),
            request.cookies,
            request.method,
            request.client,
        ]
        for part in ("url", "base_url"):
            try:
                told.append(str(getattr(request, part)))
            except Exception as exc:
                told.append(repr(exc))
        request.scope["headers"].append((b"x-name", b"added"))
        told.append(request.headers.getlist("x-name"))
        return names.PlainTextResponse(repr(told))

    values = [(b"x-name", b"one"), (b"x-name", b"tw\xf6"), (b"cookie", b'a=b; c="d\\054"; e')]
    asks = [
        get("/", *values),
        get("/p/\xe4 b", query=b"a=1&a=2&b=x+y%20%E4&c&=d&&"),
        get("/", query=b"a=%zz;b=2"),
        get("/", more=(("scheme", "https"), ("server", ("other", 443)))),
        *(
            get("/x", more=(("headers", [(b"host", host)]),))
            for host in (
                b"a.example:8000",
                b"a.example:99999",
                b"b.example",
                b"bad host/",
                b"[::1]:80",
                b"",
                b"\xff",
            )
        ),
        get("/x", more=(("headers", []),)),
        get("/x", more=(("headers", []), ("server", None))),
    ]
    return serving(names, answer), [*asks, *asks]


def bodies(*chunks: bytes, ends: bool = True) -> tuple[dict[str, Any], ...]:
    last = len(chunks) - 1
    return tuple(
        {"type": "http.request", "body": chunk, "more_body": number < last or not ends}
        for number, chunk in enumerate(chunks)
    )


@program
def bodies_of_requests(names: Names) -> Any:
    """A body in one piece, in several, twice, after a stream, and one that breaks off."""

    async def answer(request: Any) -> Any:
        told: list[Any] = []
        for way in request.url.query.split("&"):
            try:
                if way == "stream":
                    told.append([chunk async for chunk in request.stream()])
                else:
                    told.append(await getattr(request, way)())
            except Exception as exc:
                told.append(f"{type(exc).__name__} {exc}")
        return names.PlainTextResponse(repr(told))

    end = {"type": "http.disconnect"}
    gone = (*bodies(b"a", b"b", ends=False), end, end, end)
    return serving(names, answer), [
        get("/", query=query, messages=messages)
        for query in (b"body", b"body&body&json", b"stream&body", b"body&stream", b"stream&stream")
        for messages in (bodies(b"[1]"), bodies(b"[", b"", b"1]"), bodies(b""), gone)
    ]


@program
def plain_responses(names: Names) -> Any:
    """Bodies, headers and cookies as given, changed, or left out."""

    def answers() -> list[Any]:
        text, redirect = names.PlainTextResponse, names.RedirectResponse
        changed = text("changed", headers={"X-A": "1", "Content-Type": "text/x"})
        changed.headers["x-b"] = "2"
        changed.headers["x-a"] = "3"
        changed.status_code = 201
        cookies = text("cookies")
        cookies.set_cookie("a", "b c", max_age=5, domain="d", secure=True, samesite="strict")
        cookies.set_cookie("a", 'quoted "; \xe4', path="/p", httponly=True)
        cookies.set_cookie("a", "", path=None, samesite=None)
        cookies.delete_cookie("gone")
        away = redirect("/path with spaces?ä=%20&b=<>", status_code=303)
        away.headers["location"] = away.headers["location"] + "#end"
        away.set_cookie("r", "s")
        return [
            text("ä", status_code=404),
            text(b"bytes"),
            text("", status_code=204),
            text("x" * 5000),
            text("length", headers={"content-length": "3"}),
            names.Response(None, status_code=304),
            names.Response("media", media_type="text/x-ä".replace("ä", "a")),
            names.Response(b"\x00", media_type="application/x"),
            names.HTMLResponse("<p>"),
            names.JSONResponse([], status_code=204),
            names.JSONResponse([], headers={"x-a": "1"}, media_type="application/x+json"),
            changed,
            cookies,
            away,
        ]

    app = serving(names, lambda request: answers()[int(request.url.query)])
    return app, [get("/", query=b"%d" % number) for number in range(len(answers()))] * 2


@program
def class_endpoints(names: Names) -> Any:
    """A class endpoint's own methods, and what it overrides, are heard."""

    class Endpoint(names.HTTPEndpoint):  # type: ignore[misc, name-defined]
        async def get(self, request: Any) -> Any:
            return names.PlainTextResponse("get", background=names.BackgroundTask(self.after))

        async def after(self) -> None:
            self.scope["log"].append("after")

        async def delete(self, request: Any) -> Any:
            raise names.HTTPException(409)

    class Own(Endpoint):
        async def dispatch(self) -> None:
            self.scope["log"].append("dispatched")
            await super().dispatch()

        async def method_not_allowed(self, request: Any) -> Any:
            return names.PlainTextResponse("never", 405)

    app = names.Starlette(routes=[names.Route("/a", Endpoint), names.Route("/b", Own)])
    methods = ("GET", "HEAD", "POST", "DELETE", "DISPATCH", "method_not_allowed")
    return app, [get(path, method=method) for path in ("/a", "/b") for method in methods] * 2


@program
def streams(names: Names) -> Any:
    """Streams of all kinds, cut off in all ways."""

    def answer(request: Any) -> Any:
        log = request.scope["log"]

        async def chunks() -> Any:
            try:
                yield "one"
                yield b""
                yield b"two"
                if request.url.query == "failing":
                    raise LookupError("in a stream")
                yield "three ä"
            finally:
                log.append("closed")

        def plain() -> Any:
            yield b"one"
            yield "two"

        content = plain() if request.url.query == "sync" else chunks()
        return names.StreamingResponse(content, media_type="text/plain", headers={"x-a": "1"})

    newer = (("asgi", {"version": "3.0", "spec_version": "2.4"}),)
    gone = ({"type": "http.disconnect"},)
    asks = [
        get("/", query=query, more=m) for query in (b"", b"sync", b"failing") for m in ((), newer)
    ]
    fails = [get("/", fails_at=number, more=newer) for number in (0, 1, 3)]
    return serving(names, answer), [*asks, *fails, get("/", messages=gone, more=newer)]


@program
def changed_while_it_is_sent(names: Names) -> Any:
    """A body is read when it is sent, after the start of its response was."""

    def answer(request: Any) -> Any:
        response = names.PlainTextResponse("before")
        request.scope["response"] = response
        return response

    inner = serving(names, answer)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def changing(message: Any) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                scope["response"].body = b"after"

        await inner(scope, receive, changing)

    return app, [get("/")] * 3


@program
def subclasses_of_requests_and_responses(names: Names) -> Any:
    """What a subclass overrides is called."""

    class Loud(names.PlainTextResponse):  # type: ignore[misc, name-defined]
        def render(self, content: Any) -> Any:
            return super().render(content.upper())

        def init_headers(self, headers: Any = None) -> None:
            super().init_headers(headers)
            self.raw_headers.append((b"x-loud", b"yes"))

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            scope["log"].append("called")
            await super().__call__(scope, receive, send)

    class Wrapped(names.JSONResponse):  # type: ignore[misc, name-defined]
        media_type = "application/x+json"

        def render(self, content: Any) -> Any:
            return re.sub(b"1", b"one", super().render(content))

        def set_cookie(self, key: str, value: str = "", **more: Any) -> None:
            super().set_cookie(key, value * 2, **more)

    class Own(names.Request):  # type: ignore[misc, name-defined]
        @property
        def headers(self) -> Any:
            return {"x-own": "yes"}

        async def body(self) -> bytes:
            return b'["own"]'

    class Streamed(names.Request):  # type: ignore[misc, name-defined]
        async def stream(self) -> Any:
            yield b"of "
            yield b"its own"

    async def answer(request: Any) -> Any:
        own = Own(request.scope, request.receive)
        if request.url.query == "streamed":
            return names.Response(await Streamed(request.scope, request.receive).body())
        loud = Loud(f"{own.headers} {await own.json()}")
        wrapped = Wrapped([1, 2])
        wrapped.set_cookie("a", "b")
        return loud if request.url.query else wrapped

    asks = [get("/"), get("/", query=b"loud"), get("/", query=b"streamed")]
    return serving(names, answer), asks * 2
