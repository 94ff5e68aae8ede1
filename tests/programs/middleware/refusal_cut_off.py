"""A 404 or 405 that cannot be sent, or is cancelled while it is: what was being handled then."""

from record import *


class Header(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x-by"] = "header"
        return response


def chain(exc):
    told = []
    while exc is not None and type(exc).__name__ != "WouldBlock":  # of anyio's memory streams
        told.append((type(exc).__name__, getattr(exc, "status_code", None)))
        exc = exc.__cause__ if exc.__suppress_context__ else exc.__context__
    return told


class Around:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        try:
            await self.app(scope, receive, send)
        except BaseException as exc:
            print("around", chain(exc))
            raise


async def endpoint(request):
    return PlainTextResponse("x")


async def go():
    for layers in ([Around], [Header, Around], [Around, Header, Around], [Header, Header, Around]):
        app = Starlette(
            routes=[Route("/x", endpoint)], middleware=[Middleware(layer) for layer in layers]
        )
        for path, method in (("/none", "GET"), ("/x", "POST"), ("/x/", "GET"), ("/x", "GET")):

            def fail(message):
                raise OSError("gone")

            print([layer.__name__ for layer in layers], path, method)
            _, exc = await call(app, path=path, method=method, on_send=fail)
            print("failed", chain(exc))

            def hang(message):
                return asyncio.sleep(5)

            task = asyncio.create_task(call(app, path=path, method=method, on_send=hang))
            await asyncio.sleep(0.01)
            task.cancel()
            _, exc = await task
            print("cancelled", chain(exc))


main(go)
