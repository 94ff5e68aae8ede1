"""JSON: encoding, a response's construction, and decoding a request's body."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from benchmarks.asgi import Work
from benchmarks.cases import Step
from benchmarks.sides import Side

__all__ = ["STEPS"]


def _products(count: int) -> list[dict[str, Any]]:
    """What a list of a shop's products looks like: about 105 bytes each."""
    return [
        {
            "id": number,
            "name": f"Product {number}",
            "description": "A sturdy thing for the house.",
            "price": number * 100 + 99,
            "in_stock": number % 3 > 0,
        }
        for number in range(count)
    ]


def _nested(count: int) -> list[dict[str, Any]]:
    """Products that hold floats, lists, dicts and None: about 150 bytes each."""
    return [
        {**product, "weight": number * 0.25, "tags": ["a", "b"], "size": {"w": 1, "h": None}}
        for number, product in enumerate(_products(count))
    ]


def _text(count: int) -> list[dict[str, Any]]:
    """Long strings and little else: about 430 bytes each."""
    return [{"text": "The quick brown fox. " * 20} for _ in range(count)]


def _encoding(name: str, content: Any, target: float) -> Step:
    def build(web: Side) -> tuple[Work, object]:
        render = web.JSONResponse(None).render

        def work(times: int) -> None:
            for _ in range(times):
                render(content)

        return work, json.loads(render(content))

    return Step(name=f"json_encode[{name}]", build=build, target=target)


def _constructing(web: Side) -> tuple[Work, object]:
    response = web.JSONResponse

    def work(times: int) -> None:
        for _ in range(times):
            response({"hello": "world"})

    made = response({"hello": "world"})
    return work, (made.status_code, made.raw_headers, made.body)


_SCOPE = {"type": "http", "method": "POST", "headers": [(b"content-type", b"application/json")]}


def _decoding(name: str, content: Any, target: float) -> Step:
    def build(web: Side) -> tuple[Work, object]:
        request = web.Request
        body = json.dumps(content, separators=(",", ":")).encode()
        message = {"type": "http.request", "body": body, "more_body": False}

        async def receive() -> dict[str, Any]:
            return message

        async def read(times: int) -> Any:
            for _ in range(times):
                found = await request(_SCOPE, receive).json()
            return found

        return lambda times: asyncio.run(read(times)), asyncio.run(read(1))

    return Step(name=f"request_json[{name}]", build=build, target=target)


STEPS = [
    _encoding("hello", {"hello": "world"}, 3),
    _encoding("50_objects", _products(50), 5),
    _encoding("50_nested_objects", _nested(50), 3),
    _encoding("1_MiB", _products(9_600), 5),
    _encoding("1_MiB_of_text", _text(2_400), 5),
    Step(name="json_response_construction", build=_constructing, target=3),
    _decoding("1_KiB", _products(10), 2),
    _decoding("1_MiB", _products(9_600), 2.5),
    _decoding("1_MiB_of_text", _text(2_400), 2.5),
]
