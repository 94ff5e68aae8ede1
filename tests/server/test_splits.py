"""However the bytes of a client are cut into pieces, what it is answered is the same."""

from __future__ import annotations

from hypothesis import given, strategies as st

from tests.server.apps import echo
from tests.server.test_same_answers import REQUESTS
from tests.server.wire import OURS, STOCK, hear

_STREAMS = st.lists(st.sampled_from(sorted(REQUESTS)), min_size=1, max_size=4).map(
    lambda names: b"".join(b"".join(REQUESTS[name])[:2000] for name in names)
)


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """The stream in pieces that end at these places."""
    ends = sorted({place % len(stream) for place in places} - {0})
    return [stream[at:end] for at, end in zip([0, *ends], [*ends, len(stream)], strict=True)]


def final_answers(written: bytes) -> bytes:
    """What was written, without word that the body is welcome, which depends on what was there."""
    return written.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")


@given(stream=_STREAMS, places=st.lists(st.integers(0, 10_000), max_size=30))
def test_any_split(stream: bytes, places: list[int]) -> None:
    """Requests of every kind behind one another, good and bad, in any pieces."""
    # In which all of 120 requests are answered that have come at once.
    whole = hear(OURS, echo, stream, turns=200)
    split = hear(OURS, echo, *cut(stream, places), turns=200)
    assert final_answers(split.written) == final_answers(whole.written)
    assert (split.is_closed, split.tasks) == (whole.is_closed, whole.tasks)


@given(stream=_STREAMS)
def test_byte_by_byte(stream: bytes) -> None:
    """The same, and as stock answers what comes byte by byte, if nothing is refused or declined."""
    pieces = [stream[at : at + 1] for at in range(len(stream))]
    ours, stock = (hear(side, echo, *pieces, turns=4) for side in (OURS, STOCK))
    assert final_answers(ours.written) == final_answers(stock.written)
    assert ours.is_closed == stock.is_closed


@given(st.binary(max_size=200), st.lists(st.integers(0, 10_000), max_size=5))
def test_noise(noise: bytes, places: list[int]) -> None:
    """Bytes that mean nothing, alone and behind the beginning of a request."""
    for lead in (
        b"",
        b"GET / HTTP/1.1\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ):
        stream = lead + noise
        pieces = cut(stream, places) if stream else [b""]
        heard = hear(OURS, echo, *pieces)
        assert heard.is_closed == (b"connection: close" in heard.written)
