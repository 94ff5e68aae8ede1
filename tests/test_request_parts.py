"""Headers, query parameters and URLs of a request are those that Starlette finds."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import starlette.datastructures
import starlette.requests
from hypothesis import example, given, strategies as st
from starlette.datastructures import URL, Headers, QueryParams, URLPath

import turbostar.requests
from tests.differential.modes import INSTALL, STOCK, SWAP, Mode
from turbostar._http.query import parameters

MODES = pytest.mark.parametrize("mode", [SWAP, INSTALL], ids=repr)

Act = Callable[[Any], Any]


class Odd(str):
    """A string that is not what it seems."""

    __slots__ = ()

    def lower(self) -> str:
        return "host"

    def encode(self, *args: Any) -> bytes:
        return b"host"


def outcome(act: Act, mode: Mode) -> Any:
    """What an act gives with the classes of one mode: a value, or an exception."""
    with mode.active():
        try:
            return act(mode.namespace().Request)
        except Exception as error:
            return type(error), str(error), type(error.__context__)


def same(act: Act, mode: Mode) -> None:
    assert outcome(act, mode) == outcome(act, STOCK)


def scope_with(**values: Any) -> dict[str, Any]:
    return {"type": "http", "method": "GET", "path": "/", "headers": [], **values}


def attempt(call: Callable[[], Any]) -> Any:
    """What a call gives, in what can be compared: a value, or an exception."""
    try:
        return call()
    except Exception as error:
        return type(error), error.args, type(error.__context__)


# Headers

raw_names = st.sampled_from([b"host", b"Host", b"accept", b"cookie", b"x-\xfc", b""])
raw_headers = st.lists(st.tuples(raw_names, st.binary(max_size=4)), max_size=6)
asked = st.sampled_from(
    [
        *("host", "HOST", "Host", "accept", "x-ü", "X-Ü", "", "none", "\u0100"),
        *(1, b"host", None, Odd("x"), ["host"]),
    ]
)
ways: dict[str, Callable[[Any, Any], Any]] = {
    "[]": lambda found, key: found[key],
    "in": lambda found, key: key in found,
    "get": lambda found, key: found.get(key),
    "get or": lambda found, key: found.get(key, default="else"),
    "getlist": lambda found, key: found.getlist(key),
    "all": lambda found, key: (found.keys(), found.values(), found.items(), len(found)),
    "raw": lambda found, key: (found.raw, repr(found), found == Headers(raw=found.raw)),
    "copy": lambda found, key: found.mutablecopy().raw,
    "dict": lambda found, key: dict(found),
}


@MODES
@given(
    st.sampled_from([list, tuple]),
    raw_headers,
    st.lists(st.tuples(st.sampled_from(sorted(ways)), asked), max_size=5),
)
@example(list, [(b"host", b"a"), (b"host", b"b")], [("[]", "host"), ("get", "none")])
def test_headers_are_found_as_in_stock(
    mode: Mode, kind: Any, raw: list[tuple[bytes, bytes]], questions: list[tuple[str, Any]]
) -> None:
    """Each question about any headers has Starlette's answer, or its exception."""

    def act(request_class: Any) -> Any:
        request = request_class(scope_with(headers=kind(raw)))
        answers = []
        for way, key in questions:
            question = ways[way]
            answers.append(
                attempt(lambda key=key, question=question: question(request.headers, key))
            )
        return answers, request.scope["headers"]

    same(act, mode)


@MODES
def test_headers_follow_the_list_of_the_scope(mode: Mode) -> None:
    """What is added to the scope's list is seen; another list in its place is not, as in stock."""

    def act(request_class: Any) -> Any:
        request = request_class(scope_with(headers=[(b"a", b"1")]))
        found = [request.headers.get("b")]
        request.scope["headers"].append((b"b", b"2"))
        found.append(request.headers.get("b"))
        request.scope["headers"][0] = (b"a", b"changed")
        found.append(request.headers["a"])
        request.scope["headers"] = [(b"a", b"replaced")]
        found.append(request.headers["a"])
        again = request_class(request.scope)
        return found, again.headers["a"], request.headers is request.headers

    same(act, mode)


@MODES
def test_headers_are_starlettes_own(mode: Mode) -> None:
    """They are an instance of Starlette's class, compare, and can be copied and pickled."""
    with mode.active():
        request = mode.namespace().Request(scope_with(headers=[(b"a", b"1")]))
        found = request.headers
        assert isinstance(found, Headers)
        assert repr(found) == "Headers({'a': '1'})"
        assert found == Headers({"a": "1"})
        assert copy.deepcopy(found) == pickle.loads(pickle.dumps(found)) == found
        with pytest.raises(AttributeError):
            request.headers = found


# Query parameters

queries = (
    st.binary(max_size=24)
    | st.text("ab&=+%20;?#ü", max_size=16).map(lambda text: text.encode())
    | st.sampled_from([b"a=1&b=2", b"a=%C3%BC", b"a=%FF%zz", b"&&a", b"=", b"a=b=c", b"a+b=+&%2B"])
)


@given(queries)
def test_query_strings_are_parsed_as_by_the_standard_library(query: bytes) -> None:
    """Any bytes give the fields that ``QueryParams`` finds in them, in their order."""
    theirs = QueryParams(query)
    assert parameters(query.decode("latin-1")) == theirs.multi_items()


@MODES
@given(queries | st.sampled_from(["a=b", bytearray(b"a=b"), [("a", 1)], None, 1]))
def test_query_params_are_stocks(mode: Mode, query: Any) -> None:
    """Values, lists, order and text of the parameters, or the exception."""

    def act(request_class: Any) -> Any:
        request = request_class(scope_with(query_string=query))
        params = request.query_params
        assert type(params) is QueryParams
        assert request.query_params is params
        return (
            params.multi_items(),
            list(params.items()),
            str(params),
            params.get("a"),
            params.getlist("a"),
            vars(params),
        )

    same(act, mode)


@MODES
@pytest.mark.parametrize(
    "name", ["query_params", "url", "base_url", "headers", "cookies", "session"]
)
def test_a_scope_that_lacks_something_raises_as_in_stock(mode: Mode, name: str) -> None:
    """The exceptions are Starlette's, and nothing is remembered of a failure."""

    def act(request_class: Any) -> Any:
        request = request_class({"type": "http"})
        told = [attempt(lambda: repr(getattr(request, name))) for _ in range(2)]
        return told, sorted(vars(request))

    same(act, mode)


# URLs

hosts = st.sampled_from(
    [
        *(b"example.org", b"EXAMPLE.org:8000", b"a", b"[::1]:80", b"a:99999", b"a/b", b"", b"a b"),
        *(b"us%20er", b"user@host", b"\xfc.org", b"a" * 300, b"example.org:", b"a:00080", b"a,b"),
    ]
) | st.binary(max_size=4)
paths = st.text("/ab?#\\%ü \n;:@", max_size=8) | st.sampled_from(["/", "", "//a", "/a/b", "a", "*"])
schemes = st.sampled_from(["http", "https", "ws", "", "ftp", "HTTP", Odd("http")])
servers = st.sampled_from([None, ("127.0.0.1", 80), ("::1", 8000), ("a", 443)])
optional_scopes = st.fixed_dictionaries(
    {"path": paths, "headers": st.lists(st.tuples(st.just(b"host"), hosts), max_size=2)},
    optional={
        "scheme": schemes,
        "server": servers,
        "query_string": st.binary(max_size=5) | st.sampled_from([b"a=1", b"", "a=1"]),
        "root_path": paths,
        "app_root_path": paths,
    },
)


@MODES
@given(optional_scopes)
@example({"path": "/a", "headers": [(b"host", b"example.org")], "query_string": b"a=1"})
@example({"path": "/", "headers": [(b"host", b"a")], "root_path": "/api/", "scheme": "https"})
def test_urls_of_requests_are_stocks(mode: Mode, values: dict[str, Any]) -> None:
    """The URL and the base URL for any scope a server may hand over, or the exception."""

    def act(request_class: Any) -> Any:
        request = request_class(scope_with(**values))
        told = []
        for name in ("url", "base_url", "url"):
            told.append(attempt(lambda name=name: str(getattr(request, name))))
            told.append(attempt(lambda name=name: getattr(request, name).components))
            told.append(attempt(lambda name=name: vars(getattr(request, name)).keys()))
        assert type(attempt(lambda: request.url)) in (URL, tuple)
        return told

    same(act, mode)


class Provider:
    """Stands for a router: its routes lead wherever a test says."""

    def __init__(self, path: Any) -> None:
        self.path = path

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        assert (name, path_params) == ("name", {"name": 1})
        return self.path


@MODES
@given(
    optional_scopes,
    paths,
    st.sampled_from(["", "http", "websocket"]),
    st.sampled_from(["", "example.org", "a:80", "ü", "[::1]"]),
)
@example({"path": "/", "headers": [(b"host", b"a.org")]}, "/items/1", "http", "")
@example({"path": "/", "headers": [(b"host", b"a")], "root_path": "/api"}, "/x", "websocket", "")
def test_urls_of_routes_are_stocks(
    mode: Mode, values: dict[str, Any], path: str, protocol: Any, host: str
) -> None:
    """url_for for any path, protocol and host below any base URL."""

    def act(request_class: Any) -> Any:
        provider = Provider(URLPath(path, protocol, host))
        request = request_class(scope_with(router=provider, **values))
        url = request.url_for("name", name=1)
        assert type(url) is URL
        return str(url), url.components, url == request.url_for("name", name=1)

    same(act, mode)


@MODES
def test_url_for_asks_whatever_provides_paths(mode: Mode) -> None:
    """A provider may return a path of another class; without one there is a RuntimeError."""

    class Path(URLPath):
        def make_absolute_url(self, base_url: Any) -> URL:
            return URL(f"other:{base_url}")

    host = [(b"host", b"a")]
    for provider in (Provider(Path("/x")), Provider("/x"), None):
        same(
            lambda request_class, provider=provider: str(
                request_class(scope_with(headers=host, app=provider)).url_for("name", name=1)
            ),
            mode,
        )


# Who else has a say

ACCESSORS = ("headers", "query_params", "url", "base_url")


def looked_at(request: Any) -> list[Any]:
    told = [str(getattr(request, name)) for name in (*ACCESSORS, *ACCESSORS)]
    return [*told, str(request.url_for("name", name=1))]


def a_scope() -> dict[str, Any]:
    return scope_with(
        headers=[(b"host", b"example.org"), (b"a", b"1")],
        query_string=b"a=1&b=2",
        router=Provider(URLPath("/x")),
    )


def changing(base: Any, name: str) -> Any:
    """A subclass that makes an attribute of its base recognisable."""

    class Changing(base):  # type: ignore[misc]
        pass

    def url_for(self: Any, name: str, /, **params: Any) -> Any:
        return f"<{super(Changing, self).url_for(name, **params)}>"

    def changed(self: Any) -> Any:
        return URL(f"changed:{getattr(super(Changing, self), name)}")

    setattr(Changing, name, url_for if name == "url_for" else property(changed))
    return Changing


@MODES
@pytest.mark.parametrize("name", ["query_params", "url", "base_url", "url_for"])
@pytest.mark.parametrize("way", ["subclass", "mixin", "both", "plain mixin"])
def test_what_a_subclass_defines_counts(mode: Mode, name: str, way: str) -> None:
    """A property of a subclass, or of another base of it, is asked as on stock."""

    def act(request_class: Any) -> Any:
        subclass = changing(request_class, name)
        mixin = changing(starlette.requests.HTTPConnection, name)
        bases: dict[str, tuple[Any, ...]] = {
            "subclass": (subclass,),
            "mixin": (request_class, mixin),
            "both": (subclass, mixin),
            "plain mixin": (request_class, type("Plain", (), {})),
        }
        return looked_at(type("Mine", bases[way], {})(a_scope()))

    same(act, mode)


@MODES
@pytest.mark.parametrize("name", [*ACCESSORS, "url_for"])
def test_a_property_that_is_replaced_later_counts(
    mode: Mode, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever replaces an attribute of HTTPConnection is heard from the next request on."""

    def act(request_class: Any) -> Any:
        connection: Any = starlette.requests.HTTPConnection
        heard = []
        original = vars(connection)[name]

        def told(self: Any, *args: Any, **params: Any) -> Any:
            heard.append(args)
            return (original.fget if name != "url_for" else original)(self, *args, **params)

        looked_at(request_class(a_scope()))
        with monkeypatch.context() as patch:
            patch.setattr(connection, name, told if name == "url_for" else property(told))
            return looked_at(request_class(a_scope())), len(heard) > 0

    same(act, mode)


@MODES
@pytest.mark.parametrize(
    "target",
    [
        *("requests.Headers", "requests.QueryParams", "requests.URL", "datastructures.parse_qsl"),
        *("datastructures.parse_host_header", "datastructures.Headers.__getitem__"),
        *("datastructures.QueryParams.__init__", "datastructures.URL.__init__"),
        *("datastructures.URLPath.make_absolute_url", "datastructures.URL.replace"),
    ],
)
def test_what_starlette_uses_may_be_replaced(
    mode: Mode, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names that Starlette looks up late, and methods of its data structures, are heard."""

    def act(request_class: Any) -> Any:
        heard = []
        module, *path = target.split(".")
        owner: Any = getattr(starlette, module)
        for name in path[:-1]:
            owner = getattr(owner, name)
        original = getattr(owner, path[-1])

        def told(*args: Any, **options: Any) -> Any:
            heard.append(target)
            return original(*args, **options)

        with monkeypatch.context() as patch:
            patch.setattr(owner, path[-1], told)
            request = request_class(a_scope())
            found = [request.headers["a"], str(request.query_params), request.url._url]
            found += [request.base_url._url, request.url_for("name", name=1)._url]
        return found, len(heard) > 0

    same(act, mode)


@MODES
def test_a_mixin_may_initialise_the_connection(mode: Mode) -> None:
    """Another base of a subclass of Request has its __init__ called, as by super() on stock."""

    def act(request_class: Any) -> Any:
        class Counted(starlette.requests.HTTPConnection):
            def __init__(self, *args: Any, **options: Any) -> None:
                self.counted = True
                super().__init__(*args, **options)

        class Both(request_class, Counted):  # type: ignore[misc]
            pass

        class Plain(request_class):  # type: ignore[misc]
            pass

        told = [sorted(vars(cls(a_scope()))) for cls in (Both, Plain, request_class)]
        for cls in (Both, Plain, request_class):
            told.append(attempt(lambda cls=cls: cls({"type": "websocket"})))
            told.append(attempt(lambda cls=cls: cls({"type": "other"})))
        return told

    same(act, mode)


def test_requests_are_turbostars_own_in_swapped_code() -> None:
    """What stands in turbostar's Request is the same object in both ways into turbostar."""
    for name in ("headers", "query_params", "url", "base_url", "url_for"):
        assert name in vars(turbostar.requests.Request)
        assert name not in vars(starlette.requests.Request)
