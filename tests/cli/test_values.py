"""Values that later requests take from earlier answers."""

from __future__ import annotations

import json
import pathlib

import pytest

from tests.cli.commands import turbostar
from turbostar.cli.errors import UserError
from turbostar.cli.recorded import RecordedRequest, SendText
from turbostar.cli.request_file import read_requests
from turbostar.cli.session import Session
from turbostar.cli.values import MissingValue, NotFound, checked_save, find

# A login that gives a token, a form that is protected against forgery, a record with an identifier.
_APP = """
import os
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

TOKEN = os.urandom(8).hex() + '"\\u00e9&'
CSRF = os.urandom(8).hex()
ITEMS = {}

def allowed(connection):
    return connection.query_params.get("token") == TOKEN

async def login(request):
    return JSONResponse({"tokens": [{"access": TOKEN}]})

async def me(request):
    body = (await request.body()).decode()
    given = {
        "query": request.query_params.get("token"), "json": None, "form": None, "text": body,
    }
    kind = request.headers.get("content-type", "")
    if "json" in kind:
        given["json"] = (await request.json())["token"]
    if "form" in kind:
        given["form"] = (await request.form())["token"]
    return JSONResponse([name for name, value in given.items() if value == TOKEN])

async def form(request):
    return HTMLResponse(f'<input name="csrf" value="{CSRF}">', headers={"x-csrf": CSRF})

async def post(request):
    right = (await request.form()).get("csrf") == request.headers["x-csrf"] == CSRF
    return PlainTextResponse("right" if right else "wrong", 200 if right else 403)

async def make(request):
    number = os.urandom(4).hex()
    ITEMS[number] = "item"
    headers = {"location": f"http://127.0.0.1:8000/items/{number}?full=1"}
    response = JSONResponse({"id": number, "count": 7}, 201, headers=headers)
    response.set_cookie("last", number)
    return response

async def item(request):
    return JSONResponse([ITEMS.get(request.path_params["id"]), request.query_params.get("full")])

async def talk(websocket):
    await websocket.accept()
    text = await websocket.receive_text()
    await websocket.send_text("right" if text == f"I am {TOKEN}" else "wrong")
    await websocket.close()

async def biased(request):
    disabled = "TURBOSTAR_DISABLE" in os.environ
    return JSONResponse({"token": "value"} if disabled else {})

app = Starlette(routes=[
    Route("/login", login, methods=["POST"]), Route("/me", me, methods=["GET", "POST"]),
    Route("/form", form), Route("/form", post, methods=["POST"]),
    Route("/items", make, methods=["POST"]), Route("/items/{id}", item),
    Route("/biased", biased), WebSocketRoute("/talk", talk),
])
"""
_LOGIN = {"path": "/login", "method": "POST", "save": {"token": "json:/tokens/0/access"}}


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A directory with the application."""
    (tmp_path / "values.py").write_text(_APP)
    return tmp_path


def write(folder: pathlib.Path, *lines: dict[str, object]) -> pathlib.Path:
    path = folder / "requests.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


def answers(folder: pathlib.Path, *lines: dict[str, object]) -> list[str]:
    """Verify with these requests, through the real command; the answers of all that end in 200."""
    write(folder, *lines)
    options = ["--requests", "requests.jsonl", "--no-seed", "--json", "found.json"]
    done = turbostar("verify", "values:app", *options, cwd=folder)
    assert done.returncode == 0, done.stderr + done.stdout
    found = json.loads((folder / "found.json").read_text())
    return [check["status"] for check in found["checks"]]


def seen(folder: pathlib.Path, *lines: dict[str, object]) -> list[object]:
    """The bodies that stock answers with, the first one (of the login) apart."""
    from turbostar.cli.verify import verify

    result = verify("values:app", read_requests(write(folder, *lines)), app_dir=str(folder))
    assert result.same
    return [json.loads(answer.body) for answer in result.stock_answers[1:]]


def test_a_token_stands_anywhere(folder: pathlib.Path) -> None:
    """A value is written as its place needs: in a query, in JSON, in a form, in a plain body."""
    plain = {"path": "/me", "method": "POST"}
    assert seen(
        folder,
        _LOGIN,
        {"path": "/me?token={{token}}"},
        {**plain, "json": {"token": "{{token}}"}},
        {**plain, "form": [["other", "&"], ["token", "{{token}}"]]},
        {**plain, "body": "{{token}}"},
        {**plain, "body_base64": "e3t0b2tlbn19"},  # {{token}}
        {**plain, "body": "{{token}}{{token}}"},
    ) == [["query"], ["json"], ["form"], ["text"], ["text"], []]


def test_a_protected_form(folder: pathlib.Path) -> None:
    """A hidden field, found by a pattern, and a header are sent back."""
    statuses = answers(
        folder,
        {"path": "/form", "save": {"field": 'regex:value="([^"]+)"', "header": "header:X-CSRF"}},
        {
            "path": "/form",
            "method": "POST",
            "headers": [["x-csrf", "{{header}}"]],
            "form": [["csrf", "{{field}}"]],
        },
        {
            "path": "/form",
            "method": "POST",
            "headers": [["x-csrf", "{{header}}"]],
            "form": [["csrf", "another"]],
        },
    )
    assert statuses == [200, 200, 403]


def test_an_identifier_and_an_address(folder: pathlib.Path) -> None:
    """An identifier stands in a path; an address is a path, without the name of the server."""
    made = {
        "path": "/items",
        "method": "POST",
        "save": {"id": "json:/id", "address": "header:location", "last": "cookie:last"},
    }
    assert seen(
        folder,
        made,
        {"path": "/items/{{id}}"},
        {"path": "{{address}}"},
        {"path": "/items/{{last}}?full={{id}}"},
    )[:2] == [["item", None], ["item", "1"]]


def test_websocket_messages(folder: pathlib.Path) -> None:
    """A client of a WebSocket sends a value in a text message."""
    from turbostar.cli.verify import verify

    lines = [_LOGIN, {"path": "/talk", "websocket": [{"text": "I am {{token}}"}]}]
    requests = read_requests(write(folder, *lines))
    _, talk = verify("values:app", requests, app_dir=str(folder)).stock_answers
    assert talk.sent[1]["text"] == "right"


def test_bench_uses_values(folder: pathlib.Path) -> None:
    """`bench` puts load on what needs a value, and asks for the value apart from the load."""
    write(folder, {**_LOGIN, "bench": False}, {"path": "/me?token={{token}}"})
    options = ["--rounds", "1", "--restarts", "1", "--duration", "0.3", "--connections", "1"]
    done = turbostar("bench", "values:app", "--requests", "requests.jsonl", *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "wrong" not in done.stderr


@pytest.mark.parametrize("command", ["verify", "bench"])
def test_a_value_that_no_answer_has(folder: pathlib.Path, command: str) -> None:
    """If stock's answer has no such value, one line says which, and which request needs it."""
    save = {"token": "json:/tokens/1/access"}
    write(folder, {**_LOGIN, "save": save, "name": "login"}, {"path": "/me?token={{token}}"})
    options = ["--no-verify"] if command == "bench" else []
    done = turbostar(command, "values:app", "--requests", "requests.jsonl", *options, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == (
        "error: 'GET /me?token={{token}}' needs the value {{token}}: the answer to 'login', with "
        "status 200, has nothing at /tokens/1/access of its JSON; see whether the earlier request "
        "is still answered as it was, and correct its `save`"
    )


def test_a_value_that_a_redacted_request_does_not_get(folder: pathlib.Path) -> None:
    """Where a secret was left out of the recording, the line says what to do about that."""
    login = {"path": "/login?password=REDACTED", "method": "POST", "save": {"t": "header:x-t"}}
    write(folder, login, {"path": "/me?token={{t}}"})
    done = turbostar("verify", "values:app", "--requests", "requests.jsonl", cwd=folder)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(
        "the earlier request has REDACTED in place of a secret: write that into the file, or "
        "record again with --keep NAME"
    )


def test_a_value_that_is_missing_only_when_accelerated(folder: pathlib.Path) -> None:
    """Then the two answers differ, and that is what is reported."""
    write(
        folder,
        {"path": "/biased", "save": {"token": "json:/token"}},
        {"path": "/me?token={{token}}"},
    )
    done = turbostar("verify", "values:app", "--requests", "requests.jsonl", cwd=folder)
    assert (done.returncode, done.stderr) == (1, "")
    assert "different: GET /biased" in done.stdout
    assert "+not sent: 'GET /me?token={{token}}' needs the value {{token}}" in done.stdout


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        ([{"path": "/", "save": {"a b": "json:/a"}}], "names a value 'a b'"),
        ([{"path": "/", "save": {"a": "jsn:/a"}}], 'write "json:/pointer"'),
        ([{"path": "/", "save": {"a": "json:a"}}], "a JSON pointer begins with '/'"),
        ([{"path": "/", "save": {"a": "regex:("}}], "from a wrong pattern"),
        ([{"path": "/", "save": {"a": 1}}], "Expected `str`, got `int`"),
        ([{"path": "/", "save": {"a": "json:"}, "websocket": []}], "`save` excludes `websocket`"),
        ([{"path": "{{a}}"}], "uses the value {{a}}, which no earlier line saves"),
        ([{"path": "/{{a}}", "save": {"a": "json:"}}], "uses the value {{a}}, which no earlier"),
        ([_LOGIN, {"path": "/", "form": [["x", "{{tokn}}"]]}], "uses the value {{tokn}}"),
        ([_LOGIN, {"path": "/", "headers": [["x", "{{tokn}}"]]}], "uses the value {{tokn}}"),
        ([_LOGIN, {"path": "/", "json": {"x": ["{{tokn}}"]}}], "uses the value {{tokn}}"),
    ],
)
def test_wrong_lines(tmp_path: pathlib.Path, lines: list[dict[str, object]], cause: str) -> None:
    """A line whose values cannot work is refused when the file is read."""
    path = write(tmp_path, *lines)
    with pytest.raises(UserError) as caught:
        read_requests(path)
    assert str(caught.value).startswith(f"{path}:{len(lines)}: ")
    assert cause in str(caught.value)


def test_two_braces_in_an_old_file(tmp_path: pathlib.Path) -> None:
    """In a file that saves nothing, two braces are two braces; as they are in bytes."""
    line = {"path": "/{{a}}", "json": {"text": "{{a}}"}, "headers": [["x", "{{a}}"]]}
    (request,) = read_requests(write(tmp_path, line))
    assert request.uses == ()
    assert Session().prepare(request) == (request, None)
    line = {"path": "/", "body_base64": "e3thfX17e3Rva2VufX0="}  # {{a}}{{token}}
    _, request = read_requests(write(tmp_path, _LOGIN, line))
    session = Session()
    login = RecordedRequest(name="login", path="/", saves=(checked_save("token", "json:"),))
    session.learn(login, 200, [], b'"text"', now=0)
    assert session.prepare(request)[0].body == b"{{a}}text"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("json:/a~1b/1/c~0", "text"),
        ("json:/n", "1.5"),
        ("json:/b", "true"),
        ("header:Location", "/there"),
        ("cookie:quoted", "a b"),
        ("cookie:sid", "2"),
        ('regex:"n": ([0-9])', "1"),
        ('regex:"n"', '"n"'),
        ("json:/none", NotFound("has neither a text nor a number at /none of its JSON")),
        ("json:/a~1b/9", NotFound("has nothing at /a~1b/9 of its JSON")),
        ("json:/n/x", NotFound("has nothing at /n/x of its JSON")),
        ("header:etag", NotFound("has no header 'etag'")),
        ("cookie:other", NotFound("sets no cookie 'other'")),
        ("regex:absent", NotFound("has no match of 'absent'")),
    ],
)
def test_finding(source: str, expected: str | NotFound) -> None:
    """Each kind of source finds its value, or says what the answer does not have."""
    body = b'{"a/b": [0, {"c~": "text"}], "n": 1.5, "b": true, "none": null}'
    headers = [
        (b"location", b"/there"),
        (b"set-cookie", b"sid=2; Path=/"),
        (b"set-cookie", b'quoted="a b"; Path=/'),
    ]
    save = checked_save("name", source)
    if isinstance(expected, str):
        assert find(save, headers, body) == expected
        return
    with pytest.raises(NotFound) as caught:
        find(save, headers, body)
    assert str(caught.value) == str(expected)


def test_json_that_is_none() -> None:
    """An answer that is not JSON has no value in its JSON."""
    with pytest.raises(NotFound, match="is not JSON"):
        find(checked_save("name", "json:/a"), [], b"<html>")


def test_values_that_cannot_stand_there() -> None:
    """A value with a line break is no header, and one that is no address is no path."""
    session = Session()
    login = RecordedRequest(name="login", path="/", saves=(checked_save("token", "json:"),))
    session.learn(login, 200, [], b'"a\\nb"', now=0)
    request = RecordedRequest(name="me", path="/", headers=(("x", "{{token}}"),), uses=("token",))
    with pytest.raises(MissingValue, match=r"'me': the value of header 'x' holds a line break"):
        session.prepare(request)
    session.learn(login, 200, [], b'"no address"', now=0)
    request = RecordedRequest(name="me", path="{{token}}", uses=("token",))
    with pytest.raises(MissingValue, match=r"'me': `path` 'no address' must start with '/'"):
        session.prepare(request)


def test_a_value_is_one_segment_of_a_path() -> None:
    """A slash or a question mark in an identifier does not change which path is asked for."""
    session = Session()
    login = RecordedRequest(name="login", path="/", saves=(checked_save("id", "json:"),))
    session.learn(login, 200, [], b'"a/b?c \\u00e9"', now=0)
    request = RecordedRequest(name="item", path="/items/{{id}}?again={{id}}", uses=("id",))
    encoded = "a%2Fb%3Fc%20%C3%A9"
    assert session.prepare(request)[0].path == f"/items/{encoded}?again={encoded}"


def test_the_last_value_counts() -> None:
    """A value is that of the latest answer; one that this answer has not is missing again."""
    session = Session()
    login = RecordedRequest(name="login", path="/", saves=(checked_save("token", "json:"),))
    talk = RecordedRequest(
        name="talk", path="/", websocket=(SendText("{{token}}"),), uses=("token",)
    )
    for token in ("first", "second"):
        session.learn(login, 200, [], json.dumps(token).encode(), now=0)
        assert session.prepare(talk)[0].websocket == (SendText(token),)
    session.learn(login, None, [], b"", now=0)
    with pytest.raises(MissingValue, match="'login' got no answer"):
        session.prepare(talk)
