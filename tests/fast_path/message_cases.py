"""Requests and responses, each part without Starlette's own function for it."""

from __future__ import annotations

from typing import Any

from tests.fast_path.case import case
from tests.fast_path.serving import Names, get, post


def answering(names: Names, endpoint: Any, method: str = "GET") -> Any:
    """An application with the endpoint at its root."""
    return names.Starlette(routes=[names.Route("/", endpoint, methods=[method], name="root")])


def asked(names: Names, part: Any) -> Any:
    """An application that answers with a part of the request."""

    async def endpoint(request: Any) -> Any:
        return names.PlainTextResponse(repr(part(request)))

    return answering(names, endpoint)


CONTENT = {"name": "value", "numbers": [1, 2.5, None], "deep": {"er": [True, {}]}}


@case(
    (
        "responses:JSONResponse.__init__",
        "responses:JSONResponse.render",
        "responses:Response.init_headers",
        "json:dumps",
    ),
    rows=("responses:JSONResponse.json_default",),
)
def json_response(names: Names) -> Any:
    """A response is encoded by msgspec, with headers made ready."""

    async def endpoint(request: Any) -> Any:
        return names.JSONResponse(CONTENT)

    return answering(names, endpoint), [get("/")]


@case(("responses:JSONResponse.render", "json:dumps"))
def json_response_of_a_subclass(names: Names) -> Any:
    """A subclass that calls `render` gets msgspec's encoding, too."""

    class Wrapped(names.JSONResponse):  # type: ignore[misc, name-defined]
        def render(self, content: Any) -> Any:
            return super().render({"data": content})

    async def endpoint(request: Any) -> Any:
        return Wrapped(CONTENT)

    return answering(names, endpoint), [get("/")]


@case(("requests:Request.json", "requests:Request.body", "requests:Request.stream", "json:loads"))
def json_of_a_request(names: Names) -> Any:
    """A body is taken in one go, and decoded by msgspec."""

    async def endpoint(request: Any) -> Any:
        return names.PlainTextResponse(repr(await request.json()))

    app = answering(names, endpoint, "POST")
    return app, [post("/", b'{"name": ["value", 1, 2.5, null]}')]


@case(("requests:Request.__init__", "requests:HTTPConnection.__init__"))
def request_as_such(names: Names) -> Any:
    """A request is made by one function, by whoever makes it."""
    app = asked(names, lambda request: names.Request(request.scope).method)
    return app, [get("/")]


@case(
    (
        "requests:HTTPConnection.headers",
        "datastructures:Headers.__init__",
        "datastructures:Headers.__getitem__",
    ),
    rows=("requests:Request.headers",),
)
def headers_of_a_request(names: Names) -> Any:
    """Headers are found in the raw list."""
    app = asked(names, lambda request: (request.headers["X-Name"], request.headers.get("no")))
    return app, [get("/", (b"x-name", b"value"))]


@case(
    ("requests:HTTPConnection.query_params", "datastructures:QueryParams.__init__"),
    rows=("requests:Request.query_params",),
)
def query_of_a_request(names: Names) -> Any:
    """The query is parsed in one go."""
    app = asked(names, lambda request: request.query_params.multi_items())
    return app, [get("/", query=b"a=1&b=x+y%20z&a=2&empty=")]


@case(
    ("requests:HTTPConnection.url", "datastructures:URL.__init__"),
    rows=("requests:Request.url",),
)
def url_of_a_request(names: Names) -> Any:
    """The URL is put together without parsing it."""
    return asked(names, lambda request: str(request.url)), [get("/", query=b"a=1")]


@case(
    ("requests:HTTPConnection.base_url", "datastructures:URL.__init__"),
    rows=("requests:Request.base_url",),
)
def base_url_of_a_request(names: Names) -> Any:
    """So is the base URL."""
    return asked(names, lambda request: str(request.base_url)), [get("/")]


@case(
    (
        "requests:HTTPConnection.url_for",
        "datastructures:URLPath.make_absolute_url",
        "datastructures:URL.__init__",
        "datastructures:URL.replace",
    ),
    rows=("requests:Request.url_for",),
)
def url_for_a_name(names: Names) -> Any:
    """And that of a route by its name."""
    return asked(names, lambda request: str(request.url_for("root"))), [get("/")]


@case(
    (
        "responses:PlainTextResponse.__init__",
        "responses:Response.__init__",
        "responses:Response.init_headers",
        "responses:Response.render",
    )[1:],
    rows=("responses:PlainTextResponse.__init__",),
)
def plain_text_response(names: Names) -> Any:
    """Text has headers made ready."""

    async def endpoint(request: Any) -> Any:
        return names.PlainTextResponse("text")

    return answering(names, endpoint), [get("/")]


@case(
    (
        "responses:RedirectResponse.__init__",
        "responses:Response.__init__",
        "responses:Response.init_headers",
        "datastructures:MutableHeaders.__setitem__",
    )
)
def redirect_response(names: Names) -> Any:
    """A redirect is made in one go, and quoted only where it needs it."""

    async def endpoint(request: Any) -> Any:
        return names.RedirectResponse("https://example.org/path?a=1")

    return answering(names, endpoint), [get("/")]


@case(("responses:Response.render", "responses:Response.init_headers"), modes=("install",))
def html_response(names: Names) -> Any:
    """Other responses that Starlette makes have their constants encoded once."""

    async def endpoint(request: Any) -> Any:
        return names.HTMLResponse("<p>text")

    return answering(names, endpoint), [get("/")]


def _with_cookie(names: Names, make: Any) -> Any:
    async def endpoint(request: Any) -> Any:
        response = make()
        response.set_cookie("name", "value", max_age=60, httponly=True)
        return response

    return answering(names, endpoint), [get("/")]


COOKIE = ("responses:Response.set_cookie",)


@case(COOKIE, rows=("responses:JSONResponse.set_cookie",))
def cookie_of_a_json_response(names: Names) -> Any:
    """A cookie like one before is formatted once: for JSON,"""
    return _with_cookie(names, lambda: names.JSONResponse({}))


@case(COOKIE, rows=("responses:PlainTextResponse.set_cookie",))
def cookie_of_a_plain_text_response(names: Names) -> Any:
    """for text,"""
    return _with_cookie(names, lambda: names.PlainTextResponse(""))


@case(COOKIE, rows=("responses:RedirectResponse.set_cookie",))
def cookie_of_a_redirect(names: Names) -> Any:
    """for a redirect,"""
    return _with_cookie(names, lambda: names.RedirectResponse("/"))


@case(COOKIE, modes=("install",))
def cookie_of_a_response(names: Names) -> Any:
    """and for any other."""
    return _with_cookie(names, lambda: names.HTMLResponse(""))


@case(
    (
        "responses:StreamingResponse.__call__",
        "responses:StreamingResponse.stream_response",
        "responses:StreamingResponse.listen_for_disconnect",
    )
)
def streaming_response(names: Names) -> Any:
    """A stream is sent without a task group around it."""

    async def chunks() -> Any:
        for chunk in ("one", b"two", "three"):
            yield chunk

    async def endpoint(request: Any) -> Any:
        return names.StreamingResponse(chunks(), media_type="text/plain")

    return answering(names, endpoint), [get("/")]
