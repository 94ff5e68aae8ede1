"""task.cancelling() and uncancel on both sides of call_next, also with asyncio.timeout around it."""

from record import *


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        t = asyncio.current_task()
        log("before", t.cancelling())
        try:
            async with asyncio.timeout(0.02 if request.url.path == "/slow" else 5):
                r = await call_next(request)
        except TimeoutError:
            log("timeout", t.cancelling())
            return PlainTextResponse("late", 504)
        log("after", t.cancelling())
        return r


async def slow(request):
    t = asyncio.current_task()
    try:
        await asyncio.sleep(0.2)
        log("slow done")
    except asyncio.CancelledError as e:
        log("slow cancelled", t.cancelling(), bool(e.args))
        t.uncancel()
        log("uncancelled", t.cancelling())
        raise
    return PlainTextResponse("slow")


async def swallow(request):
    t = asyncio.current_task()
    t.cancel()
    log("in", t.cancelling())
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        log("swallowed", t.cancelling())
    return PlainTextResponse("ok")


async def pending(request):
    asyncio.current_task().cancel()
    return PlainTextResponse("pending")


async def raises(request):
    asyncio.current_task().cancel()
    raise ValueError("x")


app = Starlette(
    routes=[
        Route("/slow", slow),
        Route("/swallow", swallow),
        Route("/pending", pending),
        Route("/raises", raises),
    ],
    middleware=[Middleware(M)],
)
app2 = Starlette(routes=app.routes, middleware=[Middleware(M), Middleware(M)])


async def go():
    for a in (app, app2):
        for p in ("/slow", "/swallow", "/pending", "/raises", "/none"):
            LOG.clear()
            out, e = await call(a, path=p)
            print(p)
            show(out, e)
            print(LOG)
            print(asyncio.current_task().cancelling())
    LOG.clear()


main(go)
