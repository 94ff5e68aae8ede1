"""`turbostar record`: what is really sent becomes a file that verify and bench can send again."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.cli.commands import turbostar
from tests.cli.members import APP
from turbostar.cli.recorded import SendBytes, SendText
from turbostar.cli.request_file import read_requests
from turbostar.cli.session import Session


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A directory with the application."""
    (tmp_path / "members.py").write_text(APP)
    return tmp_path


@contextlib.contextmanager
def recording(
    folder: pathlib.Path, *options: str, stop: int = signal.SIGINT
) -> Iterator[tuple[str, list[str]]]:
    """Record while the block runs; give the address, and a list of the lines shown at the end."""
    command = [sys.executable, "-m", "turbostar", "record", "members:app"]
    process = subprocess.Popen(
        [*command, "--output", "out.jsonl", "--port", "0", *options],
        cwd=folder,
        env=os.environ | {"NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    shown: list[str] = []
    try:
        assert process.stderr is not None
        first = process.stderr.readline()
        found = re.fullmatch(r"recording what is sent to (http://\S+); Ctrl-C ends it\n", first)
        assert found is not None, first
        yield found[1], shown
        process.send_signal(stop)
        out, err = process.communicate(timeout=60)
        assert out == ""
        shown += err.splitlines()
        assert process.returncode == (0 if stop == signal.SIGINT else 128 + stop), err
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def lines(folder: pathlib.Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]


def statuses(folder: pathlib.Path, *options: str) -> list[int]:
    """Verify with what was recorded; the statuses of all answers."""
    found = folder / "found.json"
    arguments = ["verify", "members:app", "--requests", "out.jsonl", "--json", found, *options]
    done = turbostar(*arguments, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return [check["status"] for check in json.loads(found.read_text())["checks"]]


def test_a_session_is_replayed(folder: pathlib.Path) -> None:
    """A login with a protected form, recorded from a client, works again without its secrets."""
    with recording(folder) as (address, shown), httpx.Client(base_url=address) as client:
        page = client.get("/enter?next=%2Fhome")
        found = re.search(r'value="(\w+)"', page.text)
        assert found is not None
        data = {"user": "Ann", "password": "open sesame", "csrf_token": found[1]}
        assert client.post("/enter", data=data).text == "welcome"
        assert client.get("/").text == "hello Ann"
        assert httpx.get(f"{address}/").status_code == 401
    assert shown == [
        "4 requests recorded in out.jsonl",
        "redacted: password (1)",
        "--keep NAME writes values of that name as they are",
    ]
    text = (folder / "out.jsonl").read_text()
    assert "sesame" not in text
    assert found[1] not in text
    assert "session=" not in text
    page_line, enter, home, other = lines(folder)
    assert page_line["path"] == "/enter?next=%2Fhome"
    assert page_line["save"].keys() == {"csrf_token"}
    assert enter["form"] == [
        ["user", "Ann"],
        ["password", "REDACTED"],
        ["csrf_token", "{{csrf_token}}"],
    ]
    assert (enter["method"], enter["bench"]) == ("POST", False)
    assert page_line["jar"] == enter["jar"] == home["jar"]
    assert "jar" not in other
    assert statuses(folder) == [200, 200, 200, 401]
    assert statuses(folder, "--no-seed") == [200, 200, 200, 401]


def test_a_bearer_token_is_replayed(folder: pathlib.Path) -> None:
    """A token from an answer is saved there and used later; one from elsewhere is left out."""
    with recording(folder) as (address, _), httpx.Client(base_url=address) as client:
        credentials = {"user": "Ann", "password": "sesame", "age": 34, "max_tokens": 3}
        token = client.post("/token", json=credentials).json()["access_token"]
        for given in (token, "of-another-server"):
            client.get("/me", headers={"authorization": f"Bearer {given}"})
        client.get(f"/me?token={token}&api_key=abcdef&page=2")
    first, own, foreign, query = lines(folder)
    assert first["json"] == credentials | {"password": "REDACTED"}
    assert first["save"] == {"access_token": "json:/access_token"}
    assert dict(own["headers"])["authorization"] == "Bearer {{access_token}}"
    assert dict(foreign["headers"])["authorization"] == "Bearer REDACTED"
    assert query["path"] == "/me?token={{access_token}}&api_key=REDACTED&page=2"
    assert statuses(folder, "--no-seed") == [200, 200, 401, 401]


def test_names_of_secrets(folder: pathlib.Path) -> None:
    """`--keep` writes what is left out otherwise, `--redact` leaves out more."""
    options = ["--keep", "password", "--keep", "cookie", "--redact", "shoe-size"]
    with recording(folder, *options) as (address, shown):
        data = {"password": "sesame", "ShoeSize": 42, "nested": [{"left_shoe_size": "41"}]}
        headers = {"cookie": "session=forged", "x-api-key": "key"}
        httpx.post(f"{address}/token", json=data, headers=headers)
    (line,) = lines(folder)
    assert line["json"] == {
        "password": "sesame",
        "ShoeSize": "REDACTED",
        "nested": [{"left_shoe_size": "REDACTED"}],
    }
    assert ["cookie", "session=forged"] in line["headers"]
    assert ["x-api-key", "REDACTED"] in line["headers"]
    (redacted,) = (line for line in shown if line.startswith("redacted: "))
    assert sorted(redacted[10:].split(", ")) == [
        "ShoeSize (1)",
        "left_shoe_size (1)",
        "x-api-key (1)",
    ]


def test_cookies_from_before(folder: pathlib.Path) -> None:
    """Cookies that no recorded answer has set are left out, and the end says so."""
    with recording(folder) as (address, shown):
        httpx.get(f"{address}/", headers={"cookie": "session=from-before"})
    (line,) = lines(folder)
    assert "from-before" not in json.dumps(line)
    assert "1 request sent cookies that no recorded answer had set: these are left out" in shown


def test_bodies(folder: pathlib.Path) -> None:
    """Bodies are written whole: text, bytes, files beside redacted fields, and unread ones."""
    bodies: list[dict[str, Any]] = [
        {"content": b"plain \xc3\xa9"},
        {"content": b"\x00\xff"},
        {"content": b'{ "spaced": 1 }', "headers": {"content-type": "application/json"}},
        {"content": iter([b"in ", b"two"])},
        {
            "files": {
                "password": (None, "sesame"),
                "private-key": ("a.key", b"\xfesesame"),
                "note": ("a.txt", b"sweet"),
                "photo": ("a.bin", b"\x00\xff"),
            }
        },
        {"content": b"{{not_ours}}"},
    ]
    with recording(folder) as (address, _):
        for body in bodies:
            httpx.put(f"{address}/ignored", **body)
    plain, binary, spaced, chunked, form, braces = lines(folder)
    assert plain["body"] == "plain é"
    assert binary["body_base64"] == "AP8="
    assert spaced["body"] == '{ "spaced": 1 }'
    assert chunked["body"] == "in two"
    assert braces["body"] == "{{{{}}not_ours}}"
    requests = read_requests(folder / "out.jsonl")
    assert requests[5].body == b"{{not_ours}}"
    assert b"sesame" not in requests[4].body
    assert b'name="password"\r\n\r\nREDACTED\r\n' in requests[4].body
    assert b'filename="a.key"\r\n' in requests[4].body
    assert b"\r\n\r\nsweet\r\n" in requests[4].body
    assert b"\x00\xff" in requests[4].body
    for line in (plain, chunked, form):
        names = {name for name, _ in line["headers"]}
        assert not names & {"host", "content-length", "transfer-encoding", "connection"}
    assert statuses(folder) == [204] * 6


def test_websocket(folder: pathlib.Path) -> None:
    """A WebSocket session is written with what its client has sent."""
    connect = pytest.importorskip("websockets.sync.client").connect
    with (
        recording(folder) as (address, _),
        connect(f"ws{address[4:]}/talk?token=abc", subprotocols=["chat"]) as client,
    ):
        client.send("hello")
        assert client.recv() == "hello"
        client.send('{"password": "sesame", "n": 1}')
        assert client.recv()
        client.close(4001)
    (line,) = lines(folder)
    assert line["path"] == "/talk?token=REDACTED"
    assert line["subprotocols"] == ["chat"]
    assert line["websocket"] == [
        {"text": "hello"},
        {"text": '{"password": "REDACTED", "n": 1}'},
        {"close": 4001},
    ]
    assert not {name for name, _ in line["headers"]} & {"upgrade", "sec-websocket-key"}
    assert statuses(folder) == [None]


_LITERAL = "{{name}} {{{{}} {{csrf_token}}"


def test_braces_are_sent_as_they_were(folder: pathlib.Path) -> None:
    """Two braces that a client sends are no place for a value, wherever they stand."""
    connect = pytest.importorskip("websockets.sync.client").connect
    with recording(folder) as (address, _), httpx.Client(base_url=address) as client:
        found = re.search(r'value="(\w+)"', client.get("/enter").text)
        assert found is not None
        both = {"csrf_token": found[1], "template": _LITERAL}
        client.put("/ignored", headers={"x-template": _LITERAL}, content=_LITERAL)
        client.put(f"/ignored?{urllib.parse.urlencode(both)}", data=both)
        client.put("/ignored", json=both)
        with connect(f"ws{address[4:]}/talk", subprotocols=["chat"]) as socket:
            for text in (_LITERAL, json.dumps(both)):
                socket.send(text)
                assert socket.recv() == text
    assert found[1] not in (folder / "out.jsonl").read_text()
    session = Session()
    session.learn(
        read_requests(folder / "out.jsonl")[0],
        200,
        [],
        f'<form><input type="hidden" name="csrf_token" value="{found[1]}">'.encode(),
        now=0,
    )
    _, text, form, body, talk = (
        session.prepare(one)[0] for one in read_requests(folder / "out.jsonl")
    )
    assert dict(text.headers)["x-template"] == _LITERAL
    assert text.body == _LITERAL.encode()
    assert dict(urllib.parse.parse_qsl(form.path.partition("?")[2])) == both
    assert form.body == urllib.parse.urlencode(both).encode()
    assert json.loads(body.body) == both
    assert talk.websocket is not None
    assert talk.websocket[:2] == (SendText(_LITERAL), SendText(json.dumps(both)))
    assert statuses(folder) == [200, 204, 204, 204, None]


def test_secrets_in_all_places(folder: pathlib.Path) -> None:
    """No secret is written, however it is encoded, and verify takes what is."""
    connect = pytest.importorskip("websockets.sync.client").connect
    secret = {"user": "Ann", "password": "hunter22x"}
    text = json.dumps(secret)
    typed: list[tuple[str, bytes]] = [
        ("application/x-ndjson", f"{text}\n{text}\n".encode()),
        ("application/json; charset=iso-8859-1", '{"é": 1, "pwd": "hunter22x"}'.encode("latin-1")),
        ("application/json", text.encode("utf-16")),
        ("multipart/form-data; boundary=b", b"--b\r\n%b; name=password\r\n\r\nhunter22x\r\n--b--"
         % b"Content-Disposition: form-data"),
    ]  # fmt: skip
    headers = {
        "location": "https://ann:hunter22x@example.org/?token=hunter22x",
        "referer": "https://example.org/?next=%2F%3Ftoken%3Dhunter22x",
        "link": "<https://example.org/?api_key=hunter22x>; rel=next",
    }
    with recording(folder) as (address, _), httpx.Client(base_url=address) as client:
        for kind, body in typed:
            client.put("/ignored", headers={"content-type": kind}, content=body)
        client.put("/ignored", headers=headers, data={"settings": text})
        with connect(f"ws{address[4:]}/talk", subprotocols=["chat"]) as socket:
            socket.send(text.encode())
    assert "hunter22x" not in (folder / "out.jsonl").read_text()
    for request in read_requests(folder / "out.jsonl"):
        sent = [one.data for one in request.websocket or () if isinstance(one, SendBytes)]
        assert not any(b"hunter22x" in one.replace(b"\0", b"") for one in (request.body, *sent))
    assert statuses(folder) == [204, 204, 204, 204, 204, None]


def test_the_host_of_others_stays(folder: pathlib.Path) -> None:
    """A host that routes may ask for is written; of pages on this server, the address is mended."""
    with recording(folder) as (address, _):
        httpx.get(f"{address}/", headers={"host": "api.example.org"})
        httpx.get(f"{address}/", headers={"referer": f"{address}/a?token=abc", "origin": address})
    first, second = lines(folder)
    assert first["headers"][0] == ["host", "api.example.org"]
    headers = dict(second["headers"])
    assert headers["referer"] == "http://127.0.0.1:8000/a?token=REDACTED"
    assert headers["origin"] == "http://127.0.0.1:8000"


def test_the_file_is_complete_at_any_time(folder: pathlib.Path) -> None:
    """Each request is in the file once it is answered, and SIGTERM ends the recording as well."""
    with recording(folder, stop=signal.SIGTERM) as (address, shown):
        httpx.get(f"{address}/")
        assert len(lines(folder)) == 1
        httpx.get(f"{address}/")
        assert len(lines(folder)) == 2
    assert shown == []


def test_bench_measures_what_was_recorded(folder: pathlib.Path) -> None:
    """`bench` takes a recorded session: it logs in, and puts load on what only reads."""
    with recording(folder) as (address, _), httpx.Client(base_url=address) as client:
        token = client.post("/token").json()["access_token"]
        client.get("/me", headers={"authorization": f"Bearer {token}"})
    options = ["--rounds", "1", "--restarts", "1", "--duration", "0.3", "--connections", "1"]
    done = turbostar("bench", "members:app", "--requests", "out.jsonl", *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "again and again" not in done.stderr.splitlines()[0]


def test_what_no_file_can_hold(folder: pathlib.Path) -> None:
    """A request that verify could not send is left out, and told; the others are recorded."""
    with recording(folder) as (address, shown):
        with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as client:
            client.sendall(b"OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            while client.recv(1 << 16):
                pass
        httpx.get(f"{address}/")
    assert shown[:2] == [
        "1 request recorded in out.jsonl",
        "1 request is not recorded, as no request file can hold such: OPTIONS *: `path` '*' must "
        "start with '/' and hold only visible ASCII characters (percent-encode the others)",
    ]
    assert [line["path"] for line in lines(folder)] == ["/"]


def test_a_failure_at_the_end(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the lifespan fails once the recording is ended, that is told, and the file is whole."""
    monkeypatch.setenv("BROKEN_END", "1")
    with recording(folder) as (address, shown):
        httpx.get(f"{address}/")
    assert shown[-2:] == [
        "the lifespan failed at the end: OSError: cannot save",
        "1 request recorded in out.jsonl",
    ]
    assert len(lines(folder)) == 1


def test_nothing_recorded(folder: pathlib.Path) -> None:
    """Where nothing was sent, there is no file, and an old one stays as it was."""
    with recording(folder) as (_, shown):
        pass
    assert shown == ["no request was recorded"]
    assert not (folder / "out.jsonl").exists()
    (folder / "out.jsonl").write_text("old\n")
    with recording(folder, "--force") as (_, shown):
        pass
    assert (folder / "out.jsonl").read_text() == "old\n"
    with recording(folder, "--force") as (address, _):
        httpx.get(f"{address}/")
    assert lines(folder)[0]["path"] == "/"


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["members:app"], "Missing option '--output'"),
        (["--output", "new"], "give either MODULE:APP or --from-har FILE"),
        (["members:app", "--from-har", "a.har", "--output", "new"], "give either MODULE:APP or"),
        (["members:app", "--origin", "http://a", "--output", "new"], "--origin goes only with"),
        (["members:app", "--output", "members.py"], "members.py: exists; name another file, or"),
        (["members:app", "--output", "no/new"], "no/new: there is no directory"),
        (["members:app", "--output", "."], ".: is a directory"),
        (["members:none", "--output", "new"], "module 'members' has no attribute 'none'"),
        (["members:app", "--host", "192.0.2.1", "--output", "new"], "cannot serve on 192.0.2.1:"),
    ],
)
def test_mistakes(folder: pathlib.Path, arguments: list[str], cause: str) -> None:
    """A mistake is told in one line, and leaves no file behind."""
    done = turbostar("record", *arguments, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert cause in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (folder / "new").exists()


def test_a_port_in_use(folder: pathlib.Path) -> None:
    """A port that is in use is told before the application is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = turbostar("record", "members:app", "--output", "new", "--port", port, cwd=folder)
    assert done.returncode == 2
    assert done.stderr == (
        f"error: cannot serve on 127.0.0.1:{port}: Address already in use; "
        "choose another --host or --port\n"
    )


def test_an_application_that_does_not_start(folder: pathlib.Path) -> None:
    """If the lifespan fails, uvicorn shows why, and the last line says what to do."""
    done = turbostar(
        "record", "members:app", "--output", "new", "--port", "0", cwd=folder, BROKEN="1"
    )
    assert done.returncode == 2
    assert "OSError: no database" in done.stderr
    assert done.stderr.splitlines()[-1] == (
        "error: members:app: did not start, as shown above; correct it"
    )
