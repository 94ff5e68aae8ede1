"""The inner middleware logs the response later (call_soon); the outer one changes its status."""

from record import *


class Outer(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.status_code = 503
        response.media_type = "x/y"
        return response


class Log(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        KEPT.append(response)
        return response


KEPT = []


async def endpoint(request):
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(Outer), Middleware(Log)])


async def go():
    show(*await call(app))
    log("inner had", KEPT[0].status_code, KEPT[0].media_type)


main(go)
