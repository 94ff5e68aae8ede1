"""Requests as bytes, and comparing answers."""

from __future__ import annotations

import pytest

from turbostar.cli.bench.answers import Answer
from turbostar.cli.bench.exchange import difference, expect, wire_pieces
from turbostar.cli.recorded import RecordedRequest


def _answer(
    status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = (), body: bytes = b"body"
) -> Answer:
    return Answer(status, headers, body, True)


def test_wire_form_of_a_request() -> None:
    """Host, length and cookie are added; the body is cut into its pieces."""
    request = RecordedRequest(name="x", method="POST", path="/a?b", body=b"12345", chunks=2)
    first, second = wire_pieces(request, "k=v")
    assert first == (
        b"POST /a?b HTTP/1.1\r\nhost: testserver\r\ncontent-length: 5\r\ncookie: k=v\r\n\r\n123"
    )
    assert second == b"45"


def test_wire_form_of_a_chunked_request() -> None:
    """With transfer-encoding every piece is a chunk, and the last is followed by the end."""
    headers = (("transfer-encoding", "chunked"),)
    request = RecordedRequest(name="x", path="/", headers=headers, body=b"12345", chunks=2)
    first, second = wire_pieces(request, None)
    assert first.endswith(b"\r\n\r\n3\r\n123\r\n")
    assert second == b"2\r\n45\r\n0\r\n\r\n"


def test_order_date_and_cookies_do_not_matter() -> None:
    """Headers are compared as a sorted list without those that vary by nature or by request."""
    expected = expect(_answer(headers=((b"a", b"1"), (b"b", b"2"), (b"date", b"x"))), [b"x-id"])
    same = ((b"b", b"2"), (b"set-cookie", b"k"), (b"a", b"1"), (b"x-id", b"9"))
    assert difference(expected, _answer(headers=same)) is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (_answer(status=500), "status 500 instead of 200"),
        (_answer(), "headers: without a: 1"),
        (_answer(headers=((b"a", b"2"),)), "headers: without a: 1 and with a: 2"),
        (_answer(headers=((b"a", b"1"), (b"a", b"1"))), "different number of times"),
        (_answer(headers=((b"a", b"1"),), body=b"bodY"), "from byte 3: b'bodY' instead of"),
    ],
)
def test_differences_are_named(answer: Answer, words: str) -> None:
    """What is wrong is said in words, status first."""
    wrong = difference(expect(_answer(headers=((b"a", b"1"),)), []), answer)
    assert wrong is not None
    assert words in wrong
