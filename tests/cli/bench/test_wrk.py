"""The script for wrk."""

from __future__ import annotations

import pytest

from turbostar.cli.bench.answers import Answer
from turbostar.cli.bench.exchange import Exchange, expect
from turbostar.cli.bench.wrk import lua_script, lua_string, require_wrk
from turbostar.cli.errors import UserError


def test_no_byte_can_leave_a_lua_string() -> None:
    """Every byte is escaped, quotes, backslashes and line breaks too."""
    assert lua_string(b'a"\\\n\xff') == b'"\\097\\034\\092\\010\\255"'


def test_the_script_holds_requests_and_answers() -> None:
    """Each request is in it, and each answer, or its status alone if the rest varies."""
    stable = expect(Answer(200, (), b"ok", True), [])
    exchanges = [Exchange("one", (b"GET ", b"/"), False, stable)]
    script = lua_script(exchanges)
    assert lua_string(b"GET /") in script
    assert b"known[200 .. " + lua_string(b":ok") + b"] = true" in script


def test_without_wrk_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing wrk is the user's to install, or to do without."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="leave out --wrk"):
        require_wrk()
