"""One handler for requests and websockets tells them apart by isinstance; libraries make routes and responses of their own."""

import starlette.responses, starlette.routing, starlette.requests
from record import *


async def handler(request, exc):
    kind = "a request" if isinstance(request, Request) else "something else"
    return PlainTextResponse(f"{kind}, {exc.status_code}", status_code=exc.status_code)


async def failing(request):
    raise HTTPException(418)


class Class(HTTPEndpoint):
    async def get(self, request):
        raise HTTPException(409)


async def mounted(scope, receive, send):
    raise HTTPException(410)


app = Starlette(
    routes=[
        Route("/f", failing),
        Route("/c", Class),
        Route("/m", failing, methods=["POST"]),
        Mount("/a", mounted),
    ],
    exception_handlers={HTTPException: handler},
)


async def go():
    for path in ("/f", "/c", "/m", "/a/x", "/nowhere"):
        show(*await call(app, path=path))
    print(
        isinstance(starlette.routing.Route("/x", failing), Route),
        isinstance(starlette.routing.Mount("/x", routes=[]), Mount),
    )
    print(
        isinstance(starlette.responses.JSONResponse(1), JSONResponse),
        isinstance(starlette.responses.PlainTextResponse("x"), Response),
    )
    print(
        isinstance(starlette.requests.Request(scope()), Request),
        issubclass(starlette.routing.Route, Route),
    )


main(go)
