"""Two of marimo's own tutorials, served by marimo's ASGI application behind its login."""

from __future__ import annotations

import importlib.util

import marimo


def _tutorial(name: str) -> str:
    spec = importlib.util.find_spec(f"marimo._tutorials.{name}")
    assert spec is not None
    assert spec.origin is not None
    return spec.origin


app = (
    marimo.create_asgi_app(quiet=True, token="letmein")
    .with_app(path="/intro", root=_tutorial("intro"))
    .with_app(path="/layout", root=_tutorial("layout"))
    .build()
)
