"""An inner dispatch answers some paths by an ASGI application, called by a helper with the request's send."""

from record import *


async def legacy(scope, receive, send):
    await PlainTextResponse("legacy")(scope, receive, send)


class Done:
    async def __call__(self, scope, receive, send):
        pass


async def delegate(app, request):
    await app(request.scope, request.receive, request._send)
    return Done()


class Outer(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x-outer"] = "1"
        return response


class Inner(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        if request.url.path.startswith("/legacy"):
            return await delegate(legacy, request)
        return await call_next(request)


async def endpoint(request):
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(Outer), Middleware(Inner)])


async def go():
    show(*await call(app, path="/legacy"))
    show(*await call(app, path="/"))


main(go)
