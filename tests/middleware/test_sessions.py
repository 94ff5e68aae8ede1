"""SessionMiddleware reads and writes sessions as Starlette's does, and hands on the same object."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import starlette.middleware.sessions
from hypothesis import given, strategies as st
from itsdangerous import TimestampSigner
from starlette.datastructures import Secret

import turbostar.middleware.sessions
from tests.middleware.drive import BODY, START, Act, Does, Sends, compare, http, websocket

MODULE = "middleware.sessions"
NOW = 1_800_000_000


@pytest.fixture(autouse=True)
def clock() -> Iterator[list[int]]:
    """The time stands still, and may be set."""
    now = [NOW]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("itsdangerous.timed.time.time", lambda: now[0])
        yield now


def signed(payload: bytes, secret: str = "secret", age: int = 10) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TimestampSigner, "get_timestamp", lambda self: NOW - age)
        return TimestampSigner(secret).sign(payload)


def cookie(content: Any, **how: Any) -> bytes:
    return signed(base64.b64encode(json.dumps(content).encode()), **how)


DATA = {"user": "ada", "cart": [1, {"é": None}], "x": 1.5}
VALUES = [
    cookie(DATA),
    cookie({}),
    cookie(DATA, age=10_000),
    cookie(DATA, age=-5),
    cookie(DATA, secret="another"),
    cookie(DATA)[:-1],
    b'"' + cookie(DATA) + b'"',
    b'"\\101"',
    cookie([["a", 1], ["b", 2]]),
    cookie(None),
    cookie("text"),
    cookie(7),
    signed(b"no base64"),
    signed(b"x"),
    signed(base64.b64encode(b"no JSON")),
    signed(base64.b64encode(b'{"a": NaN, "a": 1e400, "b": "\\ud800"}')),
    signed(base64.b64encode(b"\xff\xfe")),
    b"",
    b".",
    b"..",
    b"\xff.\xe9.x",
    b"null",
]
NAMES = ["session", "s", "", " session", "a=b", "é", "sessionid"]

values = st.sampled_from(VALUES)
names = st.sampled_from([b"session", b"s", b"sessionid", b" session ", b"a=b", b"\xe9", b"", b"x"])
pairs = st.builds(lambda name, equals, value: name + equals + value, names, st.just(b"="), values)
lines = st.lists(pairs | names, min_size=1, max_size=3).map(b"; ".join) | st.lists(
    pairs, min_size=1, max_size=2
).map(b";".join)
cookies = st.lists(st.tuples(st.sampled_from([b"cookie", b"cookie", b"x"]), lines), max_size=3)

configurations = st.fixed_dictionaries(
    {"secret_key": st.sampled_from(["secret", Secret("secret")])},
    optional={
        "session_cookie": st.sampled_from(NAMES),
        "max_age": st.sampled_from([None, 0, 100]),
        "path": st.sampled_from(["/", "/é", None]),
        "same_site": st.sampled_from(["lax", "none"]),
        "https_only": st.booleans(),
        "domain": st.sampled_from([None, "x.example", "✓"]),
        "partitioned": st.booleans(),
    },
)


def _does(name: str, function: Callable[[Any], Any]) -> Does:
    return Does(name, lambda scope: function(scope["session"]))


USES: list[Act] = [
    _does("access", lambda session: session.mark_accessed()),
    _does("set", lambda session: session.update(user="bob")),
    _does("set one", lambda session: session.__setitem__("é", {"n": [1]})),
    _does("delete", lambda session: session.pop("user", None)),
    _does("clear", lambda session: session.clear()),
    _does("unserialisable", lambda session: session.update(x={1, 2})),
    _does("silently", lambda session: dict.update(session, x=1)),
    Does("replace", lambda scope: scope.update(session={"plain": "dictionary"})),
    Does(
        "another",
        lambda scope: scope.update(session=starlette.middleware.sessions.Session({"another": 1})),
    ),
    Does("remove", lambda scope: scope.pop("session")),
]
starts = st.builds(
    lambda headers, missing: START if missing else {**START, "headers": headers},
    st.lists(
        st.tuples(
            st.sampled_from([b"vary", b"set-cookie", b"Vary", bytearray(b"vary")]),
            st.sampled_from([b"Accept", b"\xe9"]),
        ),
        max_size=3,
    )
    | st.just(()),
    st.booleans(),
)
acts = st.lists(
    st.sampled_from(USES) | st.builds(Sends, starts | st.just(BODY), st.booleans()), max_size=4
)
scopes = st.builds(
    lambda make, cookies, more: make(*cookies, **more),
    st.sampled_from([http, http, websocket]),
    cookies,
    st.sampled_from([{}, {}, {"session": "from outside"}, {"type": "lifespan"}]),
)


CHANGES: dict[str, Callable[[Any], Any]] = {
    "cookie": lambda sessions: setattr(sessions, "session_cookie", "s"),
    "age": lambda sessions: setattr(sessions, "max_age", 5),
    "odd age": lambda sessions: setattr(sessions, "max_age", "5"),
    "no age": lambda sessions: setattr(sessions, "max_age", None),
    "path": lambda sessions: setattr(sessions, "path", "/elsewhere"),
    "flags": lambda sessions: setattr(sessions, "security_flags", "secure"),
    "signer": lambda sessions: setattr(sessions, "signer", TimestampSigner("another")),
    "odd signer": lambda sessions: setattr(sessions, "signer", None),
    "new key": lambda sessions: sessions.signer.secret_keys.append(b"another"),
    "salt": lambda sessions: setattr(sessions.signer, "salt", b"another"),
    "odd cookie": lambda sessions: setattr(sessions, "session_cookie", b"session"),
}


class Sessions:
    """Makes the middleware, and changes it before each request."""

    def __init__(self, configuration: dict[str, Any], changes: list[str]) -> None:
        self.configuration = configuration
        self.changes = changes

    def __call__(self, module: Any, app: Any) -> Any:
        sessions = module.SessionMiddleware(app, **self.configuration)
        waiting = [*self.changes]

        async def changing(scope: Any, receive: Any, send: Any) -> None:
            await sessions(scope, receive, send)
            if waiting and sessions.signer is not None:
                CHANGES[waiting.pop(0)](sessions)

        return changing

    def __repr__(self) -> str:
        return f"Sessions({self.configuration!r}, {self.changes!r})"


@given(
    configurations,
    st.lists(st.sampled_from([*CHANGES]), max_size=3),
    st.lists(st.tuples(scopes, acts), min_size=1, max_size=4),
)
def test_requests(configuration: Any, changes: Any, requests: Any) -> None:
    """Same sessions, cookies, headers and exceptions."""
    compare(MODULE, Sessions(configuration, changes), *requests)


@given(configurations, values, st.sampled_from(USES), starts)
def test_sessions_that_came(configuration: Any, value: bytes, use: Any, start: Any) -> None:
    """A session that came with the request and was used in any way."""
    name = configuration.get("session_cookie", "session").encode("latin-1")
    scope = http((b"cookie", name + b"=" + value))
    compare(MODULE, Sessions(configuration, []), (scope, [use, Sends(start)]))


def test_what_was_written_is_read_again() -> None:
    """By Starlette and by turbostar, whoever wrote it."""
    use: Any = _does("set", lambda session: session.update(DATA))
    sessions = Sessions({"secret_key": "s"}, [])
    (told,) = compare(MODULE, sessions, (http(), [use, Sends({**START, "headers": []})]))
    (start,) = told["sent"]
    value = dict(start)["headers"][1][-1][1][1][1].partition(b";")[0]
    found: list[Any] = []
    read: Any = _does("read", lambda session: found.append(dict(session)))
    compare(MODULE, sessions, (http((b"cookie", value)), [read]))
    assert found == [DATA, DATA]


def opened(content: Any) -> Any:
    """The session that turbostar puts into the scope."""
    scope = http((b"cookie", b"session=" + cookie(content)))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        pass

    sessions = turbostar.middleware.sessions.SessionMiddleware(app, "secret")
    with pytest.raises(StopIteration):
        sessions(scope, app, app).send(None)  # type: ignore[arg-type]
    return scope["session"]


def test_sessions_are_starlettes_dictionaries() -> None:
    """The very class, filled when the request begins: equal, iterated, copied and pickled so."""
    session = opened(DATA)
    assert type(session) is starlette.middleware.sessions.Session
    assert session == DATA
    assert list(session) == list(DATA)
    assert json.dumps(session) == json.dumps(DATA)
    assert vars(session) == {}
    assert pickle.loads(pickle.dumps(session)) == session
    assert type(copy.deepcopy(session)) is type(session)
    assert (session.accessed, session.modified) == (False, False)


def test_a_replaced_class_of_sessions_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions are made of whatever the module's name stands for."""

    class Own(starlette.middleware.sessions.Session):
        pass

    monkeypatch.setattr(starlette.middleware.sessions, "Session", Own)
    assert type(opened(DATA)) is Own


def test_middleware_can_be_copied() -> None:
    """Although it keeps hashes, which cannot be."""
    scope = http((b"cookie", b"session=" + cookie(DATA)))

    def make(module: Any, app: Any) -> Any:
        sessions = module.SessionMiddleware(app, "secret")

        async def copied(scope: Any, receive: Any, send: Any) -> None:
            await sessions(dict(scope), receive, send)
            await copy.deepcopy(sessions)(scope, receive, send)

        return copied

    compare(MODULE, make, (scope, [Sends(START)]), (scope, [Sends(START)]))


def test_the_connection_may_be_gone() -> None:
    """What the server's `send` raises arrives below."""
    requests = [(http(), [Sends(START), Sends(BODY)])]
    compare(MODULE, Sessions({"secret_key": "s"}, []), *requests, failing=True)


def test_install_without_itsdangerous() -> None:
    """Who has no sessions needs none of what they are made with; all else is accelerated."""
    program = """
import sys
sys.modules["itsdangerous"] = None
import turbostar
turbostar.install()
from starlette.middleware.gzip import GZipMiddleware
assert GZipMiddleware.__call__.__globals__["__name__"] == "turbostar._middleware.gzip"
try:
    import starlette.middleware.sessions
except ImportError:
    turbostar.uninstall()
    print("done")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("done\n", "")
