"""TrustedHostMiddleware and HTTPSRedirectMiddleware let pass, refuse and redirect as on stock."""

from __future__ import annotations

from typing import Any

import pytest
import starlette.middleware.trustedhost
from hypothesis import given, strategies as st

from tests.middleware.drive import START, Sends, compare, http
from turbostar._middleware import hosts as _hosts

TRUSTED, HTTPS = "middleware.trustedhost", "middleware.httpsredirect"
HOSTS = [
    b"example.org",
    b"EXAMPLE.org:8000",
    b"www.example.org",
    b"a.b.example.org",
    b".example.org",
    b"example.org:80",
    b"example.org:443",
    b"example.org:99999",
    b"[::1]:80",
    b"[::1",
    b"[1:2]",
    b"user@example.org",
    b"example.org/x",
    b"\xe9.example.org",
    b"",
    b"testserver",
]
PATTERNS = [
    "example.org",
    "*.example.org",
    "www.example.org",
    "[::1]",
    "testserver",
    "*",
    "EXA.org",
]

scopes = st.builds(
    lambda hosts, more: http(*hosts, **more),
    st.lists(
        st.tuples(st.sampled_from([b"host", b"host", b"Host"]), st.sampled_from(HOSTS)), max_size=2
    ),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["http", "http", "websocket", "lifespan"])},
        optional={
            "scheme": st.sampled_from(["http", "https", "ws", "wss"]),
            "server": st.sampled_from(
                [None, ("example.org", 80), ("127.0.0.1", 443), ("::1", 8000), ("/run/sock", None)]
            ),
            "path": st.sampled_from(["/", "/a b", "//a", "/é?#\\", ""]),
            "root_path": st.sampled_from(["", "/root"]),
            "query_string": st.sampled_from([b"", b"a=1&b=%20", b"\xff"]),
        },
    ),
)
requests = st.lists(scopes.map(lambda scope: (scope, [Sends(START)])), min_size=1, max_size=3)


class Trusted:
    """Makes the middleware, and changes the allowed hosts after the first request."""

    def __init__(self, patterns: list[str], www_redirect: bool, change: list[str]) -> None:
        self.patterns, self.www_redirect, self.change = patterns, www_redirect, change

    def __call__(self, module: Any, app: Any) -> Any:
        trusted = module.TrustedHostMiddleware(app, [*self.patterns], self.www_redirect)

        async def changing(scope: Any, receive: Any, send: Any) -> None:
            await trusted(scope, receive, send)
            trusted.allowed_hosts.extend(self.change)
            trusted.www_redirect = True

        return changing

    def __repr__(self) -> str:
        return f"Trusted({self.patterns!r}, {self.www_redirect!r}, {self.change!r})"


patterns = st.lists(st.sampled_from(PATTERNS), max_size=3)


@given(patterns, st.booleans(), patterns, requests)
def test_trusted_hosts(patterns: Any, www_redirect: bool, change: Any, requests: Any) -> None:
    """Same answers, scopes and exceptions."""
    compare(TRUSTED, Trusted(patterns, www_redirect, change), *requests)


@given(requests)
def test_redirects_to_https(requests: Any) -> None:
    """Same answers, scopes and exceptions."""
    compare(HTTPS, lambda module, app: module.HTTPSRedirectMiddleware(app), *requests)


@pytest.mark.parametrize("missing", ["type", "scheme", "headers", "path"])
def test_scopes_that_lack_something(missing: str) -> None:
    """The same exceptions for a scope that no server would make."""
    scope = http((b"host", b"x.example"))
    del scope[missing]
    compare(TRUSTED, Trusted(["www.x.example"], True, []), (scope, [Sends(START)]))
    compare(HTTPS, lambda module, app: module.HTTPSRedirectMiddleware(app), (scope, []))


def test_the_connection_may_be_gone() -> None:
    """What the server's `send` raises arrives above."""
    for hosts in (["a.example"], ["b.example"], ["www.b.example"]):
        request = http((b"host", b"b.example")), [Sends(START)]
        compare(TRUSTED, Trusted(hosts, True, []), request, failing=True)


def test_hosts_are_not_remembered_without_end() -> None:
    """Anybody may ask for a new host with each request, and for a very long one."""
    for number in range(2 * _hosts._MANY):
        assert _hosts._parsed(b"HOST%d.example" % number) == f"host{number}.example"
        assert len(_hosts._known) <= _hosts._MANY
    long = b"x" * 1000
    assert _hosts._parsed(long) == long.decode()
    assert long not in _hosts._known


def test_responses_are_made_of_what_the_modules_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A class that somebody has put into Starlette's module is used."""
    base: Any = vars(starlette.middleware.trustedhost)["PlainTextResponse"]

    class Own(base):  # type: ignore[misc]
        media_type = "text/own"

    monkeypatch.setattr(starlette.middleware.trustedhost, "PlainTextResponse", Own)
    request = http((b"host", b"b.example")), []
    (told,) = compare(TRUSTED, Trusted(["a.example"], True, []), request)
    assert "text/own" in str(told["sent"])
