"""Importing what the network panel of a browser has saved."""

from __future__ import annotations

import base64
import json
import pathlib
from typing import Any

import pytest

from tests.cli.commands import turbostar
from tests.cli.members import APP
from turbostar.cli.request_file import read_requests

Entry = dict[str, Any]


def entry(method: str, url: str, **fields: Any) -> Entry:
    """An entry as browsers write it, of which we use a part."""
    headers = fields.pop("headers", {})
    answer_headers = fields.pop("answer_headers", [])
    answer = fields.pop("answer", {"mimeType": "text/plain", "text": ""})
    request = {
        "method": method,
        "url": url,
        "httpVersion": "http/2.0",
        "headers": [{"name": name, "value": value} for name, value in headers.items()],
        "queryString": [],
        "cookies": [],
        "headersSize": -1,
        "bodySize": 0,
    }
    if "posted" in fields:
        request["postData"] = fields.pop("posted")
    response = {
        "status": 200,
        "headers": [{"name": name, "value": value} for name, value in answer_headers],
        "content": answer,
    }
    return {"startedDateTime": "2026-01-01", "request": request, "response": response, **fields}


def write(folder: pathlib.Path, *entries: Entry) -> None:
    log = {"version": "1.2", "creator": {"name": "browser", "version": "1"}, "entries": entries}
    (folder / "saved.har").write_text(json.dumps({"log": log}))


def record(folder: pathlib.Path, *options: str) -> str:
    """Import `saved.har`; what was shown."""
    done = turbostar("record", "--from-har", "saved.har", "-o", "out.jsonl", *options, cwd=folder)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return done.stderr


def lines(folder: pathlib.Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]


def test_a_login_of_a_browser(tmp_path: pathlib.Path) -> None:
    """A recorded login is one that verify can repeat: the form, its token and the cookie."""
    (tmp_path / "members.py").write_text(APP)
    token = "0123456789abcdef" * 4
    page = f'<form><input type="hidden" name="csrf_token" value="{token}"></form>'
    cookie = [("set-cookie", "session=first; path=/; httponly"), ("Content-Type", "text/html")]
    local = "http://localhost:8000"
    form = {
        "mimeType": "application/x-www-form-urlencoded",
        "text": f"user=Ann&password=sesame&csrf_token={token}",
    }
    html = {"mimeType": "text/html", "text": page}
    write(
        tmp_path,
        entry("GET", f"{local}/enter", answer=html, answer_headers=cookie),
        entry("GET", "https://fonts.example.com/font.woff2"),
        entry(
            "POST",
            f"{local}/enter",
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Cookie": "session=first",
                "Origin": local,
                "Host": "localhost:8000",
            },
            posted=form,
            answer_headers=[("set-cookie", "session=second; path=/")],
        ),
        entry(
            "GET", f"{local}/", headers={"Cookie": "session=second", "Referer": f"{local}/enter"}
        ),
        entry("GET", "data:image/png;base64,AAAA"),
    )
    shown = record(tmp_path)
    assert "left out: 2 requests to others than http://localhost:8000" in shown
    assert "3 requests recorded in out.jsonl" in shown
    assert "redacted: password (1)" in shown
    assert token not in (tmp_path / "out.jsonl").read_text()
    first, second, third = lines(tmp_path)
    assert first["jar"] == second["jar"] == third["jar"]
    assert second["form"][2] == ["csrf_token", "{{csrf_token}}"]
    assert ["origin", "http://127.0.0.1:8000"] in second["headers"]
    done = turbostar(
        "verify", "members:app", "--requests", "out.jsonl", "--json", "found.json", cwd=tmp_path
    )
    assert done.returncode == 0
    found = json.loads((tmp_path / "found.json").read_text())
    assert [check["status"] for check in found["checks"]] == [200, 200, 200]


def test_all_kinds_of_bodies(tmp_path: pathlib.Path) -> None:
    """Text, base64, and parameters without a text, as different browsers write them."""
    address = "https://shop.example.com/api?q=a|b&x={1}"
    binary = base64.b64encode(b"\x00\xff").decode()
    write(
        tmp_path,
        entry("POST", address, posted={"mimeType": "text/plain", "text": "plain é"}),
        entry("POST", address, posted={"mimeType": "x", "text": binary, "encoding": "base64"}),
        entry(
            "POST",
            address,
            headers={"content-type": "application/x-www-form-urlencoded"},
            posted={"params": [{"name": "a", "value": "1 2"}, {"name": "b"}]},
        ),
        entry("GET", f"{address}#part", headers={":authority": "shop.example.com", ":path": "/"}),
    )
    record(tmp_path)
    requests = read_requests(tmp_path / "out.jsonl")
    assert [one.body for one in requests] == ["plain é".encode(), b"\x00\xff", b"a=1+2&b=", b""]
    assert {one.path for one in requests} == {"/api?q=a|b&x=%7B1%7D"}
    assert {one.headers[0] for one in requests} == {("host", "shop.example.com")}
    assert all(not name.startswith(":") for name, _ in requests[3].headers)


def test_websocket_messages(tmp_path: pathlib.Path) -> None:
    """A WebSocket session is written with what the browser has sent, and not what it got."""
    messages = [
        {"type": "send", "opcode": 1, "data": "hello"},
        {"type": "receive", "opcode": 1, "data": "welcome"},
        {"type": "send", "opcode": 2, "data": "AAH/"},
    ]
    headers = {"Sec-WebSocket-Protocol": "chat, v2", "Upgrade": "websocket"}
    talk = entry("GET", "wss://a.example/talk", headers=headers, _webSocketMessages=messages)
    write(tmp_path, entry("GET", "https://a.example/"), talk)
    record(tmp_path)
    _, line = lines(tmp_path)
    assert line == {
        "path": "/talk",
        "headers": [["host", "a.example"]],
        "websocket": [{"text": "hello"}, {"bytes_base64": "AAH/"}],
        "subprotocols": ["chat", "v2"],
    }


def test_another_origin(tmp_path: pathlib.Path) -> None:
    """`--origin` takes the requests to another server than that of the first request."""
    write(
        tmp_path,
        entry("GET", "https://www.example.com/page"),
        entry("GET", "https://api.example.com/data"),
    )
    record(tmp_path, "--origin", "https://API.example.com/")
    assert [line["path"] for line in lines(tmp_path)] == ["/data"]


@pytest.mark.parametrize(
    ("content", "options", "cause"),
    [
        (None, [], "saved.har: No such file or directory; give a readable file"),
        ("{", [], "saved.har: is no HAR file (JSONDecodeError: "),
        ('{"log": {}}', [], "saved.har: is no HAR file (KeyError: 'entries')"),
        ('{"log": {"entries": [{}]}}', [], "saved.har: is no HAR file (KeyError: 'request')"),
        ('{"log": {"entries": []}}', [], "has no request to None; it has requests to: none"),
        (
            [entry("GET", "http://a/")],
            ["--origin", "http://b"],
            "has no request to http://b; it has requests to: http://a",
        ),
        ([entry("GET", "http://a/")], ["--origin", "b"], "--origin b: is no address; write it as"),
        (
            [entry("GET", "http://a/", headers={"a": 1}, posted={"text": 1})],
            [],
            "saved.har: request 1 to http://a is broken (",
        ),
    ],
)
def test_mistakes(
    tmp_path: pathlib.Path, content: str | list[Entry] | None, options: list[str], cause: str
) -> None:
    """A file that is none, or the wrong one, is told in one line; nothing is written."""
    if isinstance(content, str):
        (tmp_path / "saved.har").write_text(content)
    elif content is not None:
        write(tmp_path, *content)
    done = turbostar("record", "--from-har", "saved.har", "-o", "out.jsonl", *options, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert cause in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out.jsonl").exists()


def test_a_form_in_parts(tmp_path: pathlib.Path) -> None:
    """Where a browser has saved the fields alone, the parts are put together again."""
    kind = "multipart/form-data; boundary=b"
    fields = [
        {"name": "password", "value": "sesame"},
        {"name": "note", "value": "sweet", "fileName": "a.txt", "contentType": "text/plain"},
    ]
    posted = {"mimeType": kind, "params": fields}
    write(
        tmp_path,
        entry("POST", "http://a.example/", posted=posted, headers={"content-type": kind}),
    )
    record(tmp_path)
    (request,) = read_requests(tmp_path / "out.jsonl")
    assert request.body == (
        b'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nREDACTED\r\n'
        b'--b\r\nContent-Disposition: form-data; name="note"; filename="a.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\nsweet\r\n--b--\r\n"
    )
