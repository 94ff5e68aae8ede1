"""dispatch of all kinds: what is awaited, when, how often, by whom."""

from record import *
import functools, contextlib


async def d_kw(request, call_next):
    return await call_next(request=request)


async def d_later(request, call_next):
    c = call_next(request)
    await asyncio.sleep(0)
    return await c


async def d_never(request, call_next):
    c = call_next(request)
    c.close()
    return PlainTextResponse("never")


async def d_two(request, call_next):
    a = await call_next(request)
    b = await call_next(request)
    return b


async def d_loop(request, call_next):
    for i in range(2):
        try:
            return await call_next(request)
        except ValueError:
            pass
    return PlainTextResponse("gave up", 500)


async def d_while(request, call_next):
    while True:
        r = await call_next(request)
        if r.status_code:
            return r


async def d_comp(request, call_next):
    return [await call_next(request) for _ in (1,)][0]


async def d_gen(request, call_next):
    async def g():
        yield await call_next(request)

    async for r in g():
        return r


async def d_alias(request, call_next):
    nxt = call_next
    return await nxt(request)


async def d_rebind(request, call_next):
    async def call_next(request):
        return PlainTextResponse("mine")

    return await call_next(request)


async def d_store(request, call_next):
    request.state.call_next = call_next
    return await request.state.call_next(request)


async def d_thread(request, call_next):
    return await asyncio.to_thread(lambda: None) or await call_next(request)


async def d_run_coro(request, call_next):
    return await asyncio.wrap_future(
        asyncio.run_coroutine_threadsafe(call_next(request), asyncio.get_running_loop())
    )


async def d_stack(request, call_next):
    async with contextlib.AsyncExitStack() as st:
        st.callback(log, "exit")
        return await call_next(request)


async def d_suppress(request, call_next):
    with contextlib.suppress(ValueError):
        return await call_next(request)
    return PlainTextResponse("suppressed")


async def d_raise_from(request, call_next):
    try:
        return await call_next(request)
    except ValueError as e:
        raise HTTPException(409) from e


async def d_else(request, call_next):
    try:
        r = await call_next(request)
    except ValueError:
        return PlainTextResponse("e")
    else:
        r.headers["x"] = "else"
    finally:
        log("finally")
    return r


async def d_ret_finally(request, call_next):
    try:
        return await call_next(request)
    finally:
        return PlainTextResponse("from finally")


async def d_args(*args):
    return await args[1](args[0])


async def d_default(request, call_next, extra=None):
    return await call_next(request)


async def d_exec(request, call_next):
    ns = {}
    exec("async def f(r, c): return await c(r)", ns)
    return await ns["f"](request, call_next)


async def d_none(request, call_next):
    await call_next(request)


async def d_str(request, call_next):
    await call_next(request)
    return "x"


async def d_app(request, call_next):
    await call_next(request)
    return Starlette(routes=[Route("/{p:path}", ok)])


def d_sync(request, call_next):
    return call_next(request)


async def d_agen(request, call_next):
    yield await call_next(request)


async def ok(request):
    return PlainTextResponse("ok", background=BackgroundTask(lambda: log("bg")))


N = 0


async def flaky(request):
    global N
    N += 1
    if N % 2:
        raise ValueError("flaky")
    return PlainTextResponse("ok")


async def twice():
    yield b"a"
    yield b"b"


async def stream(request):
    if request.url.query == "twice":  # two streams at once of threads come out in any order
        return StreamingResponse(twice())
    return StreamingResponse(iter([b"a", b"b"]))


ds = [v for k, v in sorted(globals().items()) if k.startswith("d_")]


async def go():
    global N
    for d in ds:
        for n in (1, 2):
            app = Starlette(
                routes=[Route("/ok", ok), Route("/flaky", flaky), Route("/stream", stream)],
                middleware=[Middleware(BaseHTTPMiddleware, dispatch=d)] * n,
            )
            for p in ("/ok", "/flaky", "/stream"):
                if d is d_two and p == "/stream":
                    continue  # two streams from threads: whose piece comes first is up to these
                N = 0
                LOG.clear()
                t = asyncio.ensure_future(
                    call(app, path=p, spec="2.4", query_string=b"twice" * (d is d_two))
                )
                done, _ = await asyncio.wait([t], timeout=0.7)
                if not done:
                    print(d.__name__, n, p, "HANGS")
                    t.cancel()
                    await asyncio.wait([t], timeout=1)
                    continue
                out, e = t.result()
                print(
                    d.__name__,
                    n,
                    p,
                    [(m.get("status") or m.get("body")) for m in out],
                    exc(e),
                    exc(e and e.__cause__),
                    [l for l in LOG if not l.startswith("send")],
                )
    LOG.clear()


main(go)
