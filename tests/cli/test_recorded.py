"""Reading request files."""

from __future__ import annotations

import pathlib

import msgspec
import pytest

from turbostar.cli.errors import UserError
from turbostar.cli.recorded import Close, RecordedRequest, SendBytes, SendText
from turbostar.cli.request_file import read_requests


def read(tmp_path: pathlib.Path, *lines: str) -> list[RecordedRequest]:
    path = tmp_path / "requests.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return read_requests(path)


def test_a_path_is_enough(tmp_path: pathlib.Path) -> None:
    """Everything but the path has the documented default; blank lines are skipped."""
    (request,) = read(tmp_path, "", '{"path": "/a?b=1"}', "  ")
    assert request == RecordedRequest(name="GET /a?b=1", method="GET", path="/a?b=1")
    assert (request.mix, request.bench, request.chunks, request.jar) == ("all", True, 1, None)


@pytest.mark.parametrize(
    ("field", "body", "content_type"),
    [
        ('"body": "é"', "é".encode(), None),
        ('"body_base64": "AAH/"', b"\x00\x01\xff", None),
        ('"json": null', b"null", "application/json"),
        (
            '"json": {"b": [1, 12345678901234567890123], "a": "é"}',
            '{"b":[1,12345678901234567890123],"a":"é"}'.encode(),
            "application/json",
        ),
        ('"form": [["a", "1 2"], ["a", "&"]]', b"a=1+2&a=%26", "application/x-www-form-urlencoded"),
    ],
)
def test_bodies(tmp_path: pathlib.Path, field: str, body: bytes, content_type: str | None) -> None:
    """Each kind of body is encoded as documented and brings its content-type."""
    (request,) = read(tmp_path, f'{{"path": "/", "method": "POST", {field}}}')
    assert request.body == body
    assert dict(request.headers).get("content-type") == content_type


def test_a_given_content_type_stays(tmp_path: pathlib.Path) -> None:
    """The content-type of `json` does not replace one in `headers`, whatever its case."""
    (request,) = read(tmp_path, '{"path": "/", "headers": [["Content-Type", "x/y"]], "json": 1}')
    assert request.headers == (("Content-Type", "x/y"),)


def test_repeat_and_chunks(tmp_path: pathlib.Path) -> None:
    """A body is repeated, then cut into pieces of almost equal size."""
    (request,) = read(tmp_path, '{"path": "/", "body": "abcde", "repeat": 2, "chunks": 3}')
    assert request.body == b"abcdeabcde"
    assert request.body_pieces() == [b"abcd", b"eab", b"cde"]


def test_websocket(tmp_path: pathlib.Path) -> None:
    """Messages of a WebSocket session survive the way to another process."""
    (request,) = read(
        tmp_path,
        '{"path": "/ws", "subprotocols": ["chat"], "websocket": '
        '[{"text": "a"}, {"bytes_base64": "AAE="}, {"close": 4001}]}',
    )
    assert request.websocket == (SendText("a"), SendBytes(b"\0\1"), Close(4001))
    assert request.subprotocols == ("chat",)
    data = msgspec.msgpack.encode(request)
    assert msgspec.msgpack.decode(data, type=RecordedRequest) == request


def test_wire_headers() -> None:
    """Host, content-length and cookies are added unless the request has its own."""
    request = RecordedRequest(name="n", path="/", headers=(("X", "é"),), body=b"abc")
    assert request.wire_headers(host="h", cookie="c=1") == [
        (b"host", b"h"),
        (b"X", b"\xe9"),
        (b"content-length", b"3"),
        (b"cookie", b"c=1"),
    ]
    own = (("Host", "other"), ("Cookie", "d=2"), ("Transfer-Encoding", "chunked"))
    request = RecordedRequest(name="n", path="/", headers=own, body=b"abc")
    assert [name for name, _ in request.wire_headers(host="h", cookie="c=1")] == [
        b"Host",
        b"Cookie",
        b"Transfer-Encoding",
    ]


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("{", "truncated"),
        ("[]", "object"),
        ("{}", "path"),
        ('{"path": "/", "pth": 1}', "pth"),
        ('{"path": "a"}', "must start with '/'"),
        ('{"path": "/é"}', "ASCII"),
        ('{"path": "/a b"}', "ASCII"),
        ('{"path": "/", "method": "G T"}', "HTTP method"),
        ('{"path": "/", "headers": [["a:", "b"]]}', "name of a header"),
        ('{"path": "/", "headers": [["a", "€"]]}', "latin-1"),
        ('{"path": "/", "headers": [["a", "b\\r\\nc: d"]]}', "line break"),
        ('{"path": "/", "body": "a", "json": 1}', "exclude each other"),
        ('{"path": "/", "body_base64": "a"}', "not base64"),
        ('{"path": "/", "json": 1e999}', "JSON compliant"),
        ('{"path": "/", "body": "a", "repeat": 0}', "`repeat` must be at least 1"),
        ('{"path": "/", "body": "a", "repeat": 100000001}', "`repeat` must be at most 100,000,000"),
        ('{"path": "/", "repeat": 2}', "`repeat` needs a body"),
        ('{"path": "/", "body": "ab", "chunks": 3}', "more than the 2 bytes"),
        ('{"path": "/", "subprotocols": ["a"]}', "only with `websocket`"),
        ('{"path": "/", "websocket": [], "method": "GET"}', "`websocket` excludes"),
        ('{"path": "/", "websocket": [], "body": "a"}', "`websocket` excludes"),
        ('{"path": "/", "websocket": [{"txt": "a"}]}', "none of the messages"),
        ('{"path": "/", "websocket": [{"close": 1}]}', "none of the messages"),
        ('{"path": "/", "websocket": [{"close": 1000}, {"text": "a"}]}', "follow a `close`"),
    ],
)
def test_broken_lines(tmp_path: pathlib.Path, line: str, cause: str) -> None:
    """A line that is no request is refused in one line, with the place and the cause."""
    with pytest.raises(UserError) as caught:
        read(tmp_path, '{"path": "/"}', line)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'requests.jsonl'}:2: ")
    assert cause in message
    assert "\n" not in message


def test_unusable_files(tmp_path: pathlib.Path) -> None:
    """A missing file, a directory and an empty file are mistakes of the user."""
    with pytest.raises(UserError, match="No such file"):
        read_requests(tmp_path / "missing.jsonl")
    with pytest.raises(UserError, match="directory"):
        read_requests(tmp_path)
    with pytest.raises(UserError, match="holds no request"):
        read(tmp_path, "")
