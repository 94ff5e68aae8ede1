"""What classes are to `isinstance`, to metaclasses, to copies and to matching."""

from drive import *
import abc
import copy
import enum
import pickle
import typing
import starlette.requests
import starlette.responses
import starlette.routing

SCOPE = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}


def case_what_starlette_makes_is_ours():
    made = [
        (starlette.requests.Request(dict(SCOPE)), S.Request),
        (starlette.responses.JSONResponse(1), S.JSONResponse),
        (starlette.responses.PlainTextResponse(""), S.PlainTextResponse),
        (starlette.routing.Route("/", print), S.Route),
        (starlette.routing.Router(), S.Router),
    ]
    return [[isinstance(one, cls), issubclass(type(one), cls)] for one, cls in made]


def case_classes_of_users_stay_apart():
    class Mine(S.JSONResponse):
        pass

    class Other(S.JSONResponse):
        pass

    class Theirs(starlette.responses.JSONResponse):
        pass

    told = [
        isinstance(S.JSONResponse(1), Mine),
        isinstance(Mine(1), Other),
        isinstance(Mine(1), Mine),
    ]
    told += [
        isinstance(Theirs(1), Mine),
        isinstance(Theirs(1), S.JSONResponse),
        issubclass(Mine, Other),
    ]
    told += [isinstance(S.PlainTextResponse(""), S.JSONResponse), isinstance(1, S.JSONResponse)]
    return [*told, isinstance(S.JSONResponse(1), starlette.responses.Response)]


def case_abstract_base_beside():
    class Renders(abc.ABC):
        @abc.abstractmethod
        def render(self, content): ...

        @abc.abstractmethod
        def more(self): ...

    class Mine(Renders, S.JSONResponse):
        def render(self, content):
            return S.JSONResponse.render(self, content)

    class Whole(Mine):
        def more(self):
            return 1

    Renders.register(S.PlainTextResponse)
    told = [attempt(lambda: Mine(1)), Whole([1]).body, isinstance(Whole(1), Renders)]
    return [
        *told,
        isinstance(S.PlainTextResponse(""), Renders),
        isinstance(S.JSONResponse(1), Renders),
    ]


def case_registered_below_a_user_class():
    class Mine(S.Request):
        pass

    class Wrapper:
        def __init__(self, request):
            self._request = request

        @property
        def __class__(self):
            return type(self._request)

    wrapped = Wrapper(S.Request(dict(SCOPE)))
    return [
        isinstance(wrapped, S.Request),
        isinstance(wrapped, Mine),
        isinstance(Wrapper(Mine(dict(SCOPE))), Mine),
    ]


def case_protocol_beside():
    @typing.runtime_checkable
    class HasStatus(typing.Protocol):
        status_code: int

    class Mine(S.JSONResponse, HasStatus):
        pass

    return [
        isinstance(Mine(1), HasStatus),
        isinstance(S.PlainTextResponse(""), HasStatus),
        Mine(1).body,
    ]


def case_generic_of_a_subclass():
    T = typing.TypeVar("T")

    class Typed(S.JSONResponse, typing.Generic[T]):
        def __init__(self, content: T):
            super().__init__(content)

    return [
        Typed[int](3).body,
        isinstance(Typed(3), S.JSONResponse),
        str(Typed[int]).split(".")[-1],
    ]


def case_request_subscripted():
    class State(typing.TypedDict):
        a: int

    return [str(S.Request[State]).split(".")[-2:], typing.get_origin(S.Request[State]) is S.Request]


def case_own_metaclass():
    class Meta(type):
        made = []

        def __new__(mcs, name, bases, namespace, **options):
            mcs.made.append(name)
            return super().__new__(mcs, name, bases, namespace)

    return attempt(lambda: Meta("Mine", (S.Response,), {}).__name__)


def case_init_subclass():
    seen = []

    class Base(S.HTTPEndpoint):
        def __init_subclass__(cls, tag=None, **kwargs):
            seen.append((cls.__name__, tag))
            super().__init_subclass__(**kwargs)

    class Mine(Base, tag="a"):
        pass

    return seen


def case_match_statement():
    def kind(value):
        match value:
            case S.JSONResponse(status_code=201):
                return "created"
            case S.JSONResponse() | S.PlainTextResponse():
                return "response"
            case S.Request(method="GET"):
                return "get"
            case S.Mount(path="/a") | S.Route(path="/a"):
                return "a"
            case _:
                return "?"

    values = [starlette.responses.JSONResponse(1, 201), S.JSONResponse(1), S.Request(dict(SCOPE))]
    values += [starlette.requests.Request(dict(SCOPE)), starlette.routing.Mount("/a", routes=[])]
    return [kind(value) for value in [*values, S.Response(), 1, S.Route("/a", print)]]


def case_copies():
    made = S.JSONResponse({"a": 1}, 201, {"x": "y"})
    other, deep = copy.copy(made), copy.deepcopy(made)
    again = pickle.loads(pickle.dumps(made))
    return [
        (one.body, one.raw_headers, type(one) is type(made), one.status_code)
        for one in (other, deep, again)
    ]


def case_without_init():
    class Bare(S.Request):
        def __init__(self):
            self.scope = {
                **SCOPE,
                "headers": [(b"a", b"b")],
                "query_string": b"q=1",
                "server": ("h", 80),
            }

    bare = Bare()
    told = [
        bare.headers["a"],
        bare.query_params["q"],
        str(bare.url),
        attempt(lambda: str(bare.base_url)),
    ]
    return [
        *told,
        attempt(lambda: asyncio.run(bare.body())),
        attempt(lambda: asyncio.run(bare.json())),
    ]


def case_attributes_set_by_hand():
    request = S.Request({**SCOPE, "headers": [(b"a", b"b")], "server": ("h", 80)})
    from starlette.datastructures import URL, Headers, QueryParams

    request._headers = Headers({"own": "1"})
    request._query_params = QueryParams("own=2")
    request._url = URL("http://own/")
    request._base_url = URL("http://base/")
    request._body = b'{"own": 3}'
    told = [
        dict(request.headers),
        str(request.query_params),
        str(request.url),
        str(request.base_url),
    ]
    return [*told, attempt(lambda: asyncio.run(request.json()))]


def case_scope_replaced():
    request = S.Request({**SCOPE, "headers": [(b"a", b"1")], "query_string": b"x=1"})
    told = [dict(request.headers), str(request.query_params)]
    request.scope = {**SCOPE, "headers": [(b"b", b"2")], "query_string": b"y=2", "path": "/new"}
    return [
        *told,
        dict(request.headers),
        str(request.query_params),
        request.url.path,
        request.method,
    ]


def case_names_of_starlette_requests_replaced():
    from unittest import mock

    told = []
    for name in ("Headers", "QueryParams", "URL", "State", "cookie_parser"):
        request = S.Request({**SCOPE, "headers": [(b"cookie", b"a=1")], "server": ("h", 80)})
        with mock.patch.object(
            starlette.requests, name, lambda *args, **kwargs: (name, sorted(kwargs))
        ):
            parts = ("headers", "query_params", "url", "base_url", "state", "cookies")
            told.append(
                [name, [attempt(lambda part=part: getattr(request, part)) for part in parts]]
            )
    return told


def case_names_of_starlette_responses_replaced():
    from unittest import mock

    told = []
    for name in ("MutableHeaders", "quote", "formatdate", "format_datetime", "http"):
        if not hasattr(starlette.responses, name):
            continue
        with mock.patch.object(
            starlette.responses, name, mock.MagicMock(side_effect=KeyError(name))
        ):
            made = [
                lambda: S.RedirectResponse("/ü").raw_headers,
                lambda: dict(S.PlainTextResponse("x").headers),
                lambda: S.JSONResponse(1).set_cookie("a", "b", expires=3),
                lambda: S.JSONResponse(1).delete_cookie("a"),
            ]
            told.append([name, [attempt(make) for make in made]])
    return told


def case_class_attributes_changed():
    told = []
    for cls in (S.JSONResponse, S.PlainTextResponse, S.RedirectResponse):

        class Mine(cls):
            media_type = "text/x-own"
            charset = "utf-16"

        made = Mine("/a")
        told.append([made.body, made.raw_headers, cls("/a").raw_headers])
    return told
