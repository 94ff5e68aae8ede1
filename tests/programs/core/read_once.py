"""Attributes that a subclass computes: each is read as often as on Starlette, and no other is."""

from drive import *
import importlib
import itertools


def text(said):
    async def endpoint(request):
        return S.PlainTextResponse(said)

    return endpoint


def answers(app, *paths, **kw):
    return [[r["log"], r.get("exc")] for r in go(app, *paths, **kw)]


def turning(base, name, values):
    """A subclass with a property that is another of the values each time it is read."""
    turn = itertools.cycle(values)

    def skip(self, value):
        pass

    return type("Turning", (base,), {name: property(lambda self: next(turn), skip)})


def layer(module, name):
    package = "turbostar" if S.mode == "swapped" else "starlette"
    return getattr(importlib.import_module(f"{package}.middleware.{module}"), name)


def applications():
    return [S.Starlette(routes=[S.Route("/", text(said))]) for said in "abc"]


LAYERS = {
    "gzip": ("GZipMiddleware", {}),
    "cors": ("CORSMiddleware", {"allow_origins": ["*"]}),
    "sessions": ("SessionMiddleware", {"secret_key": "s"}),
    "trustedhost": ("TrustedHostMiddleware", {"allowed_hosts": ["h.io"]}),
    "body_limit": ("RequestBodyLimitMiddleware", {"max_body_size": 9}),
    "exceptions": ("ExceptionMiddleware", {}),
    "errors": ("ServerErrorMiddleware", {}),
    "httpsredirect": ("HTTPSRedirectMiddleware", {}),
}


def case_app_of_middleware():
    out = []
    for module, (name, given) in LAYERS.items():
        cls = turning(layer(module, name), "app", applications())
        headers = ((b"host", b"h.io"), (b"origin", b"http://o.io"))
        asked = answers(cls(None, **given), *"/////", headers=headers, scheme="https")
        out.append([module, asked])
    return out


def case_size_of_body_limit():
    cls = turning(layer("body_limit", "RequestBodyLimitMiddleware"), "max_body_size", [9, 1, 5])

    async def endpoint(request):
        return S.PlainTextResponse(await request.body())

    app = cls(S.Starlette(routes=[S.Route("/", endpoint, methods=["POST"])]), max_body_size=9)
    return answers(app, *"/////", method="POST", body=b"body")
