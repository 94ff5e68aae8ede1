"""What is left out of recordings: secrets, in whatever form and wherever they stand."""

from __future__ import annotations

import base64
import gzip
import json
import pathlib
import tempfile
import urllib.parse
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from turbostar.cli.record.exchange import Exchange
from turbostar.cli.record.lines import Recording
from turbostar.cli.recorded import RecordedRequest, SendBytes, SendText
from turbostar.cli.request_file import read_requests
from turbostar.cli.values import escaped, insert, names_in

_SECRET = "hunter22x"
_LOGIN = {"user": "ann", "password": _SECRET}
_JSON = json.dumps(_LOGIN)


def replayed(folder: pathlib.Path, body: bytes, kind: str = "", **fields: Any) -> RecordedRequest:
    """What is sent again of a request."""
    headers = [("content-type", kind)] if kind else []
    recording = Recording(None)
    recording.add(
        Exchange(
            target=fields.pop("target", "/"),
            method="POST",
            headers=headers + fields.pop("headers", []),
            body=body,
            **fields,
        )
    )
    file = folder / "out.jsonl"
    file.write_text(recording.text())
    assert _SECRET not in recording.text()
    (request,) = read_requests(file)
    return request


@pytest.mark.parametrize(
    "sent",
    [
        f"{_JSON}\r\n[1]\r\n",
        f"data: {_JSON}\n\n",
        json.dumps(_JSON),
        f"a=1&password={_SECRET}&b=%20",
        f"see http://a/?token={_SECRET} there",
        f"redis://:{_SECRET}@a/1",
        f"https://{_SECRET}@a/1",
        f"export API_KEY={_SECRET}; true",
        f"name: ann\npassword: {_SECRET}\n",
        f'a=\'x, password="{_SECRET}"',
        f"pin = '{_SECRET}'",
        f'password="{_SECRET}',
        f'{{"token":"{_SECRET}", "pin": {_SECRET}',
        f'{{"a":"{{\\"token\\": \\"{_SECRET}\\"}}", ',
        f"<n:pwd a='1'>{_SECRET}</n:pwd><u secret='{_SECRET}'/>",
        f"n=%E9&password={_SECRET}",
        f"--b\r\nContent-Disposition: form-data; name=pin\r\n\r\n{_SECRET}\r\n--b--",
        "mutation (\n  $token: String!\n) {\n  token: accessToken\n  login(pin: $pin) { id }\n}",
        f'mutation {{\n  login(\n    password: "{_SECRET}"\n  ) {{ id }}\n}}',
        "token:refresh",
        '{"userInfo": {"name": "ann"}, "signatures": []}',
        "the quick: brown = fox; pinned=1 <b>x</b>",
    ],
)
def test_texts(tmp_path: pathlib.Path, sent: str) -> None:
    """Values with names of secrets are found in the texts that people send; the rest stays."""
    expected = sent.replace(_SECRET, "REDACTED")
    for kind in ("text/plain", "application/json", ""):
        assert replayed(tmp_path, sent.encode(), kind).body.decode() == expected


def test_json_web_tokens(tmp_path: pathlib.Path) -> None:
    """Such a token needs no name."""
    sent = b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl!"
    assert replayed(tmp_path, sent).body == b"REDACTED!"


def test_forms_in_another_encoding(tmp_path: pathlib.Path) -> None:
    """What is not UTF-8 in a form is sent as it was."""
    body = f"n=%E9&password={_SECRET}".encode()
    sent = replayed(tmp_path, body, "application/x-www-form-urlencoded").body
    assert sent == b"n=%E9&password=REDACTED"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", {"settings": _JSON, "query": f"a=1&token={_SECRET}"}),
        ("application/json", {"variables": {"input": {"secret": [_SECRET, {"a": _SECRET}]}}}),
        ("application/json", [{"name": "password", "value": _SECRET}, {"name": "a", "value": "b"}]),
        ("application/json", {"query": f'mutation {{ login(password: "{_SECRET}") {{ id }} }}'}),
        ("application/json", {"to": f"https://ann:{_SECRET}@a/?x=1#access_token={_SECRET}"}),
    ],
)
def test_json(tmp_path: pathlib.Path, kind: str, body: Any) -> None:
    """All of a JSON document is looked through, texts within it, too."""
    found = json.loads(replayed(tmp_path, json.dumps(body).encode(), kind).body)
    assert found == json.loads(json.dumps(body).replace(_SECRET, "REDACTED"))


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_encodings(tmp_path: pathlib.Path, codec: str) -> None:
    """JSON keeps its encoding."""
    body = replayed(tmp_path, json.dumps(_LOGIN).encode(codec), "application/json").body
    assert json.loads(body) == _LOGIN | {"password": "REDACTED"}


def test_bytes(tmp_path: pathlib.Path) -> None:
    """Compressed bodies and MessagePack are unpacked; files are changed only where they tell."""
    packed = [("content-encoding", "gzip")]
    body = gzip.compress(_JSON.encode())
    request = replayed(tmp_path, body, "application/json", headers=packed)
    assert json.loads(gzip.decompress(request.body)) == _LOGIN | {"password": "REDACTED"}
    untouched = gzip.compress(b'{"a": 1}')
    assert replayed(tmp_path, untouched, "application/json", headers=packed).body == untouched
    assert replayed(tmp_path, b"no gzip", headers=packed).body == b"no gzip"
    request = replayed(tmp_path, msgspec.msgpack.encode(_LOGIN), "application/msgpack")
    assert msgspec.msgpack.decode(request.body) == _LOGIN | {"password": "REDACTED"}
    picture = bytes(range(256)) + b"{{name}} {{{{}}"
    assert replayed(tmp_path, picture, "image/png").body == picture


@pytest.mark.parametrize(
    "body",
    [
        "\ufeff".encode() * 5_000,
        b"[" * 900 + b"]" * 900,
        b"[" * 90_000,
        b"\x91" * 5_000,
        b"\x81\x80\x01",
        b"a=" * 5_000,
        b'{"a":"\\ud800"}',
    ],
)
@pytest.mark.parametrize("kind", ["", "application/json", "application/msgpack"])
def test_deep_and_strange_bodies(tmp_path: pathlib.Path, body: bytes, kind: str) -> None:
    """Nothing that is sent keeps it from being recorded."""
    assert replayed(tmp_path, body, kind).body == body
    for data in (body, body + b"\xff"):
        request = replayed(tmp_path, b"", websocket=[SendBytes(data)])
        assert request.websocket == (SendBytes(data),)


def test_messages(tmp_path: pathlib.Path) -> None:
    """Binary messages of a WebSocket are looked through like bodies."""
    sent = [_JSON.encode(), msgspec.msgpack.encode(_LOGIN), b"\xff{{name}}"]
    request = replayed(tmp_path, b"", websocket=[SendBytes(one) for one in sent])
    first, second, third = (one.data for one in request.websocket or () if type(one) is SendBytes)
    assert json.loads(first) == msgspec.msgpack.decode(second) == _LOGIN | {"password": "REDACTED"}
    assert third == sent[2]


def test_targets_and_headers(tmp_path: pathlib.Path) -> None:
    """Queries are looked through however deep they are encoded, and so are headers."""
    query = urllib.parse.urlencode({"variables": _JSON, "next": f"/?token={_SECRET}", "a": "b c"})
    headers = [
        ("referer", f"https://u:{_SECRET}@a/?{query}"),
        ("x-broken", f"http://[a/?token={_SECRET}"),
        ("x-json", _JSON),
        ("set-cookie", f"sid={_SECRET}"),
    ]
    for target in ("/oauth/token:revoke", "/password/reset", "/token/refresh?sort=pin:asc"):
        assert replayed(tmp_path, b"", target=target).path == target
    request = replayed(tmp_path, b"", target=f"/a;sessionid={_SECRET}/b?{query}", headers=headers)
    assert urllib.parse.parse_qs(request.path.partition("?")[2]) == {
        "variables": [_JSON.replace(_SECRET, "REDACTED")],
        "next": ["/?token=REDACTED"],
        "a": ["b c"],
    }
    assert dict(request.headers)["referer"].startswith("https://u:REDACTED@a/?variables=")


def test_a_known_token_where_no_place_can_be() -> None:
    """In compressed data a token that an answer gave is left out, and no value is saved for it."""
    token = "a-long-token"
    recording = Recording(None)
    answer = json.dumps({"token": token}).encode()
    kind = [("content-type", "application/json")]
    recording.add(Exchange(target="/", headers=[], answer_headers=kind, answer_body=answer))
    body = gzip.compress(json.dumps({"note": token}).encode())
    encoding = [("content-encoding", "gzip")]
    recording.add(Exchange(target="/", method="PUT", headers=kind + encoding, body=body))
    first, second = map(json.loads, recording.text().splitlines())
    assert "save" not in first
    assert token.encode() not in gzip.decompress(base64.b64decode(second["body_base64"]))


@given(st.text("{}ab"), st.text("{}ab"))
def test_escaping(before: str, after: str) -> None:
    """What is escaped comes back as it was, beside a place for a value, too."""
    written = f"{escaped(before)}{{{{value}}}}{escaped(after)}"
    assert names_in(written) == ["value"]
    assert insert(written, {"value": "7"}) == f"{before}7{after}"
    assert names_in(escaped(before + after)) == []
    assert insert(escaped(before + after), {"a": "wrong", "b": "wrong"}) == before + after


_KINDS = (
    "",
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "text/plain; charset=utf-16",
)
_TEXTS = st.text('{}[]ab"\\\\:,=&%7BD+ -;.?#/<>@\\n1\u00e9')


@given(
    body=st.binary() | _TEXTS.map(str.encode) | st.binary().map(lambda data: b"\xff{{a}}" + data),
    kind=st.sampled_from(_KINDS),
    value=_TEXTS.map(lambda text: text.replace("\n", " ")),
    query=st.text("{}ab=&%7BD;+"),
    message=_TEXTS,
    save=st.booleans(),
)
def test_all_that_holds_no_secret_is_sent_as_it_was(
    body: bytes, kind: str, value: str, query: str, message: str, save: bool
) -> None:
    """Whatever is sent, the file can be read, and the very same is sent again."""
    recording = Recording(None)
    answer = {"answer_headers": [("content-type", "application/json")]} if save else {}
    recording.add(
        Exchange(target="/", headers=[], answer_body=b'{"a": "' + b"0" * 24 + b'"}', **answer)
    )
    recording.add(Exchange(target=f"/?id={'0' * 24}", headers=[]))
    headers = [("x-note", value), ("content-type", kind)]
    target = f"/a?{query}"
    recording.add(Exchange(target=target, method="PUT", headers=headers, body=body))
    messages = [SendText(message), SendBytes(body)]
    recording.add(Exchange(target="/b", headers=[], websocket=messages))
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.write(recording.text())
        file.flush()
        *_, put, talk = read_requests(pathlib.Path(file.name))
    assert put.uses == ()
    assert (put.path, put.body) == (target, body)
    assert dict(put.headers) == {"x-note": value, "content-type": kind}
    assert talk.websocket == tuple(messages)
