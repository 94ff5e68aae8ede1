"""The server drops the request's coroutine (close() on it) while it waits."""

from record import *


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        try:
            return await call_next(request)
        finally:
            log("dispatch: finally")


async def endpoint(request):
    try:
        await asyncio.sleep(1)
    finally:
        log("endpoint: finally")


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(M)])


async def go():
    async def receive():
        return {"type": "http.request"}

    async def send(m):
        pass

    t = asyncio.create_task(app(scope(), receive, send))
    await asyncio.sleep(0.02)
    c = t.get_coro()
    try:
        c.close()
        print("closed")
    except BaseException as e:
        print(exc(e))
    t.cancel()
    try:
        await t
    except BaseException as e:
        print("task", type(e).__name__)


main(go)
