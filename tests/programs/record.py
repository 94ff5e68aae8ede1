"""The names under test, by the variable MODE (stock, swap, install), and a record of one request, printed."""

import os, sys, importlib, asyncio, warnings

warnings.simplefilter("ignore", DeprecationWarning)
MODE = os.environ.get("MODE", "stock")
if MODE == "install":
    import turbostar

    turbostar.install()
P = "turbostar" if MODE == "swap" else "starlette"
if MODE == "swap":
    import turbostar


def I(m):
    return importlib.import_module(f"{P}.{m}")


Starlette = I("applications").Starlette
_r = I("routing")
Route, Mount, Router, Host, WebSocketRoute, request_response = (
    _r.Route,
    _r.Mount,
    _r.Router,
    _r.Host,
    _r.WebSocketRoute,
    _r.request_response,
)
_p = I("responses")
(
    Response,
    PlainTextResponse,
    JSONResponse,
    HTMLResponse,
    StreamingResponse,
    FileResponse,
    RedirectResponse,
) = (
    _p.Response,
    _p.PlainTextResponse,
    _p.JSONResponse,
    _p.HTMLResponse,
    _p.StreamingResponse,
    _p.FileResponse,
    _p.RedirectResponse,
)
_q = I("requests")
Request, ClientDisconnect = _q.Request, _q.ClientDisconnect
Middleware = I("middleware").Middleware
BaseHTTPMiddleware = I("middleware.base").BaseHTTPMiddleware
CORSMiddleware = I("middleware.cors").CORSMiddleware
GZipMiddleware = I("middleware.gzip").GZipMiddleware
SessionMiddleware = I("middleware.sessions").SessionMiddleware
TrustedHostMiddleware = I("middleware.trustedhost").TrustedHostMiddleware
HTTPSRedirectMiddleware = I("middleware.httpsredirect").HTTPSRedirectMiddleware
RequestBodyLimitMiddleware = I("middleware.body_limit").RequestBodyLimitMiddleware
AuthenticationMiddleware = I("middleware.authentication").AuthenticationMiddleware
_b = I("background")
BackgroundTask, BackgroundTasks = _b.BackgroundTask, _b.BackgroundTasks
_e = I("exceptions")
HTTPException = _e.HTTPException
_ep = I("endpoints")
HTTPEndpoint = _ep.HTTPEndpoint


def scope(path="/", method="GET", headers=(), **kw):
    spec = kw.pop("spec", "2.3")
    s = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": spec},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers],
        "client": ("1.2.3.4", 5),
        "server": ("localhost", 80),
        "state": {},
        "extensions": {},
    }
    s.update(kw)
    return s


LOG = []


def log(*a):
    LOG.append(" ".join(map(str, a)))


def exc(e, depth=4):
    if e is None or depth == 0:
        return None
    d = f"{type(e).__name__}({str(e)!r})"
    if isinstance(e, BaseExceptionGroup):
        d += "[" + ", ".join(str(exc(x, depth - 1)) for x in e.exceptions) + "]"
    return d


async def call(app, s=None, body=(b"",), hang=True, sends=None, on_send=None, timeout=5, **kw):
    """Drive one request: returns (status, headers, body, messages, exception)."""
    s = scope(**kw) if s is None else s
    msgs = [
        {"type": "http.request", "body": b, "more_body": i < len(body) - 1}
        for i, b in enumerate(body)
    ]
    out = []
    done = asyncio.Event()

    async def receive():
        if msgs:
            return msgs.pop(0)
        if hang:
            await done.wait()
        return {"type": "http.disconnect"}

    async def send(m):
        log("send", m["type"], m.get("status", ""), m.get("more_body", ""))
        c = dict(m)
        if "headers" in c:
            c["headers"] = [tuple(map(bytes, h)) for h in c["headers"]]
        if isinstance(c.get("body"), memoryview):
            c["body"] = bytes(c["body"])
        out.append(c)
        if on_send:
            r = on_send(m)
            if r is not None:
                await r

    e = None
    try:
        await app(s, receive, send)
    except BaseException as x:
        e = x
    done.set()
    return out, e


def show(out, e):
    for m in out:
        print("  ", {k: v for k, v in m.items()})
    if e is not None:
        print("   raised", exc(e), "cause", exc(e.__cause__), "suppress", e.__suppress_context__)


def main(coro_fn):
    r = asyncio.run(coro_fn())
    for l in LOG:
        print("log:", l)
    return r
