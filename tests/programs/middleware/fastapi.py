"""FastAPI: contextvars in background tasks, background twice below GZip, the hang of c53, the exception context of c35, cancelled background."""

from record import *

if MODE == "swap":
    print("(as installed)")
    import turbostar

    turbostar.install()
else:
    print("(as installed)")
from fastapi import FastAPI, BackgroundTasks as BT, Request as FR
from starlette.middleware.base import BaseHTTPMiddleware as B
from starlette.middleware.gzip import GZipMiddleware as G
from contextvars import ContextVar
import sys

v = ContextVar("v", default="<none>")


class Tenant(B):
    async def dispatch(self, request, call_next):
        t = v.set("acme")
        try:
            return await call_next(request)
        finally:
            v.reset(t)


class Bg(B):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        if response.background is None:
            response.background = BackgroundTask(log, "middleware's task")
        return response


class Look(B):
    async def dispatch(self, request, call_next):
        response = await call_next(request)

        async def look():
            log("rest", [c async for c in response.body_iterator])

        response.background = BackgroundTask(look)
        return response


class Anon(B):
    async def dispatch(self, request, call_next):
        try:
            raise PermissionError("no token")
        except PermissionError:
            return await call_next(request)


def make(*ms):
    app = FastAPI()

    @app.get("/")
    async def home(bt: BT):
        async def mail():
            log("mail for", v.get())

        bt.add_task(mail)
        log("sees", repr(sys.exception()))
        return {"a": 1}

    @app.get("/boom")
    async def boom():
        raise ValueError("boom")

    app.add_route("/plain", plain)
    for m in reversed(ms):
        app.add_middleware(m)
    return app


async def plain(request):
    async def mail():
        log("mail for", v.get())

    return PlainTextResponse("plain", background=BackgroundTask(mail))


async def go():
    for ms in ((Tenant,), (Tenant, G, Bg), (Bg, Tenant), (Look,), (Anon,)):
        app = make(*ms)
        for p in ("/", "/plain", "/boom", "/none"):
            LOG.clear()
            t = asyncio.ensure_future(call(app, path=p))
            done, _ = await asyncio.wait([t], timeout=1)
            if not done:
                t.cancel()
                await asyncio.wait([t], timeout=1)
                print([m.__name__ for m in ms], p, "HANGS", LOG)
                continue
            out, e = t.result()
            print(
                [m.__name__ for m in ms],
                p,
                out[0]["status"],
                exc(e),
                exc(e and e.__cause__),
                [l for l in LOG if not l.startswith("send")],
            )
    LOG.clear()


main(go)
