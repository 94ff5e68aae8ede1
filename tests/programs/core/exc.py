from drive import *
import asyncio, http


def app1(ep, **kw):
    return S.Starlette(routes=[S.Route("/x", ep, methods=["GET", "POST"])], **kw)


EXC = [
    ValueError("v"),
    KeyError("k"),
    StopIteration(1),
    StopAsyncIteration(2),
    GeneratorExit("g"),
    asyncio.CancelledError("c"),
    ExceptionGroup("eg", [ValueError(1), KeyError(2)]),
    RuntimeError("r"),
    MemoryError("m"),
    RecursionError("q"),
    AssertionError("a"),
    SystemExit("case"),
]


def case_raised():
    out = []

    async def h(request, exc):
        return S.PlainTextResponse(f"h {type(exc).__name__} {type(request).__name__}", 418)

    def sh(request, exc):
        return S.PlainTextResponse(f"sh {type(exc).__name__}", 418)

    async def none(request, exc):
        return None

    async def rai(request, exc):
        raise LookupError("from handler")

    async def rai_same(request, exc):
        raise exc

    async def rai_from(request, exc):
        raise S.HTTPException(409) from exc

    async def bad(request, exc):
        return 5

    for handlers in (
        {},
        {Exception: h},
        {500: h},
        {Exception: sh},
        {ValueError: none},
        {LookupError: rai},
        {ValueError: rai_same, KeyError: rai_from},
        {ValueError: bad},
        {RuntimeError: h},
        {ExceptionGroup: h},
        {500: rai},
        {Exception: none, 409: h},
        {StopIteration: h},
        {Exception: bad},
    ):
        for debug in (False,):
            for e in EXC:

                async def ep(request):
                    raise type(e)(*e.args) if not isinstance(e, ExceptionGroup) else e

                out.append(
                    [
                        norm(list(handlers)),
                        type(e).__name__,
                        go(
                            app1(ep, exception_handlers=handlers, debug=debug),
                            "/x",
                            with_scope=False,
                        ),
                    ]
                )
    return out


def case_raised_sync():
    out = []

    async def h(request, exc):
        return S.PlainTextResponse(f"h {type(exc).__name__} {type(request).__name__}", 418)

    for handlers in ({}, {Exception: h}, {RuntimeError: h}, {ValueError: h}):
        for e in EXC[:3] + EXC[6:8]:

            def ep(request):
                raise type(e)(*e.args) if not isinstance(e, ExceptionGroup) else e

            out.append(
                [
                    norm(list(handlers)),
                    type(e).__name__,
                    go(app1(ep, exception_handlers=handlers), "/x", with_scope=False),
                ]
            )
    return out


def case_after_start():
    out = []

    async def h(request, exc):
        return S.PlainTextResponse(f"h", 418)

    for where in ("start", "body"):

        async def hook(m):
            if m["type"].endswith(where):
                raise OSError("send " + where)

        for handlers in ({}, {OSError: h}, {Exception: h}, {RuntimeError: h}, {404: h, 405: h}):

            async def ok(request):
                return S.PlainTextResponse("x")

            def sync(request):
                return S.PlainTextResponse("x")

            async def err(request):
                raise S.HTTPException(404)

            async def err2(request):
                raise ValueError(404)

            class E(S.HTTPEndpoint):
                async def get(self, request):
                    return S.PlainTextResponse("x")

                async def post(self, request):
                    raise S.HTTPException(404)

            async def strm(request):
                async def g():
                    yield b"1"
                    raise KeyError("in stream")

                return S.StreamingResponse(g())

            async def bg(request):
                async def t():
                    raise S.HTTPException(404)

                return S.PlainTextResponse("x", background=S.BackgroundTask(t))

            for e in (ok, sync, err, err2, E, strm, bg):
                a = S.Starlette(
                    routes=[S.Route("/x", e, methods=["GET", "POST"]), S.Route("/y/", ok)],
                    exception_handlers=handlers,
                )
                for hk in (hook, None):
                    out.append(
                        [
                            where,
                            norm(list(handlers)),
                            go(a, "/x", "/nope", "/y", with_scope=False, send_hook=hk),
                            go(a, "/x", "/y/", method="POST", with_scope=False, send_hook=hk),
                        ]
                    )
    return out


def case_server_error_subclass_state():
    E = S.middleware_errors.ServerErrorMiddleware

    class Counting(E):
        n = 0

        def error_response(self, request, exc):
            self.n += 1
            return super().error_response(request, exc)

    class App(S.Starlette):
        def build_middleware_stack(self):
            self.counter = Counting(S.middleware_exceptions.ExceptionMiddleware(self.router))
            return self.counter

    async def ep(request):
        raise ValueError(1)

    a = App(routes=[S.Route("/x", ep)])
    return [go(a, "/x", "/x"), a.counter.n]


def case_exception_reused():
    e = ValueError("shared")

    async def h(request, exc):
        return S.PlainTextResponse(f"{exc.__traceback__ is not None} {exc.__context__!r}")

    async def ep(request):
        raise e

    a = app1(ep, exception_handlers={ValueError: h})
    return [go(a, "/x", "/x", "/x"), e.__traceback__ is None, repr(e.__context__)]


def case_websocket_exc():
    out = []

    async def h(ws, exc):
        await ws.close(code=4000, reason=type(exc).__name__)

    async def hr(ws, exc):
        return S.PlainTextResponse("denied", 403)

    WSE = S.exceptions.WebSocketException
    for accept in (True, False):
        for handlers in (
            {},
            {ValueError: h},
            {WSE: h},
            {S.HTTPException: hr},
            {404: h},
            {Exception: h},
        ):
            for mk in (
                lambda: ValueError(1),
                lambda: WSE(1008, "r"),
                lambda: S.HTTPException(404),
                lambda: S.HTTPException(403, "no", {"a": "b"}),
                lambda: StopAsyncIteration(1),
                lambda: S.websockets.WebSocketDisconnect(1001),
            ):

                async def ep(ws):
                    if accept:
                        await ws.accept()
                    raise mk()

                class E(S.endpoints.WebSocketEndpoint):
                    async def on_connect(self, ws):
                        if accept:
                            await ws.accept()
                        raise mk()

                a = S.Starlette(
                    routes=[
                        S.WebSocketRoute("/x", ep),
                        S.WebSocketRoute("/e", E),
                        S.Route("/h", ep),
                        S.Mount("/m", routes=[S.WebSocketRoute("/x", ep)]),
                    ],
                    exception_handlers=handlers,
                )
                out.append(
                    go(
                        a,
                        "/x",
                        "/e",
                        "/h",
                        "/m/x",
                        "/none",
                        type="websocket",
                        extensions={"websocket.http.response": {}},
                    )
                )
    return out


def case_send_is_coroutinefunction():
    import inspect

    async def main():
        out = []

        async def asgi(scope, receive, send):
            out.append(
                [
                    inspect.iscoroutinefunction(send),
                    asyncio.iscoroutinefunction(send),
                    send.__name__,
                    callable(send),
                    type(send).__name__,
                ]
            )
            c = send({"type": "http.response.start", "status": 200, "headers": []})
            out.append(inspect.iscoroutine(c))
            await c
            await send({"type": "http.response.body", "body": b"x"})

        class A:
            async def __call__(self, s, r, se):
                await asgi(s, r, se)

        app = S.Starlette(routes=[S.Route("/x", A())])
        r = await drive(app, "/x")
        return [out, r]

    return asyncio.run(main())


def case_send_created_not_awaited():
    async def main():
        async def asgi(scope, receive, send):
            c = send({"type": "http.response.start", "status": 200, "headers": []})
            c.close()
            raise ValueError("after unsent start")

        class A:
            async def __call__(self, s, r, se):
                await asgi(s, r, se)

        app = S.Starlette(routes=[S.Route("/x", A())])
        return await drive(app, "/x")

    return asyncio.run(main())


def case_answer_cannot_be_sent():
    """What the sending of a 404 or 405 raises says what it was an answer to, and in what context."""

    async def gone(message):
        raise OSError("gone")

    async def twice(message):
        try:
            raise KeyError("first")
        except KeyError:
            raise OSError("second")

    async def chained(message):
        raise OSError("gone") from ValueError("cause")

    app = S.Starlette(routes=[S.Route("/a", lambda request: None, methods=["PUT"])])

    async def handling(scope, receive, send):
        try:
            raise LookupError("around")
        except LookupError:
            await app(scope, receive, send)

    return [
        go(served, path, send_hook=hook)
        for served in (app, handling)
        for path in ("/a", "/none", "/a/")
        for hook in (gone, twice, chained)
    ]
