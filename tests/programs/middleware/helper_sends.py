"""A helper that an inner dispatch calls sends by request._send (as early hints do)."""

from record import *


async def hint(request):
    await request._send({"type": "http.response.early_hint", "links": [b"</a>"]})


class Outer(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)


class Hints(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        await hint(request)
        return await call_next(request)


async def endpoint(request):
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(Outer), Middleware(Hints)])


async def go():
    show(*await call(app, extensions={"http.response.early_hint": {}}))


main(go)
