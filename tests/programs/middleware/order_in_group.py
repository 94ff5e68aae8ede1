"""What ended a call and what dispatch raised, in one group: in the order in which they came."""

from record import *


class Quit(BaseException):
    pass


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)


class InATask(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await asyncio.create_task(call_next(request))


class Twice(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        calls = [asyncio.create_task(call_next(request)) for _ in range(2)]
        for called in await asyncio.gather(*calls, return_exceptions=True):
            log("call", exc(called) if isinstance(called, BaseException) else called.status_code)
        raise ValueError("dispatch")


class Late(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        try:
            return await call_next(request)
        finally:
            for _ in range(3):
                try:
                    await asyncio.sleep(0)
                except asyncio.CancelledError:
                    log("cancelled")


async def quits(request):
    raise Quit("q")


async def quits_late(request):
    await asyncio.sleep(0)
    raise Quit("q")


async def quits_when_cancelled(request):
    try:
        await asyncio.sleep(1)
    except asyncio.CancelledError:
        raise Quit("cancelled") from None


async def quits_after(request):
    async def background():
        raise Quit("background")

    return PlainTextResponse("ok", background=BackgroundTask(background))


class Gives(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        asyncio.create_task(call_next(request))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        raise ValueError("dispatch")


async def go():
    for cls in (M, InATask, Twice, Late, Gives):
        for endpoint in (quits, quits_late, quits_after, quits_when_cancelled):
            if endpoint is quits_when_cancelled and cls is not Gives:
                continue
            for below in ([cls], [M, cls], [cls, M]):
                app = Starlette(routes=[Route("/", endpoint)], middleware=[*map(Middleware, below)])
                log([m.__name__ for m in below], endpoint.__name__)
                out, error = await call(app)
                log(exc(error), out)


main(go)
