"""Responses: what it costs to make one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import starlette.responses
from starlette.responses import HTMLResponse, Response

import turbostar.responses
from benchmarks.asgi import Work
from benchmarks.conftest import Paired
from turbostar._responses import response_init_headers, response_render, response_set_cookie

_INSTALLED = {
    "init_headers": response_init_headers,
    "render": response_render,
    "set_cookie": response_set_cookie,
}


def _as_installed(cls: Any) -> Any:
    """A class of Starlette's as `turbostar.install()` leaves it: import swapping does not."""
    return type(cls.__name__, (cls,), _INSTALLED)


def _both(name: str) -> tuple[Any, Any]:
    return getattr(starlette.responses, name), getattr(turbostar.responses, name)


def _hello(cls: Any) -> Callable[[], Any]:
    return lambda: cls("Hello, world")


def _error(cls: Any) -> Callable[[], Any]:
    return lambda: cls("Not Found", status_code=404)


def _redirect(cls: Any) -> Callable[[], Any]:
    return lambda: cls("/login?next=/account", status_code=303)


def _download(cls: Any) -> Callable[[], Any]:
    return lambda: cls(b"PK", headers={"Cache-Control": "no-store"}, media_type="application/zip")


def _cookie(cls: Any) -> Callable[[], Any]:
    def make() -> Any:
        response = cls("Hello, world")
        response.set_cookie("session", "abc.def-123", max_age=3600, httponly=True, secure=True)
        return response

    return make


MADE = {
    "PlainTextResponse": (_hello, _both("PlainTextResponse"), 1.6),
    "PlainTextResponse of a 404": (_error, _both("PlainTextResponse"), 1.4),
    "PlainTextResponse and set_cookie": (_cookie, _both("PlainTextResponse"), 4),
    "RedirectResponse": (_redirect, _both("RedirectResponse"), 2),
    "HTMLResponse, as installed": (_hello, (HTMLResponse, _as_installed(HTMLResponse)), 1.4),
    "Response, as installed": (_download, (Response, _as_installed(Response)), 1.1),
}


@pytest.mark.parametrize("name", MADE)
def test_response_construction(name: str, paired: Paired) -> None:
    make, classes, target = MADE[name]
    stock, ours = map(make, classes)
    assert vars(ours()) == vars(stock())
    paired(_repeated(stock), _repeated(ours), target=target, name=f"making a {name}")


def _repeated(make: Callable[[], Any]) -> Work:
    def work(times: int) -> None:
        for _ in range(times):
            make()

    return work
