from drive import *
import asyncio, copy, pickle, io
from unittest import mock


def case_headers():
    out = []

    def R(h, **k):
        return S.Request(
            {
                "type": "http",
                "method": "GET",
                "path": "/p",
                "query_string": b"a=1&a=2",
                "headers": h,
                **k,
            }
        )

    for h in (
        [(b"a", b"1"), (b"A", b"2"), (b"host", b"x")],
        [(b"h\xe9", b"\xff")],
        [[b"list", b"v"]],
        ((b"t", b"v"),),
        iter([(b"host", b"it")]),
        [(b"a", b"1", b"x")],
        [("s", "v")],
        [(b"a", "v")],
        None,
        {b"a": b"b"}.items(),
    ):
        r = attempt(R, h)

        def f(g):
            rr = R(list(h) if hasattr(h, "__next__") else h)
            return [g(rr), norm(rr.scope.get("headers"))]

        for g in (
            lambda r: r.headers["a"],
            lambda r: r.headers.get("A"),
            lambda r: r.headers.get("zz", 5),
            lambda r: "a" in r.headers,
            lambda r: None in r.headers,
            lambda r: r.headers.get(None),
            lambda r: r.headers[b"a"],
            lambda r: r.headers["€"],
            lambda r: r.headers[""],
            lambda r: dict(r.headers),
            lambda r: repr(r.headers),
            lambda r: len(r.headers),
            lambda r: r.headers.getlist("a"),
            lambda r: r.headers == S.datastructures.Headers(raw=r.headers.raw),
            lambda r: S.datastructures.Headers(raw=r.headers.raw) == r.headers,
            lambda r: r.headers.mutablecopy().raw,
            lambda r: r.headers.keys(),
            lambda r: r.headers.get(key="a"),
            lambda r: r.headers is r.headers,
            lambda r: hash(r.headers),
            lambda r: r.headers.get("a", default=3),
            lambda r: type(r.headers).__name__,
            lambda r: pickle.loads(pickle.dumps(r.headers)),
            lambda r: copy.deepcopy(r.headers),
            lambda r: r.headers.raw is r.scope["headers"],
            lambda r: r.headers.items(),
            lambda r: isinstance(r.headers, S.datastructures.Headers),
            lambda r: str(r.url),
            lambda r: str(r.base_url),
            lambda r: r.cookies,
        ):
            out.append(attempt(f, g))
    return out


def case_iter_headers():
    out = []
    for host in (b"ok.io", b"bad host", b"x:99999", b"\xff"):
        for order in ("url", "headers", "base_url"):
            r = S.Request(
                {
                    "type": "http",
                    "method": "GET",
                    "path": "/p",
                    "query_string": b"",
                    "headers": iter([(b"x", b"1"), (b"host", host), (b"y", b"2")]),
                    "server": ("s", 1),
                }
            )
            out.append(
                [attempt(lambda: str(getattr(r, order))), attempt(lambda: list(r.headers.raw))]
            )
    return out


def case_query():
    out = []
    import itertools

    for q in (
        b"",
        b"a",
        b"a=",
        b"=a",
        b"&&",
        b"a=1;b=2",
        b"a=%41%zz%",
        b"a+b=c+d%2B",
        b"\xff=\xfe",
        b"%ff=%C3%A9",
        b"a=1&a=2&b",
        b"a==b",
        b"%",
        b"+",
        b"%u1234",
        b"a%00b=1",
        b"a=\n",
        "str=1",
        None,
        [("a", "b")],
        b"a=%ED%A0%80",
        bytearray(b"a=1"),
    ):
        r = S.Request({"type": "http", "query_string": q, "headers": [], "path": "/"})
        out.append(
            [
                attempt(lambda: repr(r.query_params)),
                attempt(lambda: r.query_params.multi_items()),
                attempt(lambda: str(r.query_params)),
                attempt(lambda: r.query_params is r.query_params),
                attempt(lambda: hash(r.query_params)),
                attempt(lambda: sorted(vars(r.query_params))),
            ]
        )
    return out


def case_request_subclass():
    out = []

    class Own(S.Request):
        @property
        def headers(self):
            return {"own": "1"}

    class Slots(S.Request):
        __slots__ = ("zz",)

    class Cached(S.Request):
        _headers = S.datastructures.Headers({"cls": "1"})
        _query_params = S.datastructures.QueryParams("cls=1")
        _url = "classurl"
        _body = b"classbody"

    class Get(S.Request):
        def __getattr__(self, n):
            return "ga:" + n

    class Mix:
        def __init__(self, scope):
            self.mix = 1
            self.scope = scope

        @property
        def url(self):
            return "mixurl"

    class M1(Mix, S.Request):
        def __init__(self, scope):
            S.Request.__init__(self, scope)
            Mix.__init__(self, scope)

    class M2(S.Request, Mix):
        pass

    class ConnMix(S.requests.HTTPConnection):
        @property
        def headers(self):
            return "connmix"

        def url_for(self, *a, **k):
            return "connmix"

    class M3(S.Request, ConnMix):
        pass

    class Gen(S.Request[dict]):
        pass

    for c in (Own, Slots, Cached, Get, M1, M2, M3, Gen, S.Request[dict], S.Request):

        def f():
            r = c(
                {
                    "type": "http",
                    "method": "GET",
                    "path": "/p",
                    "query_string": b"a=1",
                    "headers": [(b"host", b"h"), (b"cookie", b"a=b")],
                }
            )
            return [
                attempt(lambda: r.headers),
                attempt(lambda: r.url),
                attempt(lambda: r.query_params),
                attempt(lambda: r.base_url),
                attempt(lambda: r.cookies),
                attempt(lambda: asyncio.run(r.body())),
                attempt(lambda: asyncio.run(r.json())),
                attempt(lambda: r.url_for("x")),
                attempt(lambda: r.state),
                attempt(lambda: r == r),
                attempt(lambda: sorted(vars(r))),
                attempt(lambda: r._form),
            ]

        out.append([c.__name__, attempt(f)])
    return out


def case_request_json():
    out = []
    vals = [
        b"",
        b" ",
        b"\xef\xbb\xbf{}",
        b"{}",
        b"[1,2",
        b'{"a":1}x',
        b"NaN",
        b"[NaN,Infinity,-Infinity]",
        b"1e400",
        b"-1e400",
        b"1e-400",
        b"123456789012345678901234567890",
        b"-9223372036854775809",
        b"18446744073709551616",
        b"1" * 4300,
        b"1" * 4301,
        b"1" * 5000,
        b"-0",
        b"-0.0",
        b"0e5",
        b"1E5",
        b"1e+5",
        b"01",
        b"1.",
        b".5",
        b"+1",
        b"-",
        b'"\t"',
        b'"\x7f"',
        b'"\x00"',
        b'"\x1f"',
        b'"\\ud800"',
        b'"\\ud83d\\ude00"',
        b'"\\ud83d\\u0041"',
        b'"\\udc00"',
        b'"\\uD83Dx"',
        b'"\\x"',
        b'"\\/"',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b'"\xc0\x80"',
        b'{"\xff":1}',
        b'{"a":1,"a":2,"b":3,"a":4}',
        b'{"a":1,}',
        b"[1,]",
        b"{'a':1}",
        b"{a:1}",
        b"null",
        b"true",
        b"True",
        b"nul",
        b"\x0c1",
        b"1\x0b",
        b"\xa01",
        "1".encode("utf-16"),
        '{"a":"é"}'.encode("utf-16-le"),
        "[1]".encode("utf-32"),
        '"é"'.encode("latin-1"),
        b"[" * 900 + b"]" * 900,
        b"0.1",
        b"1.7976931348623157e308",
        b"1.7976931348623159e308",
        b"4.9e-324",
        b"2e-324",
        b"0.30000000000000004",
        b"9007199254740993.0",
        b"1e22",
        b"1e23",
        b"8.5e-5",
        b"// c\n1",
        b"1 2",
        b'"a" "b"',
        b"[1][2]",
        b"\x00",
        b"\x00\x00",
        b"1\x00",
        b'{"a" : [ ] }\n\n',
        b'{"\\u0061":1,"a":2}',
        b'"\\u00"',
        b'"\\u00zz"',
        b'"\\u 123"',
        b'"\\u+123"',
        b'"\\u1_23"',
        b"[1e5,1E-5,-1.5e+3]",
        b"1e05",
        b"-01",
        b"--1",
        b"1e",
        b"1e+",
        b"1.e5",
        b'{"a"}',
        b"{:1}",
        b'{"a":}',
        b"[,]",
        b'"',
        b'"abc',
        b"{",
        b'{"a":1',
        b"tru",
        b"[true false]",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xfe\xff\x001",
        b'"' + b"a" * 70000 + b'"',
    ]
    for v in vals:

        async def receive():
            return {"type": "http.request", "body": v}

        r = S.Request(
            {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []},
            receive,
        )
        try:
            x = asyncio.run(r.json())
            out.append(
                [
                    norm(v[:40]),
                    type(x).__name__,
                    norm(x)[:300]
                    if not isinstance(x, int) or isinstance(x, bool) or abs(x) < 10**4000
                    else "bigint",
                ]
            )
        except BaseException as e:
            out.append(
                [
                    norm(v[:40]),
                    exc_of(e),
                    getattr(e, "pos", None),
                    norm(getattr(e, "doc", None))[:50],
                    getattr(e, "lineno", None),
                ]
            )
    return out


def case_state_identity():
    async def ep(request):
        r2 = S.Request(request.scope, request.receive)
        request.state.x = 1
        return S.JSONResponse(
            [
                request.state.x,
                r2.state.x,
                request.url is request.url,
                request.headers is request.headers,
                request.headers.raw is request.scope["headers"],
                request == r2,
                len(set([request, r2])),
                dict(request)["path"],
                "path" in request,
                len(request) == len(request.scope),
                repr(request.client),
                type(request.user).__name__ if "user" in request else None,
                str(request.url_for("ep", a=1)),
            ]
        )

    app = S.Starlette(
        routes=[S.Mount("/m/{b}", routes=[S.Route("/x/{a}", ep)]), S.Route("/{a}", ep)]
    )
    return (
        go(app, "/m/1/x/2", "/5", root_path="")
        + go(app, "/r/m/1/x/2", "/r/5", root_path="/r", headers=[(b"host", b"h\xe9")])
        + go(app, "/5", headers=[])
    )
