"""JSON: encoding, a response's construction, and decoding a request's body."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
import starlette.requests
import starlette.responses

import turbostar.requests
import turbostar.responses
from benchmarks.conftest import Paired


def products(count: int) -> list[dict[str, Any]]:
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


def nested(count: int) -> list[dict[str, Any]]:
    """Products that hold floats, lists, dicts and None: about 150 bytes each."""
    return [
        {**product, "weight": number * 0.25, "tags": ["a", "b"], "size": {"w": 1, "h": None}}
        for number, product in enumerate(products(count))
    ]


def encoding(response: Any, content: Any) -> Callable[[int], None]:
    render = response(None).render

    def work(times: int) -> None:
        for _ in range(times):
            render(content)

    return work


ENCODED = {
    "hello": ({"hello": "world"}, 3),
    "50_objects": (products(50), 5),
    "50_nested_objects": (nested(50), 3),
    "1_MiB": (products(9_600), 5),
    "1_MiB_of_text": ([{"text": "The quick brown fox. " * 20} for _ in range(2_400)], 5),
}


@pytest.mark.parametrize("case", ENCODED)
def test_json_encode(case: str, paired: Paired) -> None:
    content, target = ENCODED[case]
    stock = starlette.responses.JSONResponse(None).render(content)
    assert json.loads(turbostar.responses.JSONResponse(None).render(content)) == json.loads(stock)
    paired(
        encoding(starlette.responses.JSONResponse, content),
        encoding(turbostar.responses.JSONResponse, content),
        target=target,
    )


def test_json_response_construction(paired: Paired) -> None:
    def constructing(response: Any) -> Callable[[int], None]:
        def work(times: int) -> None:
            for _ in range(times):
                response({"hello": "world"})

        return work

    paired(
        constructing(starlette.responses.JSONResponse),
        constructing(turbostar.responses.JSONResponse),
        target=3,
    )


SCOPE = {"type": "http", "method": "POST", "headers": [(b"content-type", b"application/json")]}


DECODED = {
    "1_KiB": (products(10), 2),
    "1_MiB": (products(9_600), 2.5),
    "1_MiB_of_text": (ENCODED["1_MiB_of_text"][0], 2.5),
}


@pytest.mark.parametrize("case", DECODED)
def test_request_json(case: str, paired: Paired) -> None:
    content, target = DECODED[case]
    body = starlette.responses.JSONResponse(content).body
    message = {"type": "http.request", "body": body, "more_body": False}

    async def receive() -> dict[str, Any]:
        return message

    def reading(request: Any) -> Callable[[int], None]:
        async def read(times: int) -> None:
            for _ in range(times):
                await request(SCOPE, receive).json()

        return lambda times: asyncio.run(read(times))

    paired(reading(starlette.requests.Request), reading(turbostar.requests.Request), target=target)
