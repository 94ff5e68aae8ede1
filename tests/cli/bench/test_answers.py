"""The parser of answers."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from turbostar.cli.bench.answers import Answer, AnswerError, AnswerParser

_NAMES = st.sampled_from(["x-one", "X-Two", "content-type", "Set-Cookie"])
_VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12)


@st.composite
def _answers(draw: st.DrawFn) -> tuple[bytes, bool, Answer]:
    """The bytes of an answer, whether it answers a HEAD, and what it means."""
    to_head = draw(st.booleans())
    status = draw(st.sampled_from([200, 201, 204, 304, 404, 500]))
    headers = [(name.lower(), value) for name, value in draw(st.lists(st.tuples(_NAMES, _VALUES)))]
    body = draw(st.binary(max_size=60))
    chunked = draw(st.booleans())
    close = draw(st.booleans())
    if close:
        headers.append(("connection", "close"))
    if chunked:
        headers.append(("transfer-encoding", "chunked"))
    else:
        headers.append(("content-length", str(len(body))))
    head = f"HTTP/1.1 {status} Reason\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
    bodiless = to_head or status in (204, 304)
    wire = body
    if chunked:
        cut = draw(st.integers(0, len(body)))
        pieces = [piece for piece in (body[:cut], body[cut:]) if piece]
        wire = b"".join(b"%x;e=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        wire += b"0\r\n" + draw(st.sampled_from([b"", b"trailer: 1\r\n"])) + b"\r\n"
    interim = draw(st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n"]))
    answer = Answer(
        status,
        tuple((name.encode(), value.encode()) for name, value in headers),
        b"" if bodiless else body,
        not close,
    )
    return interim + head.encode() + (b"" if bodiless else wire), to_head, answer


@given(_answers(), st.data())
def test_any_chunking_gives_the_same_answer(
    case: tuple[bytes, bool, Answer], data: st.DataObject
) -> None:
    """However the bytes are cut, the answer is complete at its last byte and the same."""
    wire, to_head, expected = case
    cuts = sorted(data.draw(st.sets(st.integers(1, len(wire) - 1), max_size=8)))
    parser = AnswerParser(to_head=to_head)
    starts, ends = [0, *cuts], [*cuts, len(wire)]
    found = [parser.feed(wire[start:end]) for start, end in zip(starts, ends, strict=True)]
    assert found == [None] * (len(found) - 1) + [expected]


@given(_answers())
def test_every_byte_counts(case: tuple[bytes, bool, Answer]) -> None:
    """An answer that lacks its last byte is incomplete, and its end is an error."""
    wire, to_head, _ = case
    parser = AnswerParser(to_head=to_head)
    assert parser.feed(wire[:-1]) is None
    with pytest.raises(AnswerError, match="closed"):
        parser.end()


@pytest.mark.parametrize("to_head", [False, True])
@pytest.mark.parametrize("close", [b"", b"connection: close\r\n"])
@pytest.mark.parametrize("more", [b"more", b"HTTP/1.1 500 Again\r\n\r\n"])
def test_bytes_after_the_answer(to_head: bool, close: bytes, more: bytes) -> None:
    """What follows the answer is an error, and not taken for a part of it."""
    body = b"" if to_head else b"ok"
    wire = b"HTTP/1.1 200 OK\r\n" + close + b"content-length: 2\r\n\r\n" + body + more
    with pytest.raises(AnswerError, match="bytes after the answer"):
        AnswerParser(to_head=to_head).feed(wire)


def test_interim_answers_are_skipped() -> None:
    """Early hints and their headers are no part of the answer."""
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    assert AnswerParser().feed(hints + b"HTTP/1.1 204 No Content\r\n\r\n") == Answer(
        204, (), b"", True
    )


def test_trailers_are_no_headers() -> None:
    """What follows the last chunk is left out."""
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    answer = AnswerParser().feed(head + b"1\r\na\r\n0\r\nchecksum: 1\r\n\r\n")
    assert answer is not None
    assert answer.headers == ((b"transfer-encoding", b"chunked"),)


def test_a_body_may_end_with_the_connection() -> None:
    """Without a length the body goes on to the end, and the connection is not kept."""
    parser = AnswerParser()
    assert parser.feed(b"HTTP/1.1 200 OK\r\n\r\nhal") is None
    assert parser.feed(b"lo") is None
    assert parser.end() == Answer(200, (), b"hallo", False)


@pytest.mark.parametrize(
    ("version", "header", "kept"),
    [
        ("1.1", "", True),
        ("1.1", "connection: Close\r\n", False),
        ("1.0", "", False),
        ("1.0", "connection: keep-alive\r\n", True),
    ],
)
def test_keep_alive(version: str, header: str, kept: bool) -> None:
    """Whether the connection is kept follows the version and the connection header."""
    wire = f"HTTP/{version} 200 OK\r\n{header}content-length: 0\r\n\r\n".encode()
    answer = AnswerParser().feed(wire)
    assert answer is not None
    assert answer.keep_alive is kept


@pytest.mark.parametrize(
    "wire",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nspace : 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0x1\r\na\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n",
    ],
)
def test_malformed_answers_are_refused(wire: bytes) -> None:
    """What is not HTTP/1.1 is an error, not an answer."""
    with pytest.raises(AnswerError):
        AnswerParser().feed(wire)
