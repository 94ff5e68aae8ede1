"""Routes, mounts, names, default answers and the one coroutine, each without Starlette's own."""

from __future__ import annotations

from typing import Any

from tests.fast_path.case import case
from tests.fast_path.serving import Names, get, websocket

LAYERS = (
    "applications:Starlette.__call__",
    "middleware.errors:ServerErrorMiddleware.__call__",
    "middleware.exceptions:ExceptionMiddleware.__call__",
    "_exception_handler:wrap_app_handling_exceptions",
    "_exception_handler:wrap_app_handling_exceptions.<locals>.wrapped_app",
    "routing:Router.__call__",
    "routing:Router.app",
)
#: From the server to a function that answers.
ENDPOINT = (
    *LAYERS,
    "routing:Route.matches",
    "routing:Route.handle",
    "routing:request_response.<locals>.app",
    "responses:Response.__call__",
)
#: What watches routes for changes; without it each is asked, as it might have changed.
WATCHED = ("routing:Route.__setattr__", "routing:Router.__setattr__")


def echo(names: Names) -> Any:
    """An endpoint that answers with the parameters of the path."""

    async def endpoint(request: Any) -> Any:
        return names.PlainTextResponse(repr(request.path_params))

    return endpoint


def routes(names: Names, count: int, template: str) -> list[Any]:
    endpoint = echo(names)
    return [names.Route(template.format(number), endpoint) for number in range(count)]


@case(ENDPOINT, patterns=0, rows=WATCHED)
def static_route(names: Names) -> Any:
    """A literal path is looked up, and no pattern tried."""
    return names.Starlette(routes=routes(names, 30, "/r{}/all")), [get("/r29/all")]


@case(ENDPOINT, patterns=1, rows=WATCHED)
def dynamic_route_by_prefix(names: Names) -> Any:
    """Of many paths with a parameter, the one that begins alike is tried."""
    app = names.Starlette(routes=routes(names, 30, "/r{}/{{id:int}}"))
    return app, [get("/r29/7")]


@case(ENDPOINT, patterns=1, rows=WATCHED)
def dynamic_route_by_slashes(names: Names) -> Any:
    """Of paths that begin with a parameter, those with as many slashes are tried."""
    endpoint = echo(names)
    paths = ["/{a}" + "/x" * number for number in range(12)]
    app = names.Starlette(routes=[names.Route(path, endpoint) for path in paths])
    return app, [get("/7" + "/x" * 11)]


@case(ENDPOINT, patterns=1, rows=WATCHED)
def several_parameters(names: Names) -> Any:
    """A pattern with two parameters is matched by its regular expression alone."""
    app = names.Starlette(routes=routes(names, 30, "/r{}/{{a}}/{{b:int}}"))
    return app, [get("/r29/x/7")]


@case(ENDPOINT, patterns=0)
def head_request(names: Names) -> Any:
    """HEAD is answered by the same coroutine."""
    app = names.Starlette(routes=routes(names, 3, "/r{}"))
    return app, [get("/r2", method="HEAD")]


MOUNTED = (*ENDPOINT, "routing:Mount.matches", "routing:Mount.handle")


@case(MOUNTED, patterns=0, rows=(*WATCHED, "routing:Mount.__setattr__"))
def mounts_at_literal_paths(names: Names) -> Any:
    """Mounts within mounts are entered without asking any of them."""
    inner = names.Mount("/three", routes=routes(names, 3, "/r{}"))
    app = names.Starlette(
        routes=[
            names.Mount("/one", routes=[names.Mount("/two", routes=[inner])]),
            names.Mount("/other", routes=routes(names, 3, "/r{}")),
        ]
    )
    return app, [get("/one/two/three/r2"), get("/other/r1")]


@case(MOUNTED, patterns=2, rows=("routing:Mount.__setattr__",))
def mount_with_a_parameter(names: Names) -> Any:
    """A mount whose path has a parameter is matched by its pattern alone."""
    mounts = [
        names.Mount(f"/m{number}/{{name}}", routes=routes(names, 3, "/r{}/{{id}}"))
        for number in range(9)
    ]
    return names.Starlette(routes=mounts), [get("/m8/x/r2/1")]


@case(("routing:Router.app", "routing:Route.matches", "routing:Route.handle"), patterns=1)
def router_by_itself(names: Names) -> Any:
    """A router that is an application by itself uses its index."""
    return names.Router(routes=routes(names, 30, "/r{}/{{id}}")), [get("/r29/1")]


@case(
    (
        "middleware.exceptions:ExceptionMiddleware.__call__",
        "_exception_handler:wrap_app_handling_exceptions",
        "routing:Router.app",
        "routing:Route.matches",
        "routing:request_response.<locals>.app",
    )
)
def below_foreign_middleware(names: Names) -> Any:
    """Below a middleware that nobody knows, the rest is answered in one coroutine."""

    class Foreign:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.app(scope, receive, send)

    middleware = [names.Middleware(Foreign)]
    app = names.Starlette(routes=routes(names, 3, "/r{}"), middleware=middleware)
    return app, [get("/r2"), get("/none")]


CLASS = (
    *LAYERS,
    "routing:Route.matches",
    "routing:Route.handle",
    "endpoints:HTTPEndpoint.__init__",
    "endpoints:HTTPEndpoint.__await__",
    "endpoints:HTTPEndpoint.dispatch",
    "responses:Response.__call__",
)


@case(CLASS)
def class_endpoint(names: Names) -> Any:
    """The method of a class endpoint is awaited without Starlette's dispatch."""

    class Endpoint(names.HTTPEndpoint):  # type: ignore[misc, name-defined]
        async def get(self, request: Any) -> Any:
            return names.PlainTextResponse("of a class")

    app = names.Starlette(routes=[names.Route("/", Endpoint)])
    return app, [get("/"), get("/", method="HEAD")]


@case(("endpoints:HTTPEndpoint.dispatch", "endpoints:HTTPEndpoint.__init__"))
def class_endpoint_as_an_application(names: Names) -> Any:
    """A class endpoint that is awaited by somebody else dispatches by our function."""

    class Endpoint(names.HTTPEndpoint):  # type: ignore[misc, name-defined]
        async def get(self, request: Any) -> Any:
            return names.PlainTextResponse("of a class")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await Endpoint(scope, receive, send)

    return app, [get("/"), get("/", method="HEAD")]


SESSION = (
    *LAYERS,
    "routing:WebSocketRoute.matches",
    "routing:WebSocketRoute.handle",
    "routing:websocket_session.<locals>.app",
)


@case(
    [name for name in SESSION if "ServerError" not in name],
    rows=("routing:WebSocketRoute.__setattr__",),
)
def websocket_route(names: Names) -> Any:
    """A websocket is led to its endpoint in one coroutine, too."""

    async def endpoint(socket: Any) -> None:
        await socket.accept()
        await socket.send_text(await socket.receive_text() + repr(socket.path_params))
        await socket.close()

    app = names.Starlette(routes=[names.WebSocketRoute("/ws/{name}", endpoint)])
    return app, [websocket("/ws/x", "hello")]


ERROR = (
    "middleware.exceptions:ExceptionMiddleware.http_exception",
    "_exception_handler:_lookup_exception_handler",
)


@case((*LAYERS, *ERROR, "routing:Route.matches", "routing:Router.not_found"), patterns=0)
def not_found(names: Names) -> Any:
    """A path that no route matches is answered by 404 without an exception."""
    return names.Starlette(routes=routes(names, 30, "/r{}/{{id}}")), [get("/none/at/all")]


@case((*LAYERS, *ERROR, "routing:Route.matches", "routing:Route.handle"), patterns=0)
def method_not_allowed(names: Names) -> Any:
    """Another method than the route's is answered by 405 without an exception."""
    return names.Starlette(routes=routes(names, 30, "/r{}")), [get("/r29", method="PUT")]


@case((*LAYERS, "routing:Route.matches"), patterns=3)
def redirected_slash(names: Names) -> Any:
    """A slash too many is redirected; of many patterns, one is tried each way."""
    return names.Starlette(routes=routes(names, 30, "/r{}/{{id}}")), [get("/r29/7/")]


@case((*ENDPOINT[:-1], *ERROR))
def http_exception(names: Names) -> Any:
    """An HTTPException that an endpoint raises is answered on the spot."""

    async def endpoint(request: Any) -> Any:
        raise names.HTTPException(409, "conflict")

    return names.Starlette(routes=[names.Route("/", endpoint)]), [get("/")]


@case(
    ("routing:Router.url_path_for",),
    at_most={"routing:Route.url_path_for": 1, "routing:Mount.url_path_for": 0},
    rows=("routing:Route.__setattr__", "routing:Mount.__setattr__", "routing:Router.__setattr__"),
)
def name_of_a_route(names: Names) -> Any:
    """Of many routes only the one of that name is asked for its path."""

    async def endpoint(request: Any) -> Any:
        router = request.scope["router"]
        return names.PlainTextResponse(router.url_path_for("r29", id=7))

    app = names.Starlette(
        routes=[
            names.Route("/", endpoint),
            names.Mount("/m", routes=routes(names, 3, "/r{}"), name="m"),
            *(names.Route(f"/r{i}/{{id}}", endpoint, name=f"r{i}") for i in range(30)),
        ]
    )
    return app, [get("/")]


@case(
    ("routing:Router.url_path_for", "routing:WebSocketRoute.url_path_for"),
    at_most={"routing:Host.url_path_for": 0},
    rows=("routing:Host.__setattr__", "routing:WebSocketRoute.__setattr__"),
)
def name_among_hosts_and_websockets(names: Names) -> Any:
    """Neither a host nor a websocket of another name is asked for a path."""

    async def endpoint(request: Any) -> Any:
        return names.PlainTextResponse(request.scope["router"].url_path_for("wanted"))

    async def session(socket: Any) -> None:
        raise AssertionError("nobody connects")

    app = names.Starlette(
        routes=[
            names.WebSocketRoute("/ws", session, name="socket"),
            names.Host("other.example", app=names.Router(), name="host"),
            names.Route("/", endpoint, name="wanted"),
        ]
    )
    return app, [get("/")]
