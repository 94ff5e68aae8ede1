"""RequestBodyLimitMiddleware limits request bodies as Starlette's does."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, strategies as st
from starlette.middleware.body_limit import RequestBodyLimitResponder

from tests.middleware.drive import BODY, START, Act, Does, Sends, compare, fails, http, receives

MODULE = "middleware.body_limit"


async def receives_leniently(scope: Any, receive: Any, send: Any) -> None:
    """An act: to receive a message, or to be content with none."""
    try:
        await receives(scope, receive, send)
    except Exception as exc:
        scope.setdefault("received", []).append(repr(exc))


def _tell(scope: Any) -> None:
    limit = scope.get("starlette._body_limit_responder")
    if limit is not None:
        attributes = ("max_body_size", "content_length", "total_size", "response_started")
        scope["limit"] = [getattr(limit, name) for name in attributes]
        assert isinstance(limit, RequestBodyLimitResponder)
        assert limit.scope is scope or scope["nested"]
        assert callable(limit.receive)
        assert callable(limit.send)


acts: st.SearchStrategy[list[Act]] = st.lists(
    st.sampled_from([receives, receives_leniently, Does("tell", _tell), fails])
    | st.builds(Sends, st.sampled_from([START, BODY, {**START, "headers": []}]), st.booleans()),
    max_size=5,
)
incoming = st.lists(
    st.fixed_dictionaries(
        {"type": st.just("http.request")},
        optional={"body": st.sampled_from([b"", b"ab", b"abcdef"]), "more_body": st.booleans()},
    )
    | st.just({"type": "http.disconnect"}),
    max_size=4,
)
lengths = st.sampled_from([b"0", b"3", b"5", b" 7 ", b"-1", b"1_0", b"x", b"\xe9", b""])
scopes = st.builds(
    lambda headers, kind, more: http(*headers, type=kind, nested=True, **more),
    st.lists(st.tuples(st.sampled_from([b"content-length", b"x"]), lengths), max_size=2),
    st.sampled_from(["http", "http", "http", "websocket"]),
    st.sampled_from([{}, {}, {"starlette.max_body_size": 9}]),
)


@given(
    st.lists(st.sampled_from([0, 2, 5, 100]), min_size=1, max_size=3),
    incoming,
    st.lists(st.tuples(scopes, acts), min_size=1, max_size=2),
    st.booleans(),
)
def test_requests(limits: list[int], incoming: Any, requests: Any, failing: bool) -> None:
    """Same messages, scopes and exceptions, with any number of limits one inside the other."""

    def make(module: Any, app: Any) -> Any:
        for limit in limits:
            app = module.RequestBodyLimitMiddleware(app, limit)
        return app

    compare(MODULE, make, *requests, incoming=incoming, failing=failing)


def test_turbostars_and_starlettes_find_each_other() -> None:
    """A limit further below is in force, whichever of the two it is."""
    from starlette.middleware.body_limit import RequestBodyLimitMiddleware as Stock

    from turbostar.middleware.body_limit import RequestBodyLimitMiddleware as Ours

    request = http(nested=True), [receives_leniently, receives_leniently, Sends(START)]
    incoming = [{"type": "http.request", "body": b"abc", "more_body": True}] * 2
    told = []
    for outer, inner in ((Stock, Stock), (Stock, Ours), (Ours, Stock), (Ours, Ours)):

        def make(module: Any, app: Any, outer: Any = outer, inner: Any = inner) -> Any:
            return outer(inner(app, 4), 100)

        told.append(compare(MODULE, make, copy.deepcopy(request), incoming=incoming))
    assert told[0] == told[1] == told[2] == told[3]
    assert "Content Too Large" in str(told[0])
