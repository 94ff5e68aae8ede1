"""What somebody replaces in turbostar's own classes is called, as it would be on Starlette's."""

from __future__ import annotations

from typing import Any

import pytest

from turbostar.applications import Starlette
from turbostar.responses import PlainTextResponse
from turbostar.routing import Route
from turbostar.testclient import TestClient


async def _answer(request: Any) -> PlainTextResponse:
    return PlainTextResponse("a")


@pytest.mark.parametrize("name", ["matches", "handle"])
def test_a_method_patched_on_the_swapped_class_is_called(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """As it would be on Starlette's own, also after the first request; and no more afterwards."""
    client = TestClient(Starlette(routes=[Route("/a", _answer)]))
    assert client.get("/a").text == "a"
    called = []
    original = getattr(Route, name)

    def patched(self: Any, *args: Any) -> Any:
        called.append(self.path)
        return original(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Route, name, patched)
        assert client.get("/a").text == "a"
        assert called == ["/a"]
    assert client.get("/a").text == "a"
    assert called == ["/a"]
