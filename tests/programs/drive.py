"""Applications of stock Starlette and of turbostar, driven by ASGI messages, and what is seen of them.

A case is a function `case_…` that returns what it saw, as data. `S` holds the names under test: Starlette's,
turbostar's, or Starlette's after `turbostar.install()`, as `run.py` chose. It imports no other tests, so
that a case can be copied out with this file alone.
"""

import asyncio
import importlib
import re


class S:
    pass


def load(mode):
    if mode == "installed":
        import turbostar

        turbostar.install()
    pre = "turbostar" if mode == "swapped" else "starlette"
    for m in (
        "applications",
        "routing",
        "requests",
        "responses",
        "endpoints",
        "exceptions",
        "background",
        "websockets",
        "middleware",
        "middleware.base",
        "middleware.exceptions",
        "middleware.errors",
        "datastructures",
        "convertors",
    ):
        mod = importlib.import_module(pre + "." + m)
        setattr(S, m.replace(".", "_"), mod)
    S.Starlette = S.applications.Starlette
    for n in ("Route", "Router", "Mount", "Host", "WebSocketRoute"):
        setattr(S, n, getattr(S.routing, n))
    import starlette.routing

    S.Match = starlette.routing.Match
    S.Request = S.requests.Request
    for n in (
        "Response",
        "JSONResponse",
        "PlainTextResponse",
        "RedirectResponse",
        "StreamingResponse",
        "HTMLResponse",
    ):
        setattr(S, n, getattr(S.responses, n))
    S.HTTPException = S.exceptions.HTTPException
    S.HTTPEndpoint = S.endpoints.HTTPEndpoint
    S.BackgroundTask = S.background.BackgroundTask
    S.Middleware = S.middleware.Middleware
    S.mode = mode


def norm(v):
    s = v if isinstance(v, str) else repr(v)
    s = re.sub(r"0x[0-9a-f]+", "ADDR", s)
    return s.replace("turbostar.", "starlette.")


def exc_of(e, depth=0):
    if e is None or depth > 6:
        return None
    out = [type(e).__name__, norm(str(e))]
    if e.__cause__ is not None:
        out.append({"cause": exc_of(e.__cause__, depth + 1)})
    if e.__context__ is not None and e.__context__ is not e.__cause__:
        out.append({"context": exc_of(e.__context__, depth + 1)})
    if e.__suppress_context__:
        out.append("suppress")
    if isinstance(e, BaseExceptionGroup):
        out.append([exc_of(x, depth + 1) for x in e.exceptions])
    return out


def scope_of(scope, skip=("app", "router", "starlette.exception_handlers")):
    return [[k, norm(v)] if k not in skip else [k] for k, v in scope.items()]


async def drive(
    app,
    path="/",
    method="GET",
    headers=((b"host", b"h.io"),),
    body=b"",
    type="http",
    root_path=None,
    query=b"",
    with_scope=True,
    send_hook=None,
    receive_hook=None,
    scope_hook=None,
    **extra,
):
    scope = {
        "type": type,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "http" if type == "http" else "ws",
        "path": path,
        "raw_path": b"",
        "query_string": query,
        "headers": [tuple(h) for h in headers],
        "server": ("srv", 80),
        "client": ("c", 1),
    }
    if type == "http":
        scope["method"] = method
    if root_path is not None:
        scope["root_path"] = root_path
    scope.update(extra)
    if scope_hook:
        r = scope_hook(scope)
        if r is not None:
            scope = r
    log = []
    q = (
        [{"type": "http.request", "body": body, "more_body": False}]
        if type == "http"
        else [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]
    )

    async def receive():
        if receive_hook:
            return await receive_hook(log)
        if q:
            return q.pop(0)
        return (
            {"type": "http.disconnect"}
            if type == "http"
            else {"type": "websocket.disconnect", "code": 1000}
        )

    async def send(m):
        log.append(norm({k: (bytes(v) if isinstance(v, memoryview) else v) for k, v in m.items()}))
        if send_hook:
            await send_hook(m)

    out = {}
    try:
        await app(scope, receive, send)
    except BaseException as e:
        if isinstance(e, (KeyboardInterrupt, SystemExit)) and not str(e).startswith("case"):
            raise
        out["exc"] = exc_of(e)
    out["log"] = log
    if with_scope:
        out["scope"] = scope_of(scope)
    return out


def run(*coros_or_fn):
    """run a coroutine function result"""
    return asyncio.run(*coros_or_fn)


def go(app, *paths, **kw):
    async def main():
        return [await drive(app, p, **kw) for p in paths]

    return asyncio.run(main())


def attempt(f, *a, **k):
    try:
        return norm(f(*a, **k))
    except BaseException as e:
        return exc_of(e)
