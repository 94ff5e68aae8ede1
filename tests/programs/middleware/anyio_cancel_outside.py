"""A cancel scope of anyio's outside (pure ASGI): clean-up in dispatch, and in the endpoint.

Which of the two tasks is cancelled first is up to a set of anyio's, so each is shown apart.
"""

from record import *
import anyio


class T:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        with anyio.move_on_after(0.02):
            await self.app(scope, receive, send)
            return
        await PlainTextResponse("timeout", 504)(scope, receive, send)


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


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(T), Middleware(M)])


async def go():
    show(*await call(app))
    LOG.sort(key=lambda line: line.partition(":")[0])


main(go)
