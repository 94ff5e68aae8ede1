"""Responses kept, sent twice, iterated again, replaced, dropped, iterated in the background, by two middleware with GZip between."""

from record import *

kept = {}


async def bg(t="bg"):
    log(t)


async def d_iter_twice(request, call_next):
    r = await call_next(request)
    a = [c async for c in r.body_iterator]
    b = [c async for c in r.body_iterator]
    log(a, b)
    return Response(
        b"".join(x if isinstance(x, bytes) else x.encode() for x in a),
        r.status_code,
        headers=dict(r.headers),
    )


async def d_drop(request, call_next):
    await call_next(request)
    return PlainTextResponse("mine", background=BackgroundTask(bg, "mine"))


async def d_drop_half(request, call_next):
    r = await call_next(request)
    async for c in r.body_iterator:
        log("first", c)
        break
    return PlainTextResponse("mine")


async def d_half_then_send(request, call_next):
    r = await call_next(request)
    async for c in r.body_iterator:
        log("first", c)
        break
    return r


async def d_bg_iter(request, call_next):
    r = await call_next(request)

    async def later():
        try:
            log("later", [c async for c in r.body_iterator])
        except BaseException as e:
            log("later raised", exc(e))
            raise

    r.background = BackgroundTask(later)
    return r


async def d_send_twice(request, call_next):
    r = await call_next(request)

    class Two(Response):
        async def __call__(self, s, rec, snd):
            await r(s, rec, snd)
            try:
                await r(s, rec, snd)
            except BaseException as e:
                log("second", exc(e))
                raise

    return Two()


async def d_keep(request, call_next):
    r = await call_next(request)
    if "r" in kept:
        log("giving the kept one")
        return kept["r"]
    kept["r"] = r
    return r


async def d_in_except(request, call_next):
    try:
        raise KeyError("k")
    except KeyError:
        return await call_next(request)


async def d_in_finally(request, call_next):
    try:
        raise KeyError("k")
    finally:
        return await call_next(request)


async def d_scope(request, call_next):
    s = dict(request.scope)
    s["path"] = "/other"
    s["raw_path"] = b"/other"
    r = await call_next(Request(s, request.receive))
    log(request.scope.get("path_params"), s.get("path_params"))
    return r


async def d_scope2(request, call_next):
    request.scope["path"] = "/other"
    return await call_next(request)


async def d_body(request, call_next):
    log(await request.body())
    r = await call_next(request)
    log(await request.body())
    return r


async def d_close_gen(request, call_next):
    r = await call_next(request)
    await r.body_iterator.aclose()
    return r


async def d_wrap(request, call_next):
    r = await call_next(request)
    it = r.body_iterator

    async def w():
        async for c in it:
            yield (c if isinstance(c, bytes) else c.encode()).upper()

    r.body_iterator = w()
    return r


async def d_later_task(request, call_next):
    r = await asyncio.create_task(call_next(request))
    await asyncio.sleep(0.01)
    return r


async def d_del(request, call_next):
    r = await call_next(request)
    r.background = BackgroundTask(bg, "added")
    r.set_cookie("a", "b")
    return r


async def ok(request):
    return PlainTextResponse("ok" * 400, background=BackgroundTask(bg))


async def other(request):
    return JSONResponse({"p": request.scope["path"]})


async def gen():
    try:
        yield b"a" * 300
        yield b"b" * 300
        await asyncio.sleep(0)
        yield b"c"
    finally:
        pass


async def st(request):
    return StreamingResponse(gen(), background=BackgroundTask(bg))


async def raw(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"1", "more_body": True})
    await send({"type": "http.response.body", "body": b"2"})
    log("raw end")


async def body(request):
    return PlainTextResponse(b"got " + await request.body())


async def none(request):
    return None


ds = [v for k, v in sorted(globals().items()) if k.startswith("d_") and v]


async def go():
    for d in ds:
        for mw in (
            [Middleware(BaseHTTPMiddleware, dispatch=d)],
            [
                Middleware(BaseHTTPMiddleware, dispatch=d),
                Middleware(GZipMiddleware, minimum_size=10),
                Middleware(BaseHTTPMiddleware, dispatch=d),
            ],
            [
                Middleware(SessionMiddleware, secret_key="x"),
                Middleware(BaseHTTPMiddleware, dispatch=d),
                Middleware(CORSMiddleware, allow_origins=["*"]),
                Middleware(RequestBodyLimitMiddleware, max_body_size=5),
            ],
        ):
            app = Starlette(
                routes=[
                    Route("/ok", ok),
                    Route("/other", other),
                    Route("/st", st),
                    Mount("/raw", raw),
                    Route("/body", body, methods=["POST"]),
                    Route("/none", none),
                ],
                middleware=mw,
            )
            kept.clear()
            for p in ("/ok", "/ok", "/st", "/raw", "/body", "/none", "/404"):
                LOG.clear()
                t = asyncio.create_task(
                    call(
                        app,
                        path=p,
                        method="POST" if p == "/body" else "GET",
                        body=(b"abc", b"defg"),
                        spec="2.4",
                        headers=[(b"accept-encoding", b"gzip"), (b"origin", b"http://o")],
                    )
                )
                done, _ = await asyncio.wait([t], timeout=0.5)
                if not done:
                    print(d.__name__, len(mw), p, "HANGS")
                    t.cancel()
                    await asyncio.wait([t], timeout=1)
                    continue
                out, e = t.result()
                await asyncio.sleep(0)
                print(
                    d.__name__,
                    len(mw),
                    p,
                    [
                        (m.get("status"), sorted(h for h in m["headers"] if h[0] != b"set-cookie"))
                        if "status" in m
                        else (len(m.get("body", b"")), m.get("more_body"))
                        for m in out
                    ],
                    exc(e),
                    exc(e and e.__cause__),
                    LOG,
                )
    LOG.clear()
    print([x.get_name() for x in asyncio.all_tasks() if x is not asyncio.current_task()])


main(go)
