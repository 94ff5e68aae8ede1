"""The endpoint's background task reads the request."""

from record import *


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x"] = "1"
        return response


async def endpoint(request):
    body = request.body
    disc = request.is_disconnected

    async def bg():
        log("disconnected", await disc())
        try:
            log("body", await body())
        except Exception as e:
            log(exc(e))

    return PlainTextResponse("ok", background=BackgroundTask(bg))


app = Starlette(routes=[Route("/", endpoint, methods=["POST"])], middleware=[Middleware(M)])


async def go():
    show(*await call(app, method="POST", body=(b"x", b"y")))


main(go)
