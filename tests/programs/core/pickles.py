"""Routers, mounts, applications and middleware through cloudpickle and dill, which take functions by value."""

from drive import *
import importlib
import json
import pickle
import subprocess
import sys
import types
from pathlib import Path

import cloudpickle
import dill

PACKAGE = S.applications.__name__.partition(".")[0]
BaseHTTPMiddleware = S.middleware_base.BaseHTTPMiddleware
CORSMiddleware = importlib.import_module(f"{PACKAGE}.middleware.cors").CORSMiddleware
GZipMiddleware = importlib.import_module(f"{PACKAGE}.middleware.gzip").GZipMiddleware

PICKLERS = (("cloudpickle", cloudpickle), ("dill", dill))
HEADERS = ((b"host", b"h.io"), (b"origin", b"http://o.io"), (b"accept-encoding", b"gzip"))


def endpoint(name, answer):
    """A function of nobody's module: it holds what it answers with in its closure."""

    async def closure(request):
        return answer(f"{name} {dict(request.path_params)}")

    closure.__name__ = name
    return closure


def sync(name, answer):
    def closure(request):
        return answer(f"{name} in a thread")

    return closure


def routes():
    text = S.PlainTextResponse
    inner = [S.Route("/{n:int}", endpoint("n", text)), S.Route("/sync", sync("s", text))]
    return [
        S.Route("/x", endpoint("x", text), methods=["GET"]),
        S.Mount("/m", routes=inner, name="m"),
        S.Mount("/r", app=S.Router([S.Route("/y", endpoint("y", text))])),
    ]


PATHS = ("/x", "/m/1", "/m/sync", "/r/y", "/m/none", "/none", "/x/")


def often(app, *paths, **kw):
    """What is answered once all is compiled that will be, without what a scope holds."""
    for _ in range(2):
        go(app, *paths, with_scope=False, **kw)
    return go(app, *paths, with_scope=False, **kw)


def through_each(make, use):
    """Pickle a thing before and after its first requests, and use what comes out of it."""
    out = []
    for name, pickler in PICKLERS:
        for warm in (False, True):
            thing = make()
            if warm:
                often(served(thing), *PATHS)

            def through():
                other = pickler.loads(pickler.dumps(thing))
                return [type(other).__name__, use(other), use(pickler.loads(pickler.dumps(other)))]

            out.append([name, warm, attempt(through), often(served(thing), *PATHS)])
    return out


def served(thing):
    """The thing where it can be called, else an application of which it is the route."""
    return S.Starlette(routes=[thing]) if isinstance(thing, (S.Route, S.Mount)) else thing


def ask(thing):
    return often(served(thing), *PATHS)


def ask_and_change(router):
    """The copy goes its own way."""
    out = ask(router)
    listed = router.routes
    listed.append(S.Route("/new", endpoint("new", S.PlainTextResponse)))
    listed[1].app.routes.insert(0, S.Route("/1", endpoint("one", S.PlainTextResponse)))
    out += often(router, "/new", "/m/1")
    del listed[0]
    return out + often(router, "/x", "/new")


def case_routers():
    return through_each(lambda: S.Router(routes()), ask_and_change)


def case_routes():
    return through_each(lambda: routes()[0], ask)


def case_mounts():
    return through_each(lambda: routes()[1], ask)


def stateless(app):
    """An application whose state can be pickled: Starlette's own ends in a recursion."""
    app.state = types.SimpleNamespace(kept=1)
    return app


def case_applications():
    return through_each(lambda: stateless(S.Starlette(routes=routes())), ask_and_change)


def case_applications_with_state():
    return through_each(lambda: S.Starlette(routes=routes()), ask_and_change)


def case_applications_of_everything():
    """With middleware of each kind and handlers of exceptions."""

    class Refused(Exception):
        pass

    async def refuse(request):
        raise Refused("no")

    async def crash(request):
        raise RuntimeError("crash")

    async def refused(request, exc):
        return S.PlainTextResponse(str(exc), status_code=403)

    async def stamp(request, call_next):
        response = await call_next(request)
        response.headers["x-stamp"] = "1"
        return response

    def make():
        more = [S.Route("/refuse", refuse), S.Route("/crash", crash)]
        app = S.Starlette(
            routes=[*routes(), *more],
            middleware=[
                S.Middleware(BaseHTTPMiddleware, dispatch=stamp),
                S.Middleware(CORSMiddleware, allow_origins=["http://o.io"]),
            ],
            exception_handlers={Refused: refused},
        )
        return stateless(app)

    def use(app):
        out = often(app, *PATHS, "/refuse", "/crash", headers=HEADERS)
        app.router.routes.append(S.Route("/new", endpoint("new", S.PlainTextResponse)))
        return out + often(app, "/new", headers=HEADERS)

    return through_each(make, use)


def case_middleware():
    """Around a router: the stack itself is what is pickled."""

    async def stamp(request, call_next):
        response = await call_next(request)
        response.headers["x-stamp"] = "1"
        return response

    def make():
        stack = CORSMiddleware(S.Router(routes()), allow_origins=["http://o.io"])
        return BaseHTTPMiddleware(GZipMiddleware(stack, minimum_size=1), dispatch=stamp)

    def use(stack):
        out = often(stack, *PATHS, headers=HEADERS)
        stack.app.minimum_size = 10_000
        stack.app.app.allow_origins = ()
        return out + often(stack, "/x", headers=HEADERS)

    return through_each(make, use)


def case_classes_by_value():
    """Subclasses that a function has made: they belong to no module, so they are taken by value."""

    class Own(S.Starlette):
        async def __call__(self, scope, receive, send):
            scope["state"] = {"own": 1}
            await super().__call__(scope, receive, send)

    class Kept(S.Route):
        def matches(self, scope):
            match, child = super().matches(scope)
            return match, {**child, "kept": 1}

    class Page(S.HTTPEndpoint):
        async def get(self, request):
            return S.PlainTextResponse(f"page {request.scope.get('kept')}")

    def make():
        listed = [Kept("/x", Page), Kept("/m/1", endpoint("m", S.PlainTextResponse))]
        return stateless(Own(routes=listed))

    return through_each(make, ask)


ELSEWHERE = """
import json, pickle, sys
sys.path.insert(0, sys.argv[1])
import drive
drive.load(sys.argv[2])
import cloudpickle, dill
found = []
for pickler, packed in pickle.load(sys.stdin.buffer):
    thing = {"cloudpickle": cloudpickle, "dill": dill}[pickler].loads(packed)
    for _ in range(3):
        answers = drive.go(thing, *sys.argv[3:], with_scope=False)
    found.append(answers)
print(json.dumps(found, default=drive.norm))
"""


def case_in_another_process():
    """Loaded by a process that has not made it: a worker which is sent its application."""

    async def stamp(request, call_next):
        response = await call_next(request)
        response.headers["x-stamp"] = "1"
        return response

    packed = []
    for name, pickler in PICKLERS:
        for warm in (False, True):
            middleware = [S.Middleware(BaseHTTPMiddleware, dispatch=stamp)]
            app = stateless(S.Starlette(routes=routes(), middleware=middleware))
            router = S.Router(routes())
            if warm:
                often(app, *PATHS)
                often(router, *PATHS)
            # dill: only the globals that a function uses, for this file is no module over there
            how = {"recurse": True} if pickler is dill else {}
            packed += [(name, pickler.dumps(thing, **how)) for thing in (app, router)]
    here = str(Path(sys.modules["drive"].__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, here, S.mode, *PATHS],
        input=pickle.dumps(packed),
        capture_output=True,
    )
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.decode()[-900:]
