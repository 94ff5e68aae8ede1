"""Cancelled from outside: order of the except/finally of dispatch and endpoint."""

from record import *


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        try:
            return await call_next(request)
        except asyncio.CancelledError:
            log("dispatch: except")
            raise
        finally:
            log("dispatch: finally")


async def endpoint(request):
    try:
        await asyncio.sleep(1)
    except asyncio.CancelledError:
        log("endpoint: except")
        raise
    finally:
        log("endpoint: finally")
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(M)])


async def go():
    t = asyncio.create_task(call(app))
    await asyncio.sleep(0.01)
    t.cancel()
    try:
        show(*await t)
    except BaseException as e:
        print("raised", exc(e))


main(go)
