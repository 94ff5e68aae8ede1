"""Context variables set and reset in finally around call_next, background tasks on each side."""

from record import *
import contextvars

v = contextvars.ContextVar("v", default="none")
w = contextvars.ContextVar("w", default="none")


def mk(tag):
    async def d(request, call_next):
        tok = v.set(tag)
        try:
            r = await call_next(request)
            log(tag, "sees", v.get(), w.get())
            w.set("host-" + tag)
            old = r.background
            r.background = BackgroundTask(bg, "host-" + tag)
            return r
        finally:
            v.reset(tok)

    return d


async def bg(who):
    log("bg", who, v.get(), w.get())
    await asyncio.sleep(0)
    log("bg2", who, v.get(), w.get())


def bgs(who):
    log("bg sync", who, v.get(), w.get())


async def ok(request):
    log("endpoint", v.get(), w.get())
    w.set("endpoint")
    return PlainTextResponse("ok", background=BackgroundTask(bg, "endpoint"))


def syn(request):
    log("sync", v.get(), w.get())
    w.set("sync")
    return PlainTextResponse("ok", background=BackgroundTask(bgs, "sync"))


async def gen():
    log("gen", v.get(), w.get())
    w.set("gen")
    yield b"a"
    log("gen", v.get(), w.get())
    await asyncio.sleep(0)
    yield b"b"
    log("gen end", v.get(), w.get())


async def st(request):
    w.set("st")
    return StreamingResponse(gen(), background=BackgroundTask(bg, "st"))


async def waits(request):
    w.set("waits")
    await asyncio.sleep(0)
    log("waits", v.get(), w.get())
    return JSONResponse(
        {"a": 1}, background=BackgroundTasks([BackgroundTask(bg, "w1"), BackgroundTask(bgs, "w2")])
    )


async def err(request):
    w.set("err")
    raise HTTPException(418)


async def onerr(request, e):
    log("handler", v.get(), w.get())
    return PlainTextResponse("t", 418, background=BackgroundTask(bg, "handler"))


routes = [
    Route("/ok", ok),
    Route("/sync", syn),
    Route("/st", st),
    Route("/waits", waits),
    Route("/err", err),
]


async def go():
    for mw in (
        [Middleware(BaseHTTPMiddleware, dispatch=mk("A"))],
        [
            Middleware(BaseHTTPMiddleware, dispatch=mk("A")),
            Middleware(BaseHTTPMiddleware, dispatch=mk("B")),
        ],
        [
            Middleware(BaseHTTPMiddleware, dispatch=mk("A")),
            Middleware(GZipMiddleware, minimum_size=0),
            Middleware(BaseHTTPMiddleware, dispatch=mk("B")),
            Middleware(SessionMiddleware, secret_key="x"),
        ],
    ):
        app = Starlette(routes=routes, middleware=mw, exception_handlers={HTTPException: onerr})
        for p in ("/ok", "/sync", "/st", "/waits", "/err", "/404"):
            v.set("none")
            w.set("none")
            LOG.clear()
            out, e = await call(app, path=p, headers=[(b"accept-encoding", b"gzip")])
            print(p, [m.get("status") or len(m.get("body")) for m in out], exc(e), v.get(), w.get())
            print("\n".join(LOG))
    LOG.clear()


main(go)
