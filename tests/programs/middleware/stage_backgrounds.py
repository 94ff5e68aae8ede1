"""Every one of Starlette's middleware between two or three BaseHTTPMiddleware, with background tasks at each level, drops, and failures."""

from record import *
import itertools


def mk(name, bg=True, drop=False, fail=False):
    async def note():
        log("bg", name)
        if fail:
            raise ValueError(name)

    if drop:

        class X(BaseHTTPMiddleware):
            async def dispatch(self, request, call_next):
                await call_next(request)
                return PlainTextResponse("dropped " * 20, background=BackgroundTask(note))
    elif bg:

        class X(BaseHTTPMiddleware):
            async def dispatch(self, request, call_next):
                response = await call_next(request)
                response.background = BackgroundTask(note)
                return response
    else:

        class X(BaseHTTPMiddleware):
            async def dispatch(self, request, call_next):
                response = await call_next(request)
                response.headers["x-" + name] = "1"
                return response

    return Middleware(X)


def note():
    log("bg endpoint")


async def plain(request):
    return PlainTextResponse("plain" * 20, background=BackgroundTask(note))


async def boom(request):
    raise HTTPException(400)


def helper(r):
    pass


async def detached(request):
    helper(request)
    return PlainTextResponse("plain" * 20, background=BackgroundTask(note))


async def stream(request):
    return StreamingResponse(iter([b"s"]), background=BackgroundTask(note))


kits = {
    "gzip": Middleware(GZipMiddleware, minimum_size=10),
    "cors": Middleware(CORSMiddleware, allow_origins=["*"]),
    "session": Middleware(SessionMiddleware, secret_key="x"),
    "host": Middleware(TrustedHostMiddleware, allowed_hosts=["localhost"]),
    "limit": Middleware(RequestBodyLimitMiddleware, max_body_size=100),
}


async def go():
    for (k1, m1), (k2, m2) in itertools.product(kits.items(), repeat=2):
        if "gzip" in (k1, k2) and os.environ.get("SKIPGZIP"):
            continue
        for a in ("plain", "bg"):
            for b in ("bg", "drop", "fail", "plain"):

                def m(n, kind):
                    return mk(n, bg=kind != "plain", drop=kind == "drop", fail=kind == "fail")

                app = Starlette(
                    routes=[Route("/" + f.__name__, f) for f in (plain, boom, detached, stream)],
                    middleware=[m("a", a), m1, m("b", b), m2, m("c", "plain")],
                )
                for r in app.routes:
                    LOG.clear()
                    out, e = await call(
                        app,
                        path=r.path,
                        headers=[(b"accept-encoding", b"gzip"), (b"origin", b"http://a")],
                        spec="2.4",
                    )
                    print(
                        k1,
                        k2,
                        a,
                        b,
                        r.path,
                        [
                            (x.get("status"), x.get("headers"), x.get("body"), x.get("more_body"))
                            for x in out
                        ],
                        exc(e),
                        [l for l in LOG if l.startswith("bg")],
                    )
    LOG.clear()


main(go)
