"""What is due when dispatch calls on: callbacks, tasks, and timeouts that are over already."""

from record import *
import time
import anyio


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        loop = asyncio.get_running_loop()
        kind = request.url.path[1:]
        if kind == "soon":
            loop.call_soon(log, "called soon")
        elif kind == "late":
            loop.call_later(0.005, log, "a time that has come")
            time.sleep(0.02)
        elif kind == "none":
            loop.call_later(30, log, "never").cancel()
            loop.call_later(60, log, "never")
        elif kind == "timeout":
            try:
                async with asyncio.timeout(0.005):
                    time.sleep(0.02)
                    return await call_next(request)
            except TimeoutError:
                return PlainTextResponse("over", 504)
        elif kind == "scope":
            with anyio.move_on_after(0.005):
                time.sleep(0.02)
                return await call_next(request)
            return PlainTextResponse("over", 504)
        elif kind == "endpoint":
            try:
                async with asyncio.timeout(0.005):
                    return await call_next(request)
            except TimeoutError:
                return PlainTextResponse("over", 504)
        response = await call_next(request)
        log("answered")
        return response


async def endpoint(request):
    log("endpoint", request.url.path)
    if request.url.path == "/endpoint":
        time.sleep(0.02)
    if request.url.path == "/leaves":
        asyncio.get_running_loop().call_soon(log, "left by the endpoint")
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/{kind}", endpoint)], middleware=[Middleware(M), Middleware(M)])
one = Starlette(routes=[Route("/{kind}", endpoint)], middleware=[Middleware(M)])


async def go():
    for kind in ("soon", "late", "none", "timeout", "scope", "endpoint", "leaves"):
        for each in (one, app):
            log(kind, "below", len(each.user_middleware))
            show(*await call(each, path=f"/{kind}"))
            await asyncio.sleep(0.01)


main(go)
