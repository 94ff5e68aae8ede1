"""The comparison of two runs: every pair of outcomes, what is listed, what is stale."""

from __future__ import annotations

import itertools

import pytest

from compat.compare import MISSING, OUTCOMES, Results, compare
from compat.errors import CompatError
from compat.expected import Expected

TEST = "tests/test_a.py::test_b[asyncio]"


def results(outcome: str, message: str = "") -> Results:
    """Return a run of one test, or of none if the outcome is "missing"."""
    outcomes = {} if outcome == MISSING else {TEST: outcome}
    return Results(outcomes, {TEST: message} if message else {})


def listed(test: str = TEST) -> Expected:
    """Return an entry of the list for *test*."""
    return Expected("starlette", "swap", test, "on purpose")


PAIRS = list(itertools.product([*OUTCOMES, MISSING], repeat=2))
BROKEN = {"failed", "error"}


@pytest.mark.parametrize(("stock", "turbostar"), PAIRS)
def test_every_pair_of_outcomes(stock: str, turbostar: str) -> None:
    """Unequal outcomes differ, but for a test that is broken either way on both sides."""
    found = compare(results(stock), results(turbostar), [])
    both_broken = stock in BROKEN and turbostar in BROKEN
    agree = stock == turbostar or both_broken
    assert found.parity is agree
    assert [(item.stock, item.turbostar) for item in found.differences] == (
        [] if agree else [(stock, turbostar)]
    )
    assert found.stock_failures == ([TEST] if both_broken else [])


@pytest.mark.parametrize(("stock", "turbostar"), PAIRS)
def test_every_pair_of_outcomes_when_listed(stock: str, turbostar: str) -> None:
    """A listed test passes if it differs and is stale if it agrees or is not there."""
    found = compare(results(stock), results(turbostar), [listed()])
    agree = stock == turbostar or {stock, turbostar} <= BROKEN
    assert found.differences == []
    assert [item.test for item, _ in found.expected] == ([] if agree else [TEST])
    assert [item.test for item in found.stale] == ([TEST] if agree else [])
    assert found.parity is not agree


def test_a_listed_reason_is_reported() -> None:
    """The reason stands beside the difference it explains."""
    found = compare(results("passed"), results("failed"), [listed()])
    assert [reason for _, reason in found.expected] == ["on purpose"]


def test_a_partial_run_says_nothing_of_what_it_left_out() -> None:
    """With a keyword, a listed test that was not collected is not stale; one that agrees is."""
    entries = [listed(), listed("tests/test_a.py::test_elsewhere")]
    found = compare(results("passed"), results("passed"), entries, partial=True)
    assert [item.test for item in found.stale] == [TEST]


def test_the_message_is_of_the_run_that_broke() -> None:
    """A difference carries the message of the side on which the test did not pass."""
    worse = compare(results("passed"), results("failed", "boom"), [])
    better = compare(results("failed", "bang"), results("passed"), [])
    gone = compare(results("skipped", "reason"), results(MISSING), [])
    messages = [found.differences[0].message for found in (worse, better, gone)]
    assert messages == ["boom", "bang", "reason"]


def test_tests_a_mode_leaves_out_are_taken_out() -> None:
    """`without` drops tests by the beginning of their id, and keeps the rest as it is."""
    run = Results({"tests/a.py::x": "passed", "tests/b.py::y": "failed"}, {}, 2.0)
    assert run.without(["tests/a.py"]) == Results({"tests/b.py::y": "failed"}, {}, 2.0)
    assert run.without([]) is run


def test_counts_follow_the_outcomes() -> None:
    """Only outcomes that occurred are counted."""
    run = Results({"a": "passed", "b": "passed", "c": "xfailed"})
    assert run.counts() == {"passed": 2, "xfailed": 1}


def test_random_parts_of_ids_are_replaced() -> None:
    """Runs whose ids hold a value made anew each time are compared by what stays, with messages."""
    first = Results({"t.py::a[k3y-x]": "passed", "t.py::b": "failed"}, {"t.py::b": "why"}, 2.0)
    second = Results({"t.py::a[q9z-x]": "failed", "t.py::b": "failed"}, {"t.py::a[q9z-x]": "oh"})
    stock, turbostar = (run.with_steady_ids([r"(?<=\[)\w{3}(?=-)"]) for run in (first, second))
    assert stock.outcomes == {"t.py::a[RANDOM-x]": "passed", "t.py::b": "failed"}
    assert (stock.messages, stock.seconds) == ({"t.py::b": "why"}, 2.0)
    found = compare(stock, turbostar, []).differences
    assert [(item.test, item.message) for item in found] == [("t.py::a[RANDOM-x]", "oh")]


def test_ids_that_become_one_are_an_error() -> None:
    """A pattern that takes two tests for one would leave one of them out of the comparison."""
    run = Results({"t.py::a[1]": "passed", "t.py::a[2]": "failed"})
    with pytest.raises(CompatError, match=r"t\.py::a\[RANDOM\] is the id of 2 tests"):
        run.with_steady_ids([r"\d"])
