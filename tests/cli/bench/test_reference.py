"""Which parts of stock's answers can be relied on."""

from __future__ import annotations

import pytest

from turbostar.cli.bench.answers import Answer
from turbostar.cli.bench.exchange import difference
from turbostar.cli.bench.reference import Reference, replayed
from turbostar.cli.bench.serial import SerialAnswer
from turbostar.cli.errors import UserError
from turbostar.cli.recorded import RecordedRequest


def _sent(body: bytes, status: int = 200, **headers: str) -> SerialAnswer:
    pairs = tuple((name.encode(), value.encode()) for name, value in headers.items())
    return (b"sent",), Answer(status, pairs, body, True)


def _learned(*settled: SerialAnswer, fresh: SerialAnswer | None = None) -> Reference:
    reference = Reference([RecordedRequest(name="one", path="/")], [])
    reference.learn([fresh or settled[0]], [[answer] for answer in settled])
    return reference


def _accepts(reference: Reference, answer: SerialAnswer) -> bool:
    (exchange,) = reference.exchanges([answer])
    assert answer[1] is not None
    return difference(exchange.expected, answer[1]) is None


def test_only_plain_http_is_replayed() -> None:
    """WebSockets, disconnects and what is not for the load are left out, cookie jars filled."""
    requests = [
        RecordedRequest(name="plain", path="/"),
        RecordedRequest(name="socket", path="/", websocket=()),
        RecordedRequest(name="gone", path="/", disconnect=True),
        RecordedRequest(name="verify only", path="/", bench=False),
        RecordedRequest(name="login", path="/", bench=False, jar="user"),
    ]
    assert [request.name for request in replayed(requests)] == ["plain", "login"]


def test_stable_answers_are_compared_in_full() -> None:
    """An answer that repeats is compared with headers and body."""
    reference = _learned(_sent(b"a", x="1"), _sent(b"a", x="1"))
    assert _accepts(reference, _sent(b"a", x="1"))
    assert not _accepts(reference, _sent(b"a", x="2"))
    assert not _accepts(reference, _sent(b"b", x="1"))
    assert not reference.notes


def test_a_varying_header_is_left_out() -> None:
    """If one header's value varies, the others and the body are still compared."""
    reference = _learned(_sent(b"a", x="1", y="1"), _sent(b"a", x="2", y="1"))
    assert _accepts(reference, _sent(b"a", x="3", y="1"))
    assert not _accepts(reference, _sent(b"a", x="3", y="2"))
    assert not _accepts(reference, _sent(b"b", x="3", y="1"))
    assert "without x" in reference.notes[0].text


@pytest.mark.parametrize("other", [_sent(b"b"), _sent(b"a", x="1")])
def test_a_varying_answer_keeps_its_status(other: SerialAnswer) -> None:
    """If the body or the set of headers varies, the status is compared."""
    reference = _learned(_sent(b"a"), other)
    assert _accepts(reference, _sent(b"c", z="9"))
    assert not _accepts(reference, _sent(b"a", status=500))
    assert "status only" in reference.notes[0].text


def test_a_varying_status_leaves_nothing_to_measure() -> None:
    """A request whose status varies is left out, and said to be."""
    reference = _learned(_sent(b"a"), _sent(b"a", status=404))
    assert reference.exchanges([_sent(b"a")]) == []
    assert "200 and 404" in reference.left_out[0].text
    with pytest.raises(UserError, match="no request is left"):
        reference.mixes([])


def test_what_happens_once_is_noted() -> None:
    """A request that succeeds once and then conflicts is measured as it then is."""
    conflict = _sent(b"", status=409)
    reference = _learned(conflict, conflict, fresh=_sent(b"", status=201))
    assert _accepts(reference, conflict)
    assert "201 once, then with 409" in reference.notes[0].text


def test_load_can_take_reliance_away() -> None:
    """What stock answers differently under load is compared less, or left out."""
    reference = Reference([RecordedRequest(name=name, path="/") for name in "abc"], [])
    answers = [_sent(b"x"), _sent(b"y"), _sent(b"z")]
    reference.learn(answers, [answers])
    reference.exclude({1: "status 500 instead of 200", 2: "body"})
    first, last = reference.exchanges(answers)
    assert (first.name, first.expected.body) == ("a", b"x")
    assert (last.name, last.expected.body) == ("c", None)


def test_mixes() -> None:
    """`all` holds every request; a named mix its own; a name that is none is an error."""
    mixes = ["all", "json", "json", "errors"]
    requests = [RecordedRequest(name="x", path="/", mix=mix) for mix in mixes]
    reference = Reference(requests, [])
    answers = [_sent(b"x")] * 4
    reference.learn(answers, [answers])
    assert reference.mixes([]) == {"all": (0, 1, 2, 3), "json": (1, 2), "errors": (3,)}
    assert reference.mixes(["errors"]) == {"errors": (3,)}
    with pytest.raises(UserError, match=r"'jsn'; the mixes are all, json, errors"):
        reference.mixes(["jsn"])
