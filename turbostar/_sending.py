"""Who sends a response, and whether it has been started."""

from __future__ import annotations

from collections.abc import Awaitable

from starlette.types import Message, Send

__all__ = ["TrackedSend"]


class TrackedSend:
    """A ``send`` that remembers whether a response has been started through it."""

    started = False  # of the class, which makes an instance a third cheaper to build

    def __init__(self, send: Send) -> None:
        self.send = send

    def __getattr__(self, name: str) -> str:
        # Tracers name their spans after the function that sends: after Starlette's.
        if name in ("__name__", "__qualname__"):
            stock = "wrap_app_handling_exceptions.<locals>.wrapped_app.<locals>.sender"
            return stock if name == "__qualname__" else "sender"
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __call__(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            self.started = True
        return self.send(message)
