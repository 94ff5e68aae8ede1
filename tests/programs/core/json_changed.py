"""What people change in `json`, and how it shows in what a response and a request make of it."""

from drive import *
import json
import json.decoder
import json.encoder
from unittest import mock

CONTENT = {"b": [1, 2.5, None, True], "a": 'é"\u2028', "z": {"y": 1, "x": [[], {}]}}
SENT = b'{"b": [1, 2.5, null], "a": "\\u00e9", "big": 1e400, "a": 2}'


async def answer(request):
    given = await request.json()
    return S.JSONResponse({"content": CONTENT, "given": given == 1 or repr(given)})


def seen():
    made = attempt(lambda: S.JSONResponse(CONTENT).body)
    app = S.Starlette(routes=[S.Route("/x", answer, methods=["POST"])])
    return [made, go(app, "/x", method="POST", body=SENT, with_scope=False)]


def during(owner, name, value, **options):
    before = seen()
    with mock.patch.object(owner, name, value, **options):
        within = seen()
    return [before == seen(), within]


def case_encoder_init_sorts_keys():
    init = json.JSONEncoder.__init__

    def sorts(self, *args, **kwargs):
        init(self, *args, **{**kwargs, "sort_keys": True})

    return during(json.JSONEncoder, "__init__", sorts)


def case_encoder_init_defaults():
    init = json.JSONEncoder.__init__

    def indents(self, *args, **kwargs):
        init(self, *args, **{**kwargs, "indent": 1})

    return during(json.JSONEncoder, "__init__", indents)


def case_c_make_encoder_wrapped():
    make, calls = json.encoder.c_make_encoder, []

    def counted(*args):
        calls.append(len(args))
        return make(*args)

    return [during(json.encoder, "c_make_encoder", counted), calls != []]


def case_c_make_encoder_gone_and_strings_quoted_otherwise():
    with mock.patch.object(json.encoder, "encode_basestring", lambda text: f"<{text}>"):
        return during(json.encoder, "c_make_encoder", None)


def case_encode_basestring():
    return during(json.encoder, "encode_basestring", lambda text: '"-"')


def case_make_iterencode():
    make = json.encoder._make_iterencode

    def shouting(*args, **kwargs):
        inner = make(*args, **kwargs)
        return lambda value, depth: [part.upper() for part in inner(value, depth)]

    with mock.patch.object(json.encoder, "c_make_encoder", None):
        return during(json.encoder, "_make_iterencode", shouting)


def case_iterencode_of_encoder():
    return during(json.JSONEncoder, "iterencode", lambda self, value, _one_shot=False: ["[", "]"])


def case_encode_of_encoder():
    return during(json.JSONEncoder, "encode", lambda self, value: "{}")


def case_another_encoder():
    class Sorted(json.JSONEncoder):
        def __init__(self, **kwargs):
            super().__init__(**{**kwargs, "sort_keys": True})

    return during(json, "JSONEncoder", Sorted)


def case_default_decoder():
    return during(json, "_default_decoder", json.JSONDecoder(parse_float=str))


def case_default_decoder_decode():
    decode = json._default_decoder.decode
    return during(
        json._default_decoder, "decode", lambda text: ["decoded", decode(text)], create=True
    )


def case_default_decoder_raw_decode():
    raw = json._default_decoder.raw_decode
    return during(
        json._default_decoder,
        "raw_decode",
        lambda text, idx=0: (["raw", raw(text, idx)[0]], len(text)),
        create=True,
    )


def case_decoder_raw_decode():
    return during(json.JSONDecoder, "raw_decode", lambda self, text, idx=0: ("raw", len(text)))


def case_detect_encoding():
    return during(json, "detect_encoding", lambda body: "latin-1")


def case_scan_once():
    scan = json._default_decoder.scan_once
    return during(
        json._default_decoder,
        "scan_once",
        lambda text, at: (["scan", scan(text, at)[0]], len(text)),
    )


def case_whitespace():
    import re

    pattern = json.decoder.WHITESPACE
    return [pattern is json.decoder.WHITESPACE, during(json.decoder, "WHITESPACE", re.compile("x"))]


def case_loads_partial():
    import decimal
    import functools

    return during(json, "loads", functools.partial(json.loads, parse_float=decimal.Decimal))


def case_module_of_responses():
    import starlette.responses

    class Other:
        @staticmethod
        def dumps(value, **options):
            return repr(sorted(options))

    return during(starlette.responses, "json", Other)


def case_module_of_requests():
    import starlette.requests

    class Other:
        @staticmethod
        def loads(body):
            return ["other", len(body)]

    return during(starlette.requests, "json", Other)


def case_subclass_with_cls():
    class Encoder(json.JSONEncoder):
        def default(self, value):
            return f"<{type(value).__name__}>"

    class Mine(S.JSONResponse):
        def render(self, content):
            return json.dumps(content, cls=Encoder, indent=None).encode("utf-8")

    return [attempt(lambda: Mine({"a": {1}, "b": 1j}).body), Mine([1]).headers.items()]


def case_subclass_calls_super():
    class Mine(S.JSONResponse):
        media_type = "application/vnd.api+json"
        charset = "latin-1"

        def render(self, content):
            return super().render({"data": content})

    made = Mine(CONTENT, status_code=201, headers={"x": "y"})
    return [made.body, made.raw_headers, made.status_code, made.media_type]


def case_media_type_of_an_instance():
    made = S.JSONResponse(CONTENT, media_type="text/json")
    again = S.JSONResponse(CONTENT)
    return [made.raw_headers, again.raw_headers, sorted(map(str, vars(made)))]


def case_json_of_a_request_twice():
    async def twice(request):
        first = await request.json()
        first["added"] = 1
        request._body = b"[]"
        return S.JSONResponse(
            [first is await request.json(), sorted(first), len(await request.body())]
        )

    app = S.Starlette(routes=[S.Route("/x", twice, methods=["POST"])])
    return go(app, "/x", method="POST", body=b'{"a": 1}')


def case_json_that_is_none():
    async def again(request):
        told = [await request.json()]
        request._body = b"2"
        return S.JSONResponse([*told, await request.json()])

    app = S.Starlette(routes=[S.Route("/x", again, methods=["POST"])])
    return go(app, "/x", method="POST", body=b"null")


def case_numbers_as_keys_and_order():
    content = {1: "a", "1": "b", None: 0, True: 1, "z": 1, "y": 2}
    return attempt(lambda: S.JSONResponse(content).body)
