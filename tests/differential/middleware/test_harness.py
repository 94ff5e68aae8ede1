"""The tests of middleware can fail: each of many small defects is noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.differential.drive import Difference
from tests.differential.middleware import (
    client,
    dispatches,
    endpoints,
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
    world,
)
from tests.differential.middleware.bodies import READS, WAYS
from tests.differential.middleware.broken import BROKEN
from tests.differential.middleware.clocks import Hang, run_on
from tests.differential.middleware.scene import Scene, Served, check
from tests.differential.modes import STOCK, Mode

Check = Callable[[Mode], None]


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
    check(mode, Scene(Served(streaming.gated, (dispatches.header,)), lanes=True))


def background(mode: Mode) -> None:
    check(mode, Scene(Served(endpoints.background, (dispatches.header,)), lanes=False))


SUBJECTS: dict[str, Check] = {
    "authentication": lambda mode: test_authentication.test_requests(
        mode, test_authentication.plain
    ),
    "background": background,
    "bodies": bodies,
    "body limits": lambda mode: test_body_limit.test_limits(mode, 3),
    "cors": lambda mode: test_cors.test_what_is_changed_while_it_serves(mode, 2),
    "dispatch": dispatching,
    "exceptions": lambda mode: test_errors.test_exceptions_by_each_kind_of_endpoint(
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
    """Middleware that is wrong in one respect does not pass for stock."""
    monkeypatch.setattr(client, "PATIENCE", 2)
    subject, patch = BROKEN[defect]
    with pytest.raises((Difference, Hang)):
        SUBJECTS[subject](Mode(defect, STOCK.namespace, patch))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_stock_equals_stock(subject: str) -> None:
    """What differs differs because of the defect: two runs of stock are always the same."""
    SUBJECTS[subject](STOCK)


def test_what_is_compared() -> None:
    """All ways to read are used, and the parts have names of their own."""
    assert len(READS) == len(WAYS)
    assert len({part.name for part in test_call_next.DISPATCHES}) == len(dispatches.DISPATCHES)
    exc = ValueError("told")
    exc.__cause__ = KeyError("cause")
    assert run_on("asyncio", lambda: told(exc), False)[-1] == [
        "cause",
        ["builtins.KeyError", "'cause'", False],
    ]


async def told(exc: BaseException) -> Any:
    return world.fault(exc)
