"""Programs about which route answers, and what it is told."""

from __future__ import annotations

from typing import Any

from tests.defects.program import program
from tests.fast_path.serving import Names, get, websocket


def endpoint_of(names: Names, name: str) -> Any:
    """An endpoint that says who it is, and what it was told."""

    async def endpoint(request: Any) -> Any:
        scope = request.scope
        told = (name, request.path_params, scope["root_path"], scope.get("app_root_path"))
        response = names.PlainTextResponse(f"{told} {request.url} {request.base_url}")
        request.path_params["left"] = "by the one before"
        return response

    return endpoint


def route(names: Names, path: str, name: str = "", **more: Any) -> Any:
    return names.Route(path, endpoint_of(names, name or path), name=name or None, **more)


def each_method(*paths: str) -> list[Any]:
    return [get(path, method=m) for path in paths for m in ("GET", "HEAD", "POST", "PUT", "GET")]


@program
def order_of_routes(names: Names) -> Any:
    """The first that matches fully wins, or else the first that matches but for its method."""
    app = names.Starlette(
        routes=[
            route(names, "/a/{x}", "first", methods=["POST"]),
            route(names, "/a/b", "literal"),
            route(names, "/a/{x:int}", "number"),
            route(names, "/a/{y}", "second", methods=["GET", "PUT"]),
            route(names, "/b", "one", methods=["POST"]),
            route(names, "/b", "two"),
            route(names, "/b/{x}/c", "deep"),
            route(names, "/b/{rest:path}", "rest"),
            route(names, "/{any}/{thing}", "any"),
            route(names, "/c/d", "late"),
            route(names, "/e/{number:int}", "number"),
            route(names, "/{any}/{thing}/{more}", "more"),
            route(names, "/e/f/{number:int}", "number below"),
        ]
    )
    paths = [
        "/a/b",
        "/a/1",
        "/a/z",
        "/b",
        "/b/1/c",
        "/b/1/d",
        "/c/d",
        "/a/b/c",
        "/e/f/g",
        "/e/1",
        "/",
        "/a/b\n",
    ]
    return app, each_method(*paths)


@program
def methods_of_routes(names: Names) -> Any:
    """GET includes HEAD; what is not allowed is told; no methods at all means any."""

    class Endpoint(names.HTTPEndpoint):  # type: ignore[misc, name-defined]
        async def get(self, request: Any) -> Any:
            return names.PlainTextResponse("get")

        def post(self, request: Any) -> Any:
            return names.PlainTextResponse("post")

    async def raw(scope: Any, receive: Any, send: Any) -> None:
        await names.PlainTextResponse("raw")(scope, receive, send)

    class Raw:
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await raw(scope, receive, send)

    app = names.Starlette(
        routes=[
            route(names, "/get"),
            route(names, "/post", methods=["post"]),
            names.Route("/class", Endpoint),
            names.Route("/raw", Raw()),
        ]
    )
    return app, each_method("/get", "/post", "/class", "/raw")


@program
def convertors(names: Names) -> Any:
    """Parameters are converted, each by its own convertor."""
    app = names.Starlette(
        routes=[
            route(names, "/i/{a:int}"),
            route(names, "/f/{a:float}/{b:int}"),
            route(names, "/u/{a:uuid}"),
            route(names, "/p/{a:path}"),
            route(names, "/s/{a}.{b}"),
        ]
    )
    uuid = "12345678-1234-5678-1234-567812345678"
    paths = ["/i/7", "/i/x", "/f/1.5/2", "/f/1/x", f"/u/{uuid}", "/u/1", "/p/a/b/", "/p/", "/s/a.b"]
    return app, [get(path) for path in paths * 2]


def mounted(names: Names) -> Any:
    inner = names.Mount("/two", routes=[route(names, "/x"), route(names, "/{b}/y", "named")])
    return names.Starlette(
        routes=[
            names.Mount("/one", routes=[route(names, "/x"), inner], name="one"),
            names.Mount("/{a}/m", routes=[route(names, "/{b:int}")]),
            names.Mount("/plain", app=endpoint_as_app(names)),
            names.Host("sub.example.org", app=names.Router([route(names, "/host")])),
            route(names, "/{rest:path}", "rest", methods=["PUT"]),
        ]
    )


def endpoint_as_app(names: Names) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        told = [scope[key] for key in ("path", "root_path", "app_root_path", "path_params")]
        await names.PlainTextResponse(repr(told))(scope, receive, send)

    return app


MOUNTED = ["/one/x", "/one/two/x", "/one/two/7/y", "/v/m/7", "/v/m/x", "/plain/z", "/one", "/one/"]


@program
def mounts(names: Names) -> Any:
    """What is below a mount is told of it, as is what is below that."""
    return mounted(names), [get(path) for path in (*MOUNTED, "/host", "/one/two", "/plain") * 2]


@program
def mounts_below_a_root_path(names: Names) -> Any:
    """The server's root path is stripped from paths that begin with it, and from no others."""
    root = (("root_path", "/root"),)
    paths = [prefix + path for path in MOUNTED for prefix in ("/root", "/rootless", "")]
    return mounted(names), [get(path, more=root) for path in paths * 2]


@program
def parameters_from_above(names: Names) -> Any:
    """Parameters that are in the scope already stay, and are not changed in place."""
    above = (("path_params", {"above": 1, "b": "old"}),)
    return mounted(names), [get(path, more=above) for path in MOUNTED * 2]


@program
def subclasses_of_routes(names: Names) -> Any:
    """A subclass that matches or handles in its own way is asked at its place."""

    class Evening(names.Route):  # type: ignore[misc, name-defined]
        def matches(self, scope: Any) -> Any:
            answer, child = super().matches(scope)
            return (type(answer).NONE if scope["query_string"] else answer), child

    class Polite(names.Route):  # type: ignore[misc, name-defined]
        async def handle(self, scope: Any, receive: Any, send: Any) -> None:
            scope["log"].append("polite")
            await super().handle(scope, receive, send)

    app = names.Starlette(
        routes=[
            Evening("/a", endpoint_of(names, "evening")),
            route(names, "/a", "day"),
            Polite("/{p}", endpoint_of(names, "polite")),
        ]
    )
    return app, [get("/a"), get("/a", query=b"x"), get("/p"), get("/p", method="PUT")] * 2


@program
def names_of_routes(names: Names) -> Any:
    """A name leads to the first route that answers to it, whatever has changed."""

    async def endpoint(request: Any) -> Any:
        found = []
        for name, params in (
            ("item", {"id": 7}),
            ("item", {"other": 7}),
            ("one:named", {"b": "z"}),
            ("one", {"path": "/p"}),
            ("late", {}),
            ("none", {}),
        ):
            try:
                found.append(str(request.url_for(name, **params)))
            except Exception as exc:
                found.append(f"{type(exc).__name__} {exc}")
        return names.PlainTextResponse("\n".join(found))

    app = names.Starlette(
        routes=[
            names.Route("/", endpoint),
            names.Mount("/one", routes=[route(names, "/{b}/y", "named")], name="one"),
            route(names, "/other/{other}", "item"),
            route(names, "/items/{id}", "item"),
        ]
    )
    late = route(names, "/late", "late")
    first = route(names, "/first/{id}", "item")
    steps = [*[get("/")] * 3, lambda: app.router.routes.append(late), *[get("/")] * 3]
    steps += [lambda: setattr(late, "name", "none"), get("/"), get("/")]
    return app, [*steps, lambda: app.router.routes.insert(0, first), get("/"), get("/")]


@program
def slashes(names: Names) -> Any:
    """A slash more or less is redirected, where that leads somewhere and it is wanted."""
    routes = [
        route(names, "/a"),
        route(names, "/b/"),
        route(names, "/c/{x}", methods=["PUT"]),
        names.Mount("/m", routes=[route(names, "/n/")]),
    ]
    app = names.Starlette(routes=routes)
    paths = ["/a/", "/b", "/c/x/", "/m", "/m/n", "/a//", "/none/", "/none"]
    asks = [get(path, query=b"q=1") for path in paths]
    without = lambda: setattr(app.router, "redirect_slashes", False)  # noqa: E731
    root = [get("/root" + path, more=(("root_path", "/root"),)) for path in paths]
    return app, [*asks * 2, *root, without, *asks]


@program
def answers_of_ones_own(names: Names) -> Any:
    """A default, and handlers of 404 and 405, take the place of Starlette's answers."""

    async def handler(request: Any, exc: Any) -> Any:
        return names.JSONResponse({"status": exc.status_code, "detail": exc.detail})

    async def default(scope: Any, receive: Any, send: Any) -> None:
        await names.PlainTextResponse("default", 418)(scope, receive, send)

    routes = [route(names, "/a")]
    plain = names.Starlette(routes=routes)
    handled = names.Starlette(routes=routes, exception_handlers={404: handler, 405: handler})
    by_class = names.Starlette(routes=routes, exception_handlers={names.HTTPException: handler})
    own = names.Starlette(routes=routes)
    own.router.default = default
    apps = {b"": plain, b"handled": handled, b"class": by_class, b"own": own}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await apps[scope["query_string"]](scope, receive, send)

    asks = [
        get(path, method=method, query=query)
        for query in apps
        for path, method in (("/a", "PUT"), ("/none", "GET"), ("/a/", "GET"), ("/a", "GET"))
    ]
    return app, asks * 2


@program
def websockets(names: Names) -> Any:
    """Websockets are led to their routes, and to no others."""

    async def session(socket: Any) -> None:
        await socket.accept()
        await socket.send_text(f"{socket.path_params} {await socket.receive_text()}")
        await socket.close()

    async def refusing(socket: Any) -> None:
        raise names.HTTPException(403, "no")

    async def failing(socket: Any) -> None:
        await socket.accept()
        raise LookupError("of a session")

    app = names.Starlette(
        routes=[
            route(names, "/ws/{a}", "http"),
            names.WebSocketRoute("/ws/{a:int}", session),
            names.WebSocketRoute("/refused", refusing),
            names.WebSocketRoute("/failing", failing),
            names.Mount("/m", routes=[names.WebSocketRoute("/ws", session)]),
        ]
    )
    paths = ["/ws/7", "/ws/x", "/refused", "/failing", "/m/ws", "/none"]
    return app, [websocket(path, "hello") for path in paths * 2] + [get("/ws/7"), get("/m/ws")]
