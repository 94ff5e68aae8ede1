"""A request class of the application's own takes over the attributes of the request that dispatch got."""

from record import *
import starlette.requests


class Adopted(starlette.requests.Request):
    """What people write who want another `body` or `user`, and the request is there already."""

    def __init__(self, request):
        self.__dict__.update(request.__dict__)


async def endpoint(request):
    return PlainTextResponse(await request.body())


async def dispatch(request, call_next):
    print(sorted(vars(request)))
    adopted = Adopted(request)
    print(await adopted.is_disconnected(), await adopted.body(), await adopted.form())
    return PlainTextResponse("adopted")


async def deletes(request, call_next):
    for name in ("_form", "_is_disconnected", "_stream_consumed"):
        delattr(request, name)
        print(name, hasattr(request, name))
    return PlainTextResponse("mine")


async def both():
    for function in (dispatch, deletes):
        app = Starlette(
            routes=[Route("/", endpoint, methods=["POST"])],
            middleware=[Middleware(BaseHTTPMiddleware, dispatch=function)],
        )
        show(*await call(app, method="POST", body=(b"a", b"b")))


main(both)
