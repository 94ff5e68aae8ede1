"""What a request leaves behind is freed when it has been answered, without the garbage collector."""

import gc
import weakref

from record import *

FREED = []


class Keeps(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        weakref.finalize(request, FREED.append, "request")
        response = await call_next(request)
        weakref.finalize(response, FREED.append, "response")
        return response


class Replaces(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        weakref.finalize(request, FREED.append, "outer request")
        await call_next(request)
        return PlainTextResponse("replaced")


async def plain(request):
    weakref.finalize(request, FREED.append, "inner request")
    return PlainTextResponse("plain")


async def with_background(request):
    return PlainTextResponse("plain", background=BackgroundTask(asyncio.sleep, 0))


routes = [Route("/plain", plain), Route("/background", with_background)]
apps = {
    "one": Starlette(routes=routes, middleware=[Middleware(Keeps)]),
    "two": Starlette(routes=routes, middleware=[Middleware(Keeps), Middleware(Keeps)]),
    "replaced": Starlette(routes=routes, middleware=[Middleware(Replaces), Middleware(Keeps)]),
}


async def go():
    for name, app in apps.items():
        for route in routes:
            await call(app, path=route.path)
            gc.collect()
            gc.disable()
            FREED.clear()
            await call(app, path=route.path)
            await asyncio.sleep(0.01)
            print(name, route.path, sorted(FREED))
            gc.enable()


main(go)
