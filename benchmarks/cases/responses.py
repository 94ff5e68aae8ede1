"""Responses: what it costs to make one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.asgi import Work
from benchmarks.cases import Step
from benchmarks.sides import STOCK, Side
from turbostar._http.responses import response_init_headers, response_render, response_set_cookie

__all__ = ["STEPS"]

_INSTALLED = {
    "init_headers": response_init_headers,
    "render": response_render,
    "set_cookie": response_set_cookie,
}


def _swapped(web: Side, name: str) -> Any:
    return getattr(web, name)


def _installed(web: Side, name: str) -> Any:
    """A class of Starlette's as `turbostar.install()` leaves it: import swapping does not."""
    cls = getattr(STOCK, name)
    return cls if web is STOCK else type(name, (cls,), _INSTALLED)


def _hello(cls: Any) -> Any:
    return cls("Hello, world")


def _error(cls: Any) -> Any:
    return cls("Not Found", status_code=404)


def _redirect(cls: Any) -> Any:
    return cls("/login?next=/account", status_code=303)


def _download(cls: Any) -> Any:
    return cls(b"PK", headers={"Cache-Control": "no-store"}, media_type="application/zip")


def _cookie(cls: Any) -> Any:
    response = cls("Hello, world")
    response.set_cookie("session", "abc.def-123", max_age=3600, httponly=True, secure=True)
    return response


def _making(
    name: str, cls: str, make: Callable[[Any], Any], target: float, of: Any = _swapped
) -> Step:
    def build(web: Side) -> tuple[Work, object]:
        made = of(web, cls)

        def work(times: int) -> None:
            for _ in range(times):
                make(made)

        return work, vars(make(made))

    return Step(name=f"making a {name}", build=build, target=target)


STEPS = [
    _making("PlainTextResponse", "PlainTextResponse", _hello, 1.6),
    _making("PlainTextResponse of a 404", "PlainTextResponse", _error, 1.4),
    _making("PlainTextResponse and set_cookie", "PlainTextResponse", _cookie, 4),
    _making("RedirectResponse", "RedirectResponse", _redirect, 2),
    _making("HTMLResponse, as installed", "HTMLResponse", _hello, 1.4, _installed),
    _making("Response, as installed", "Response", _download, 1.1, _installed),
]
