"""From exchanges to lines: jars, saved values, and what is taken for a secret."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from turbostar.cli.record.exchange import Exchange
from turbostar.cli.record.lines import Recording
from turbostar.cli.record.secrets import Secrets

_UUID = "3f0c2a44-8a1e-4b57-9d36-5a2f7be01c11"


def exchange(
    target: str, *set_cookies: str, cookie: str = "", answer: Any = None, **fields: Any
) -> Exchange:
    answer_headers = [("set-cookie", value) for value in set_cookies]
    if answer is not None:
        answer_headers.append(("content-type", "application/json"))
        fields["answer_body"] = json.dumps(answer).encode()
    headers = [("cookie", cookie)] if cookie else []
    return Exchange(
        target=target,
        headers=headers + fields.pop("headers", []),
        answer_headers=answer_headers,
        **fields,
    )


def record(*exchanges: Exchange, **options: Any) -> list[dict[str, Any]]:
    recording = Recording(None, **options)
    for one in exchanges:
        recording.add(one)
    assert len(recording) == len(exchanges)
    return [json.loads(line) for line in recording.text().splitlines()]


def test_jars_follow_the_cookies() -> None:
    """Requests that send each other's cookies are of one client, whatever comes between them."""
    found = record(
        exchange("/1", "sid=a; Path=/"),
        exchange("/2", "sid=b; Path=/"),
        exchange("/3", "theme=dark", cookie="sid=a"),
        exchange("/4"),
        exchange("/5", "sid=a2", cookie="theme=dark; sid=a"),
        exchange("/6", cookie="sid=b"),
        exchange("/7", cookie="sid=a2"),
        exchange("/8", cookie="sid=unknown"),
    )
    jars = [line.get("jar") for line in found]
    one, other = "client-1", "client-2"
    assert jars == [one, other, one, None, one, other, one, None]


def test_identifiers_are_followed() -> None:
    """An identifier that an answer has made is taken from there again; a word is no identifier."""
    found = record(
        exchange(
            "/items", method="POST", answer={"made": [{"id": _UUID, "slug": "teapot-blue-1"}]}
        ),
        exchange(f"/items/{_UUID}?again={_UUID}"),
        exchange("/items/teapot-blue-1"),
    )
    assert found[0]["save"] == {"id": "json:/made/0/id"}
    assert found[1]["path"] == "/items/{{id}}?again={{id}}"
    assert found[2]["path"] == "/items/teapot-blue-1"


def test_values_are_saved_once() -> None:
    """A value has one name, whoever tells it again; two values of one name have two."""
    first, second = {"token": "first-token"}, {"token": "second-token"}
    use = [exchange(f"/?token={one['token']}") for one in (first, second, first)]
    found = record(
        exchange("/login", answer=first),
        exchange("/login", answer=second),
        use[0],
        exchange("/login", answer=first),
        use[1],
        use[2],
    )
    assert [line.get("save") for line in found[:2]] == [
        {"token": "json:/token"},
        {"token_2": "json:/token"},
    ]
    assert not any("save" in line for line in found[2:])
    assert found[2]["path"] == found[5]["path"] == "/?token={{token}}"
    assert found[4]["path"] == "/?token={{token_2}}"


def test_short_values_are_no_tokens() -> None:
    """What may stand in a request by chance is not followed, and is left out as a secret."""
    found = record(exchange("/", answer={"token": "1234567"}), exchange("/?token=1234567"))
    assert "save" not in found[0]
    assert found[1]["path"] == "/?token=REDACTED"


def test_cookies_sent_in_another_place() -> None:
    """A cookie that a script sends as a header is taken from the cookie."""
    found = record(
        exchange("/", "csrftoken=0123456789; Path=/"),
        exchange("/", cookie="csrftoken=0123456789", headers=[("x-csrftoken", "0123456789")]),
    )
    assert found[0]["save"] == {"csrftoken": "cookie:csrftoken"}
    assert found[1]["headers"] == [["x-csrftoken", "{{csrftoken}}"]]


def test_hidden_fields_in_any_order() -> None:
    """A field is found whichever of its attributes comes first, and so is a `meta` element."""
    page = (
        '<input value="first-value" type="hidden" name="csrf">'
        '<meta name="csrf-token" content="second-value"><input name="csrf" value="short">'
    )
    html = Exchange(
        target="/",
        headers=[],
        answer_headers=[("content-type", "text/html")],
        answer_body=page.encode(),
    )
    found = record(html, exchange("/?csrf=first-value"), exchange("/?csrf=second-value"))
    assert found[0]["save"] == {
        "csrf": 'regex:<input value="([^"\'<> ]+)" type="hidden" name="csrf">',
        "csrf_token": r'regex:<meta name="csrf\-token" content="([^"' + "'<> ]+)",
    }


def test_secrets_beside_a_hidden_field() -> None:
    """What says where a value stands holds no other secret of the page."""
    page = '<input data-token="other-secret" name="csrf" value="the-value" data-secret="third">'
    html = Exchange(
        target="/",
        headers=[],
        answer_headers=[("content-type", "text/html")],
        answer_body=page.encode(),
    )
    found = record(html, exchange("/?csrf=the-value"))
    source = found[0]["save"]["csrf"]
    assert source == (
        r'regex:<input data\-token="[^"' + "'<>]*" + '" name="csrf" value="([^"' + "'<> ]+)"
    )
    match = re.search(source.removeprefix("regex:"), page)
    assert match is not None
    assert match[1] == "the-value"


def test_two_braces_in_a_path() -> None:
    """Braces that a client has sent are not taken for the place of a value."""
    found = record(exchange("/{{a}}?b={{c}}"))
    assert found[0]["path"] == "/{{{{}}a}}?b={{{{}}c}}"


def test_headers_that_cannot_be_sent() -> None:
    """What a HAR file may hold, and no request, does not spoil the recording."""
    recording = Recording(None)
    for value in ("fine", "caf\u00e9", "\u2603", "\ud800", "two\nlines"):
        recording.add(exchange("/", headers=[("x-note", value)]))
    assert len(recording) == 2
    assert [remark.split(",")[0] for remark in recording.remarks()] == [
        "3 requests are not recorded"
    ]


def test_prefix() -> None:
    """Recordings of several processes can be put together."""
    token = {"token": "a-long-token"}
    found = record(
        exchange("/", "sid=1", answer=token), exchange("/?token=a-long-token"), prefix="gw1-"
    )
    assert found[0]["jar"] == "gw1-client-1"
    assert found[0]["save"] == {"gw1_token": "json:/token"}


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("Authorization", True),
        ("X-API-Key", True),
        ("client_secret", True),
        ("newPassword2", True),
        ("pin", True),
        ("shipping", False),
        ("passenger", False),
        ("key", False),
        ("author", False),
        ("", False),
    ],
)
def test_names_of_secrets(name: str, secret: bool) -> None:
    """Names are compared without regard to case and separators."""
    assert Secrets().is_secret(name) is secret
    assert Secrets(keep=[name.upper()]).is_secret(name) is False
    assert Secrets(add=["auth-or", "key", "ship", "passen"]).is_secret(name) is (name != "")


def test_what_is_written_for_a_secret() -> None:
    """Nothing of a secret is written, but the scheme of an authorization."""
    secrets = Secrets(place=lambda value: "{{token}}" if value == "known-token" else None)
    assert secrets.text("password", "open sesame") == "REDACTED"
    assert secrets.text("password", "known-token") == "{{token}}"
    assert secrets.text("password", "two known-token") == "REDACTED"
    assert secrets.text("password", "") == ""
    assert secrets.text("Authorization", "Basic dTpw") == "Basic REDACTED"
    assert secrets.text("Authorization", "Bearer known-token") == "Bearer {{token}}"
    assert secrets.text("Authorization", "dTpw") == "REDACTED"
    assert secrets.text("note", "see known-token, please") == "see {{token}}, please"
    assert secrets.json({"secret": {"a": "x", "b": [1, True, None]}, "max_tokens": 5}) == {
        "secret": {"a": "REDACTED", "b": ["REDACTED", True, None]},
        "max_tokens": 5,
    }
    assert secrets.redacted == {"password": 2, "Authorization": 2, "secret": 2}


def test_secrets_in_unusual_places() -> None:
    """JSON under a form's type, with a byte order mark; a number; a token as a subprotocol."""
    form = [("content-type", "application/x-www-form-urlencoded")]
    typed = [("content-type", "application/json")]
    found = record(
        exchange("/a", method="POST", headers=form, body=b'{"password": "hunter22"}'),
        exchange("/b", method="POST", headers=typed, body=b'\xef\xbb\xbf{"password": "hunter22"}'),
        exchange("/c", method="POST", headers=typed, body=b'{"token": 482913, "max_tokens": 5}'),
        exchange("/d", websocket=[], subprotocols=["chat", "access_token", "hunter22"]),
    )
    assert "hunter22" not in json.dumps(found)
    assert "482913" not in json.dumps(found)
    assert found[2]["json"]["max_tokens"] == 5
    assert found[3]["subprotocols"] == ["chat", "access_token", "REDACTED"]
