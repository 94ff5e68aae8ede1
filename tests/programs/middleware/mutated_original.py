"""The endpoint's own response object is changed by dispatch after call_next (body, status, background)."""

from record import *


def bg():
    log("background")


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        r = request.state.original
        r.body = b"changed"
        r.status_code = 299
        r.background = BackgroundTask(bg)
        return response


async def endpoint(request):
    r = request.state.original = PlainTextResponse("ok")
    return r


async def go():
    app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(M)])
    show(*await call(app))
    log("--")


main(go)
