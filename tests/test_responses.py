"""Plain responses are made as Starlette makes them: body, headers and their order, cookies."""

from __future__ import annotations

import http.cookies
import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import starlette.responses
from hypothesis import example, given, strategies as st
from starlette.datastructures import URL

import turbostar.responses
from tests.differential.modes import INSTALL, STOCK, SWAP, Mode

MODES = pytest.mark.parametrize("mode", [SWAP, INSTALL], ids=repr)
NAMES = ["Response", "PlainTextResponse", "HTMLResponse", "JSONResponse", "RedirectResponse"]
CLASSES = pytest.mark.parametrize("name", NAMES)

OWN_METHODS = ("render", "init_headers")
Act = Callable[[Any], Any]


class Shout(str):
    """A string that is not what it seems."""

    __slots__ = ()

    def encode(self, *args: Any) -> bytes:
        return b"SHOUTED"

    def lower(self) -> str:
        return "shouted"


class Pairs:
    """Headers with the same name twice, which no dict has."""

    def __init__(self, *items: tuple[Any, Any]) -> None:
        self._items = items

    def items(self) -> Iterator[tuple[Any, Any]]:
        return iter(self._items)


def outcome(act: Act, mode: Mode) -> Any:
    """What an act gives with the classes of one mode: a value, or an exception."""
    with mode.active():
        try:
            return act(mode.namespace())
        except Exception as error:
            return type(error), str(error), type(error.__context__)


def same(act: Act, mode: Mode) -> None:
    assert outcome(act, mode) == outcome(act, STOCK)


def told(response: Any) -> Any:
    """What a response is, in what can be compared."""
    values = {name: value for name, value in vars(response).items() if name not in OWN_METHODS}
    body = values.pop("body", None)
    return values, type(body), None if body is None else bytes(body), response.headers.raw


contents = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.binary(max_size=8),
    st.binary(max_size=8).map(memoryview),
    st.sampled_from([b"x" * 1023, b"x" * 1024, "ü" * 600, Shout("x"), 1, bytearray(b"x")]),
)
names = st.sampled_from(
    ["Content-Length", "content-type", "CONTENT-TYPE", "X-A", "Vary", "ü", "\u0100", 1, b"x-a"]
)
values = st.sampled_from(["", "1", "text/html", "ü", "\u0100", Shout("x"), 1])
headers = st.one_of(
    st.none(),
    st.dictionaries(names, values, max_size=3),
    st.lists(st.tuples(names, values), max_size=3).map(lambda items: Pairs(*items)),
)
media_types = st.sampled_from(
    [
        *(None, "", "text/plain", "text/html", "text/html; CHARSET=latin-1", "TEXT/plain"),
        *("image/png", "application/json", "text/\u0100", Shout("text/css"), 1, b"text/plain"),
    ]
)
statuses = st.sampled_from([100, 199, 200, 201, 204, 205, 304, 404, 500, None, "200", 204.0])


@MODES
@given(st.sampled_from(NAMES[:4]), contents, statuses, headers, media_types)
@example("PlainTextResponse", "Not Found", 404, None, None)
@example("PlainTextResponse", "\ud800", 200, None, None)
@example("HTMLResponse", "<p>", 200, {"Content-Type": "text/plain"}, None)
def test_responses_are_stocks(
    mode: Mode, name: str, content: Any, status: Any, headers: Any, media_type: Any
) -> None:
    """Attributes, body, headers in their order, or the exception."""
    if name == "JSONResponse" and not isinstance(content, str | int):
        content = ["x", None]  # of bytes turbostar makes JSON, where stock raises
    arguments = (content, status, headers, media_type, print)
    same(lambda web: told(getattr(web, name)(*arguments)), mode)


@MODES
@given(
    st.text(max_size=12)
    | st.text("abZ09_.-~:/%#?=@[]!$&'()*+,; <>\"^ü\ud800\n", max_size=12)
    | st.sampled_from(["/login?next=/x", URL("http://x/y z"), Shout("/x"), 1, None, b"/x"]),
    statuses,
    headers,
)
def test_redirects_are_stocks(mode: Mode, url: Any, status: Any, headers: Any) -> None:
    """The location is quoted as by Starlette, and the headers are tied to the same list."""

    def act(web: Any) -> Any:
        response = web.RedirectResponse(url, status, headers, print)
        before = told(response)
        response.headers["x-added"] = "1"
        raw_headers = response.raw_headers
        response.raw_headers = []
        response.headers["location"] = "/other"
        return before, raw_headers, response.raw_headers

    same(act, mode)


def overridden(attribute: str) -> Callable[[Any], Any]:
    """Ways to have one's own say in how a response is made."""

    def subclass(base: Any) -> Any:
        def on_the_instance(self: Any, *args: Any, **options: Any) -> None:
            self.render = lambda content: b"rendered by the instance"
            self.init_headers = lambda headers=None: setattr(self, "raw_headers", [(b"a", b"b")])
            base.__init__(self, *args, **options)

        def mixed(replacement: dict[str, Any]) -> Any:
            response = base.__mro__[-2]  # Response, whichever module base is from
            mixin = type("Mixin", (response,), replacement)
            return type("Mixed", (base, mixin), {})

        def init(self: Any, *args: Any, **options: Any) -> None:
            base.__mro__[-2].__init__(self, "mixed", 201)

        ways: dict[str, Callable[[], Any]] = {
            "nothing": lambda: type("Mine", (base,), {}),
            "render": lambda: type("Mine", (base,), {"render": lambda self, content: b"mine"}),
            "init_headers": lambda: type(
                "Mine",
                (base,),
                {
                    "init_headers": lambda self, headers=None: base.init_headers(
                        self, {"x-mine": "1"}
                    )
                },
            ),
            "media_type": lambda: type("Mine", (base,), {"media_type": "text/mine"}),
            "no media_type": lambda: type("Mine", (base,), {"media_type": None}),
            "charset": lambda: type("Mine", (base,), {"charset": "latin-1"}),
            "media_type property": lambda: type(
                "Mine", (base,), {"media_type": property(lambda self: f"text/{self.status_code}")}
            ),
            "no charset": lambda: type("Mine", (base,), {"charset": None}),
            "instance": lambda: type("Mine", (base,), {"__init__": on_the_instance}),
            "plain mixin": lambda: type("Mixed", (base, type("Mixin", (), {})), {}),
            "mixin __init__": lambda: mixed({"__init__": init}),
            "mixin render": lambda: mixed({"render": lambda self, content: b"mixed"}),
            "mixin init_headers": lambda: mixed(
                {"init_headers": lambda self, headers=None: setattr(self, "raw_headers", [])}
            ),
            "mixin set_cookie": lambda: mixed(
                {"set_cookie": lambda self, key, *args: self.raw_headers.append((b"mixed", b"1"))}
            ),
            "set_cookie": lambda: type(
                "Mine",
                (base,),
                {"set_cookie": lambda self, key, value: base.set_cookie(self, key, value * 2)},
            ),
        }
        return ways[attribute]()

    return subclass


@MODES
@CLASSES
@pytest.mark.parametrize(
    "attribute",
    [
        *("nothing", "render", "init_headers", "set_cookie", "media_type", "no media_type"),
        *("media_type property", "charset", "no charset", "instance", "plain mixin"),
        *("mixin __init__", "mixin render", "mixin init_headers", "mixin set_cookie"),
    ],
)
def test_subclasses_have_their_say(mode: Mode, name: str, attribute: str) -> None:
    """What a subclass, an instance or a mixin defines is what counts."""

    def act(web: Any) -> Any:
        cls = overridden(attribute)(getattr(web, name))
        made = []
        for arguments in (("x",), ("x", 204), ("ü", 200, {"X-A": "1"})):
            response = cls(*arguments)
            response.set_cookie("a", "b")
            made.append(told(response))
        return made

    same(act, mode)


@MODES
@CLASSES
@pytest.mark.parametrize("method", ["__init__", "init_headers", "render", "set_cookie"])
def test_a_method_that_is_replaced_later_is_called(
    mode: Mode, name: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tracers replace methods of Response at any time, and hear of each call."""

    def act(web: Any) -> Any:
        heard = []
        original = getattr(starlette.responses.Response, method)

        def replacement(self: Any, *args: Any, **options: Any) -> Any:
            heard.append(len(args) + len(options))
            return original(self, *args, **options)

        with monkeypatch.context() as patch:
            patch.setattr(starlette.responses.Response, method, replacement)
            response = getattr(web, name)("x")
            response.set_cookie("a", "b")
        return told(response), len(heard)

    same(act, mode)


@MODES
@CLASSES
def test_class_attributes_may_be_replaced(
    mode: Mode, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another charset or media type of Starlette's own classes counts at once."""

    def act(web: Any) -> Any:
        made = []
        for attribute, value in (("charset", "latin-1"), ("media_type", "text/other")):
            with monkeypatch.context() as patch:
                patch.setattr(getattr(starlette.responses, name), attribute, value)
                made.append(told(getattr(web, name)("ü")))
        return made

    same(act, mode)


plain_values = st.text(st.characters(codec="ascii"), max_size=10) | st.text(max_size=6)
cookies = st.fixed_dictionaries(
    {"key": plain_values | st.sampled_from(["session", "path", "Expires", "a=v", Shout("k")])},
    optional={
        "value": plain_values | st.sampled_from(["abc.def-123", 'a"b', "a;b", 1, Shout("v")]),
        "max_age": st.sampled_from([None, 0, 3600, -1, True, 1.5, "5"]),
        "expires": st.sampled_from([None, "soon", datetime(2030, 1, 2, tzinfo=UTC)]),
        "path": st.sampled_from([None, "/", "", "/a b ", "/ü", "/\u0100", 1]),
        "domain": st.sampled_from([None, "example.org", "", " x "]),
        "secure": st.sampled_from([False, True, 0, 1, "no"]),
        "httponly": st.booleans(),
        "samesite": st.sampled_from([None, "lax", "Strict", "none", "other", 1]),
        "partitioned": st.booleans(),
    },
)


@MODES
@given(st.sampled_from(NAMES), st.lists(cookies, max_size=3))
@example("JSONResponse", [{"key": "a", "value": "b", "secure": True}] * 2)
@example("PlainTextResponse", [{"key": "a", "max_age": 1}, {"key": "a", "max_age": True}])
@example("Response", [{"key": "a", "path": "/ "}, {"key": "a", "value": "é\x7f"}])
def test_cookies_are_stocks(mode: Mode, name: str, todo: list[dict[str, Any]]) -> None:
    """Any cookie is written as ``http.cookies`` writes it, or refused as it refuses it."""

    def act(web: Any) -> Any:
        response = getattr(web, name)("x")
        added = []
        for cookie in todo:
            try:
                response.set_cookie(**cookie)
            except Exception as error:
                added.append((type(error), str(error)))
        return added, response.raw_headers

    same(act, mode)


@MODES
def test_cookies_are_deleted_as_in_stock(mode: Mode) -> None:
    """delete_cookie writes a cookie that expires at once."""

    def act(web: Any) -> Any:
        response = web.JSONResponse(1)
        response.delete_cookie("session", path="/x", httponly=True)
        (cookie,) = http.cookies.SimpleCookie(response.headers["set-cookie"]).values()
        return cookie.key, cookie.value, cookie["max-age"], cookie["path"], cookie["httponly"]

    same(act, mode)


@pytest.mark.parametrize("name", ["JSONResponse", "PlainTextResponse", "RedirectResponse"])
def test_added_methods_look_as_those_that_are_inherited(name: str) -> None:
    """What stands in a class that inherits it on Starlette has the same signature."""
    ours, theirs = (getattr(module, name) for module in (turbostar.responses, starlette.responses))
    for method in ("__init__", "set_cookie"):
        signatures = []
        for cls in (ours, theirs):
            found = inspect.signature(getattr(cls, method))
            signatures.append(
                [
                    parameter.replace(annotation=parameter.empty)
                    if parameter.name == "self"
                    else parameter
                    for parameter in found.parameters.values()
                ]
            )
        assert signatures[0] == signatures[1]
