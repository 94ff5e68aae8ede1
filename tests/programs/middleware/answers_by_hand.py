"""Who answers by hand, with the `send` of the request, goes on once that was sent."""

from record import *

seen = []


class Header(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        seen.append("middleware has the response")
        response.headers["x-by"] = "header"
        return response


class Nothing:
    async def __call__(self, scope, receive, send):
        seen.append("nothing more")


async def by_hand(request):
    await JSONResponse({"by": "hand"})(request.scope, request.receive, request._send)
    seen.append("the endpoint goes on")
    return Nothing()


class Wrapping(Response):
    """A response made of another one."""

    async def __call__(self, scope, receive, send):
        await JSONResponse({"inner": True})(scope, receive, send)
        seen.append("the wrapped response was sent")


async def wrapped(request):
    return Wrapping()


class Class(HTTPEndpoint):
    async def dispatch(self):
        await super().dispatch()
        seen.append("the class goes on")

    async def get(self, request):
        return PlainTextResponse("class")


class Sends(HTTPEndpoint):
    async def get(self, request):
        await PlainTextResponse("sent")(self.scope, self.receive, self.send)
        seen.append("the method goes on")
        return Nothing()


async def fails(request):
    raise HTTPException(418)


async def by_handler(request, exc):
    await PlainTextResponse("handler")(request.scope, request.receive, request._send)
    seen.append("the handler goes on")
    return Nothing()


async def task(request):
    async def answer():
        await PlainTextResponse("task")(request.scope, request.receive, request._send)
        seen.append("the task goes on")

    await asyncio.create_task(answer())
    return Nothing()


class Later(BackgroundTask):
    async def __call__(self):
        seen.append("background")


async def background(request):
    response = PlainTextResponse("b")
    response.background = Later(len)
    await response(request.scope, request.receive, request._send)
    seen.append("after the background")
    return Nothing()


class OwnRoute(Route):
    async def handle(self, scope, receive, send):
        await super().handle(scope, receive, send)
        seen.append("the route goes on")


class OwnRouter(Router):
    async def __call__(self, scope, receive, send):
        await super().__call__(scope, receive, send)
        seen.append("the router goes on")


async def decorated(request):
    return PlainTextResponse("decorated")


def decorate(app):
    async def wrapper(scope, receive, send):
        await app(scope, receive, send)
        seen.append("the decorator goes on")

    return wrapper


async def go():
    own = Route("/decorated", decorated)
    own.app = decorate(own.app)
    routes = [
        Route("/hand", by_hand),
        Route("/wrapped", wrapped),
        Route("/class", Class),
        Route("/sends", Sends),
        Route("/fails", fails),
        Route("/task", task),
        Route("/background", background),
        OwnRoute("/own", decorated),
        Mount("/router", OwnRouter([Route("/x", decorated)])),
        own,
        Host("other", Router([Route("/{rest:path}", decorated)])),
    ]
    middle = {
        "nothing": [],
        "gzip": [Middleware(GZipMiddleware)],
        "cors and hosts": [
            Middleware(CORSMiddleware, allow_origins=["*"]),
            Middleware(TrustedHostMiddleware),
        ],
        "header": [Middleware(Header)],
        "auth": [
            Middleware(SessionMiddleware, secret_key="s"),
            Middleware(HTTPSRedirectMiddleware),
        ],
    }
    for name, more in middle.items():
        app = Starlette(
            routes=routes,
            middleware=[Middleware(Header), *more],
            exception_handlers={418: by_handler},
        )
        for path in ("hand", "wrapped", "class", "sends", "fails", "task", "background", "own",
                     "router/x", "decorated", "none", "class/"):  # fmt: skip
            seen.clear()
            got = await call(app, path="/" + path, scheme="https")
            print(name, path, seen)
            show(*got)


main(go)
