"""Somebody goes on once the response was sent: who answers below a BaseHTTPMiddleware, or passes."""

from record import *
from starlette.responses import HTMLResponse, Response

log = []


class Header(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        log.append("middleware has the response")
        response.headers["x-by"] = "header"
        return response


class Logged(JSONResponse):
    async def __call__(self, scope, receive, send):
        await super().__call__(scope, receive, send)
        log.append("the response was sent")


class Page(HTMLResponse):
    async def __call__(self, scope, receive, send):
        try:
            await Response.__call__(self, scope, receive, send)
        finally:
            log.append("the page was sent")


class Around:
    """Pure ASGI, with the `send` that it was given."""

    def __init__(self, app, name="around"):
        self.app = app
        self.name = name

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)
        log.append(f"{self.name} has returned")


async def plain(request):
    return JSONResponse({"a": 1})


async def logged(request):
    return Logged({"a": 1})


async def page(request):
    return Page("<p>")


class Class(HTTPEndpoint):
    async def get(self, request):
        return Logged({"a": 2})


async def fails(request):
    raise HTTPException(418)


async def breaks(request):
    raise KeyError("k")


async def teapot(request, exc):
    return Logged({"teapot": True}, 418)


async def key(request, exc):
    return Page("key", 500)


async def after(scope, receive, send):
    await JSONResponse({"app": 1})(scope, receive, send)
    log.append("the application has ended")


class HostsLater(TrustedHostMiddleware):
    async def __call__(self, scope, receive, send):
        await super().__call__(scope, receive, send)
        log.append("hosts have ended")


class CorsLater(CORSMiddleware):
    def send(self, message, send, request_headers):
        return super().send(message, send, request_headers)


async def go():
    routes = [
        Route("/plain", plain),
        Route("/logged", logged),
        Route("/page", page),
        Route("/class", Class),
        Route("/fails", fails),
        Route("/breaks", breaks),
        Mount("/app", after),
        Mount("/in", routes=[Route("/logged", logged)], middleware=[Middleware(Around)]),
    ]
    handlers = {418: teapot, KeyError: key}
    between = {
        "nothing": [],
        "hosts": [Middleware(TrustedHostMiddleware, allowed_hosts=["*"]), Middleware(Around)],
        "some hosts": [
            Middleware(TrustedHostMiddleware, allowed_hosts=["t", "testserver", "x"]),
            Middleware(Around),
        ],
        "https": [Middleware(HTTPSRedirectMiddleware), Middleware(Around)],
        "cors": [Middleware(CORSMiddleware, allow_origins=["*"]), Middleware(Around)],
        "cors of its own": [Middleware(CorsLater, allow_origins=["*"]), Middleware(Around)],
        "hosts later": [Middleware(HostsLater, allowed_hosts=["*"])],
        "cors, hosts": [
            Middleware(CORSMiddleware, allow_origins=["*"]),
            Middleware(TrustedHostMiddleware, allowed_hosts=["*"]),
            Middleware(Around),
        ],
        "gzip": [Middleware(GZipMiddleware), Middleware(Around)],
        "header": [Middleware(Header)],
        "session": [Middleware(SessionMiddleware, secret_key="s"), Middleware(Around)],
        "hosts twice": [
            Middleware(TrustedHostMiddleware, allowed_hosts=["localhost"]),
            Middleware(TrustedHostMiddleware, allowed_hosts=["localhost"]),
            Middleware(CORSMiddleware, allow_origins=["*"]),
            Middleware(Around),
        ],
        "other hosts": [
            Middleware(TrustedHostMiddleware, allowed_hosts=["elsewhere"]),
            Middleware(Around),
        ],
    }
    for name, middle in between.items():
        app = Starlette(
            routes=routes, middleware=[Middleware(Header), *middle], exception_handlers=handlers
        )
        for route in (
            "plain",
            "logged",
            "page",
            "class",
            "fails",
            "breaks",
            "app/",
            "in/logged",
            "none",
        ):
            log.clear()
            scope = dict(path="/" + route)
            if name == "https":
                scope["scheme"] = "https"
            try:
                got = await call(app, **scope)
            except Exception as exc:
                got = [repr(exc)]
            print(name, route, log)
            show(*got)


main(go)
