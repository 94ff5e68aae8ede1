"""Names of a module replaced by somebody's own: what Starlette makes by them is of that class."""

from drive import *
from unittest import mock

MADE_INSIDE = (
    ("applications", "Router"),
    ("applications", "Middleware"),
    ("routing", "Router"),
    ("routing", "Mount"),
    ("routing", "Host"),
    ("routing", "Route"),
    ("routing", "WebSocketRoute"),
    ("routing", "Request"),
    ("routing", "WebSocket"),
    ("routing", "PlainTextResponse"),
    ("routing", "RedirectResponse"),
    ("routing", "HTTPException"),
    ("routing", "URL"),
    ("endpoints", "Request"),
    ("endpoints", "PlainTextResponse"),
    ("endpoints", "HTTPException"),
    ("middleware.exceptions", "PlainTextResponse"),
    ("middleware.exceptions", "Request"),
    ("middleware.errors", "PlainTextResponse"),
    ("middleware.errors", "HTMLResponse"),
    ("middleware.errors", "Request"),
    ("responses", "Response"),
    ("responses", "PlainTextResponse"),
    ("responses", "JSONResponse"),
    ("responses", "RedirectResponse"),
    ("requests", "Request"),
    ("middleware.base", "_CachedRequest"),
    ("middleware.base", "_StreamingResponse"),
    ("datastructures", "URL"),
)


def replaced(base, made):
    """A class of the same name, which notes that one of its kind is made."""

    def init(self, *args, **kwargs):
        made.append(base.__name__)
        base.__init__(self, *args, **kwargs)

    return type(base)(base.__name__, (base,), {"__init__": init})


def application():
    class Page(S.HTTPEndpoint):
        async def get(self, request):
            return S.PlainTextResponse(type(request).__name__)

    class Text(S.PlainTextResponse):
        pass

    class Json(S.JSONResponse):
        pass

    def page(request):
        response = S.PlainTextResponse(f"{type(request).__name__} {request.url_for('page')}")
        response.set_cookie("a", "b", expires=None)
        return response

    def json(request):
        response = Json([Text("text").body.decode()])
        response.set_cookie("a", "b")
        return response

    async def dispatch(request, call_next):
        return await call_next(request)

    async def gone(request):
        raise S.HTTPException(410, "gone")

    async def fails(request):
        raise ValueError("fails")

    async def socket(websocket):
        await websocket.accept()
        await websocket.send_text(type(websocket).__name__)
        await websocket.close()

    mount = S.Mount("/mount", routes=[S.Route("/page", page)])
    app = S.Starlette(routes=[S.Route("/class", Page), S.Route("/gone", gone), mount])
    app.router.add_route("/added", page, name="page")
    app.router.add_route("/json", json)
    layer = S.Middleware(S.middleware_base.BaseHTTPMiddleware, dispatch=dispatch)
    app.router.routes.append(S.Route("/below/layer", page, middleware=[layer]))
    app.router.add_websocket_route("/socket", socket)
    app.router.add_route("/fails", fails)
    app.router.add_route("/slash/", page)
    app.router.mount("/below", S.Router([S.Route("/page", page)]))
    app.router.host("host.io", S.Router([S.Route("/", page)]))
    return app


ASKED = (
    {"path": "/class"},
    {"path": "/class", "method": "POST"},
    {"path": "/gone"},
    {"path": "/mount/page"},
    {"path": "/mount/none"},
    {"path": "/added"},
    {"path": "/added", "method": "POST"},
    {"path": "/socket", "type": "websocket"},
    {"path": "/fails"},
    {"path": "/slash"},
    {"path": "/below/page"},
    {"path": "/none"},
    {"path": "/json"},
    {"path": "/below/layer"},
    {"path": "/", "headers": ((b"host", b"host.io"),)},
)


def answers(app, made):
    out = []
    for asked in ASKED:
        made.clear()
        out.append([asked["path"], run(drive(app, **asked, with_scope=False)), list(made)])
    return out


def _replace(module_of):
    out = []
    for module_name, name in MADE_INSIDE:
        module, made = module_of(module_name), []
        if not hasattr(module, name):
            continue
        before = application()
        for asked in ASKED:
            run(drive(before, **asked))
        with mock.patch.object(module, name, replaced(getattr(module, name), made)):
            app = application()
            out.append([module_name, name, "built", list(made)])
            out.append(["answers", answers(app, made)])
            out.append(["those of one made before", answers(before, made)])
        out.append(["of one made meanwhile", answers(app, made)])
        out.append(["after", answers(before, made)])
    return out


def case_in_starlettes_modules():
    import importlib

    return _replace(lambda name: importlib.import_module("starlette." + name))


def case_in_the_modules_imported_from():
    return _replace(lambda name: getattr(S, name.replace(".", "_")))


def case_quote_of_redirects():
    app = S.Starlette(routes=[S.Route("/x/", lambda request: S.PlainTextResponse("x"))])
    out = [go(app, "/x")]
    with mock.patch("starlette.responses.quote", lambda text, safe: text.upper()):
        out += [go(app, "/x"), norm(S.RedirectResponse("/a b").raw_headers)]
    return [out, go(app, "/x")]


def case_http_exception_of_the_middleware():
    class Mine(S.HTTPException):
        pass

    async def raises(request):
        raise {"mine": Mine, "other": S.HTTPException}[request.path_params["what"]](404)

    async def not_found(request, exc):
        return S.PlainTextResponse(type(exc).__name__, 404)

    routes = [S.Route("/{what}", raises), S.Route("/a/b", raises, methods=["POST"])]
    apps = [
        S.Starlette(routes=routes),
        S.Starlette(routes=routes, exception_handlers={404: not_found}),
    ]
    paths = ("/mine", "/other", "/a/b", "/none/at/all")
    out = []
    for name in ("starlette.middleware.exceptions", "starlette._exception_handler"):
        out += [go(app, *paths) for app in apps]
        with mock.patch(f"{name}.HTTPException", Mine):
            out += [go(app, *paths) for app in apps]
    return [out, [go(app, *paths) for app in apps]]
