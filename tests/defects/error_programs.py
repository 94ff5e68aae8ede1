"""Programs about exceptions, what follows an answer, and what patches Starlette."""

from __future__ import annotations

from typing import Any

from tests.defects.answer_programs import serving
from tests.defects.program import program
from tests.fast_path.serving import Names, get


@program
def background_tasks(names: Names) -> Any:
    """What follows a response runs once, after it was sent, whatever made the response."""

    def answer(request: Any) -> Any:
        async def after(what: str) -> None:
            request.scope["log"].append(what)
            if what == "failing":
                raise LookupError(what)

        kind, _, what = request.url.query.partition("-")
        task = names.BackgroundTask(after, what)

        def chunks() -> Any:
            yield "one"
            yield b"two"

        made = {
            "text": lambda: names.PlainTextResponse("text", background=task),
            "json": lambda: names.JSONResponse({}, background=task),
            "stream": lambda: names.StreamingResponse(chunks(), background=task),
            "redirect": lambda: names.RedirectResponse("/", background=task),
        }
        return made[kind]()

    kinds = ("text", "json", "stream", "redirect")
    queries = [f"{kind}-{what}".encode() for kind in kinds for what in ("works", "failing")]
    fails = [get("/", query=b"text-works", fails_at=number) for number in (0, 1)]
    return serving(names, answer), [*(get("/", query=query) for query in queries * 2), *fails]


@program
def exceptions(names: Names) -> Any:
    """Each exception meets its handler, or the outermost answer; and is raised in the end."""

    class Base(Exception):
        pass

    class Derived(Base):
        pass

    async def by_class(request: Any, exc: Exception) -> Any:
        request.scope["log"].append(f"handler {type(request).__name__}")
        return names.PlainTextResponse(f"by class {exc!r}", 400)

    def by_status(request: Any, exc: Any) -> Any:
        return names.PlainTextResponse(f"by status {exc.detail}", exc.status_code)

    async def starts_and_fails(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise Derived("late")

    def answer(request: Any) -> Any:
        kind = request.url.query
        errors = {
            "base": Base("b"),
            "derived": Derived("d"),
            "409": names.HTTPException(409, "conflict"),
            "headers": names.HTTPException(401, headers={"www-authenticate": "x"}),
            "204": names.HTTPException(204),
            "418": names.HTTPException(418, "tea"),
            "other": LookupError("nobody's"),
        }
        if kind == "late":
            return starts_and_fails
        raise errors[kind]

    app = serving(names, answer, exception_handlers={Base: by_class, 418: by_status})
    kinds = (b"base", b"derived", b"409", b"headers", b"204", b"418", b"other", b"late")
    fails = [get("/", query=b"409", fails_at=number) for number in (0, 1)]
    return app, [*(get("/", query=kind) for kind in kinds * 2), *fails]


@program
def handlers_that_are_changed(names: Names) -> Any:
    """Handlers that are put in the place of others serve the next request."""

    async def handler(request: Any, exc: Any) -> Any:
        return names.PlainTextResponse("changed", 400)

    def answer(request: Any) -> Any:
        raise names.HTTPException(409, "conflict")

    app = serving(names, answer)

    def change() -> None:
        app.middleware_stack.app.add_exception_handler(409, handler)

    return app, [get("/")] * 3 + [change] + [get("/")] * 2


@program
def patched_starlette(names: Names) -> Any:
    """A function of Starlette's that is replaced is called from the next request on."""
    import starlette.routing
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    log: list[str] = []

    async def endpoint(request: Any) -> Any:
        request.scope["log"].extend(log)
        log.clear()
        return names.PlainTextResponse("text", background=names.BackgroundTask(after, request))

    async def after(request: Any) -> None:
        request.scope["log"].extend(log)
        log.clear()

    app = names.Starlette(routes=[names.Route("/a", endpoint), names.Route("/{b}", endpoint)])
    kept: list[tuple[Any, str, Any]] = []

    def patch(owner: Any, name: str, label: str) -> Any:
        def apply() -> None:
            original = getattr(owner, name)
            kept.append((owner, name, original))

            def patched(*args: Any, **kwargs: Any) -> Any:
                log.append(label)
                return original(*args, **kwargs)

            setattr(owner, name, patched)

        return apply

    def restore() -> None:
        while kept:
            setattr(*kept.pop())

    asks = [get("/a"), get("/x"), get("/a", method="PUT")]
    steps: list[Any] = asks * 3
    for owner, name in (
        (Route, "matches"),
        (Route, "handle"),
        (Response, "__call__"),
        (Request, "__init__"),
        (starlette.routing, "get_route_path"),
    ):
        steps += [patch(owner, name, f"{name} was called"), *asks, *asks, restore, *asks * 2]
    return app, steps
