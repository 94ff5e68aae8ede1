"""On trio: some of the above."""

from record import *
import trio, anyio
from contextvars import ContextVar

v = ContextVar("v", default="<none>")


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        t = v.set("acme")
        try:
            with anyio.fail_after(5):
                response = await call_next(request)
        finally:
            v.reset(t)
        response.headers["x"] = "1"
        return response


class P(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        t = v.set("acme")
        try:
            return await call_next(request)
        finally:
            v.reset(t)


async def bg():
    log("bg", v.get())


async def endpoint(request):
    return PlainTextResponse("ok", background=BackgroundTask(bg))


async def stream(request):
    async def b():
        yield v.get()

    return StreamingResponse(b(), background=BackgroundTask(bg))


async def go():
    for ms in ([M], [P], [M, P], [P, M]):
        app = Starlette(
            routes=[Route("/", endpoint), Route("/s", stream)],
            middleware=[Middleware(m) for m in ms] + [Middleware(GZipMiddleware)],
        )
        for p in ("/", "/s", "/n"):
            out = []
            msgs = [{"type": "http.request", "body": b"", "more_body": False}]

            async def receive():
                if msgs:
                    return msgs.pop()
                await trio.sleep_forever()

            async def send(m):
                out.append(m)

            await app(scope(p), receive, send)
            show(out, None)
    for l in LOG:
        print(l)


trio.run(go)
