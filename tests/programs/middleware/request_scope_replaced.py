"""dispatch assigns request.scope (a copy with something added)."""

from record import *


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        request.scope = {**request.scope, "path": "/other"}
        return await call_next(request)


async def endpoint(request):
    return PlainTextResponse("home")


async def other(request):
    return PlainTextResponse("other")


app = Starlette(routes=[Route("/", endpoint), Route("/other", other)], middleware=[Middleware(M)])


async def go():
    show(*await call(app))


main(go)
