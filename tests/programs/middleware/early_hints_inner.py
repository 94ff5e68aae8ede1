"""An inner middleware sends early hints."""

from record import *


class Outer(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)


class Hints(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        await request.send_early_hints("</style.css>; rel=preload; as=style")
        return await call_next(request)


async def endpoint(request):
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(Outer), Middleware(Hints)])


async def go():
    show(*await call(app, extensions={"http.response.early_hint": {}}))


main(go)
