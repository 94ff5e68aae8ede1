"""The differential tests can fail: each of many small defects is noticed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, given, settings, strategies as st

from tests.differential import answering, drive
from tests.differential.broken import BROKEN, mode
from tests.differential.changes import ATTRIBUTES, LISTS, OTHERS
from tests.differential.loops import Hang
from tests.differential.middleware import (
    dispatches,
    streaming,
    test_authentication,
    test_bodies,
    test_body_limit,
    test_call_next,
    test_cancellation,
    test_cors,
    test_errors,
    test_gzip,
    test_hosts,
    test_interleaved,
    test_places,
    test_replaced,
    test_sessions,
)
from tests.differential.middleware.bodies import READS, WAYS
from tests.differential.modes import INSTALL, STOCK, SWAP, Mode
from tests.differential.observed import Difference, raised
from tests.differential.scene import Scene, check
from tests.differential.served import Served
from tests.differential.test_concurrency import check_interleaved, interleaved
from tests.differential.test_dispatch import HTTP, RAISING, check_endpoint, check_exception, served
from tests.differential.test_mutation import changing
from tests.differential.test_routing import requests, reversals
from turbostar._attach.kill_switch import DISABLED

Check = Callable[[Mode, Any], None]
SEARCHES: dict[str, tuple[Any, Check]] = {
    "requests": (requests(), check),
    "urls": (reversals(), check),
    "changed lists": (changing(LISTS), check),
    "changed routes": (changing(ATTRIBUTES), check),
    "other changes": (changing(OTHERS), check),
    "served": (served(), check),
    "endpoints": (st.sampled_from(HTTP), check_endpoint),
    "exceptions": (st.sampled_from(RAISING), check_exception),
    "interleaved": (interleaved(), check_interleaved),
}


def search(name: str, broken: Mode) -> None:
    """Look for a difference among as many examples as CI generates, always the same ones."""
    strategy, compared = SEARCHES[name]
    most = 400
    if broken is STOCK:  # where there is none to be found
        most = 5 if name in ("endpoints", "exceptions") else 60

    @given(case=strategy)
    @settings(
        max_examples=most,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        print_blob=False,
    )
    def look(case: Any) -> None:
        compared(broken, case)

    look()


def dispatching(mode: Mode) -> None:
    for part in (dispatches.header, dispatches.looks, dispatches.background, dispatches.changes):
        test_call_next.test_each_dispatch_function_over_each_endpoint(mode, part)
    test_call_next.test_each_dispatch_function_over_each_endpoint(mode, dispatches.changes_scope)


def hosts(mode: Mode) -> None:
    test_hosts.test_trusted_hosts(mode, 4)
    test_hosts.test_https_redirect(mode)


def session(mode: Mode) -> None:
    for name in ("read", "set"):
        test_sessions.test_what_becomes_of_a_session(mode, name, False)


def bodies(mode: Mode) -> None:
    for part in (test_bodies.BEFORE[0], test_bodies.BEFORE[2], test_bodies.CAUGHT[0]):
        test_bodies.test_read_by_both(mode, part)


def replaced(mode: Mode) -> None:
    for change in test_replaced.CHANGES:
        test_replaced.test_what_is_replaced_while_it_serves(mode, change)


def gates(mode: Mode) -> None:
    check(mode, Scene(Served(streaming.gated, (dispatches.header,))))


def background(mode: Mode) -> None:
    check(mode, Scene(Served(answering.background, (dispatches.header,))))


SUBJECTS: dict[str, Callable[[Mode], None]] = {
    **{name: functools.partial(search, name) for name in SEARCHES},
    "authentication": lambda mode: test_authentication.test_requests(
        mode, test_authentication.plain
    ),
    "background": background,
    "bodies": bodies,
    "body limits": lambda mode: test_body_limit.test_limits(mode, 3),
    "cors": lambda mode: test_cors.test_what_is_changed_while_it_serves(mode, 2),
    "dispatch": dispatching,
    "exceptions above": lambda mode: test_errors.test_exceptions_by_each_kind_of_endpoint(
        mode, (dispatches.untouched,)
    ),
    "forms": lambda mode: test_places.test_forms_in_each_place(mode, "both"),
    "gates": gates,
    "gzip": lambda mode: (
        test_gzip.test_bodies_of_all_kinds(mode, 1),
        test_gzip.test_what_the_client_accepts(mode),
    ),
    "hosts": hosts,
    "replaced": replaced,
    "requests at once": lambda mode: test_interleaved.test_many_requests_at_once(
        mode, test_interleaved.STACKS[0], "app"
    ),
    "sessions": session,
    "timeouts": lambda mode: test_cancellation.test_a_middleware_that_gives_up(
        mode, test_cancellation.timeout
    ),
}


@pytest.mark.parametrize("defect", BROKEN)
def test_a_defect_is_noticed(defect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong in one respect does not pass for stock."""
    monkeypatch.setattr(drive, "PATIENCE", 2)
    with pytest.raises((Difference, Hang)):
        SUBJECTS[BROKEN[defect][0]](mode(defect))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_stock_equals_stock(subject: str) -> None:
    """What differs differs because of the defect: two runs of stock are always the same."""
    SUBJECTS[subject](STOCK)


@pytest.mark.skipif(DISABLED, reason="turbostar is turned off: the modes are stock")
def test_the_modes_are_not_stock() -> None:
    """The comparisons are not of stock with itself."""
    names = SWAP.namespace()
    assert names.JSONResponse is not STOCK.namespace().JSONResponse
    before = dict(vars(STOCK.namespace().JSONResponse))
    with INSTALL.active():
        assert dict(vars(STOCK.namespace().JSONResponse)) != before
    assert dict(vars(STOCK.namespace().JSONResponse)) == before


def test_what_is_compared() -> None:
    """All ways to read are used, and the parts have names of their own."""
    assert len(READS) == len(WAYS)
    assert len({part.name for part in test_call_next.DISPATCHES}) == len(dispatches.DISPATCHES)
    exc = ValueError("told")
    exc.__cause__ = KeyError("cause")
    for through in (False, True):
        assert ["cause", ["builtins.KeyError", "'cause'"]] in raised(exc, through=through)
