"""A request that was really sent, and what answered it."""

from __future__ import annotations

import msgspec

from turbostar.cli.recorded import ClientMessage

__all__ = ["Exchange"]


class Exchange(msgspec.Struct, kw_only=True):
    """One request, or one WebSocket session, and its answer; header names are lower case."""

    method: str = "GET"
    target: str
    """As on the wire: the path, and the query after a question mark."""
    headers: list[tuple[str, str]]
    body: bytes = b""
    websocket: list[ClientMessage] | None = None
    subprotocols: list[str] = []
    answer_headers: list[tuple[str, str]] = []
    answer_body: bytes = b""

    def header(self, name: str) -> str:
        """The first value of a header of the request, empty if there is none."""
        return next((value for key, value in self.headers if key == name), "")
