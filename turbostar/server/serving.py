"""What all connections of one server share."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from uvicorn.config import Config
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.server import ServerState

from turbostar._stages.tasks import may_start_eagerly
from turbostar.server.heads import Header, plain_line

__all__ = ["Serving", "serving_of"]

_proxy_headers_call = ProxyHeadersMiddleware.__call__
# Heads of requests may be so long, if they do not come at once: more than any proxy lets through.
_LONGEST_HEAD = 1024 * 1024


class Serving:
    """The configuration of a server as its connections need it, and the lines of its headers.

    Attributes:
        app: the application, in what uvicorn wraps around it.
        direct_app: the same for a request that has come through no proxy.
        default_headers: uvicorn's for every response.
        default_lines: their lines; None if one of them is not plain.
        longest_head: bytes that the head of a request may have if it does not come at once.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.app: Any = config.loaded_app
        self.direct_app: Any = _behind_proxy_headers(self.app) or self.app
        self.root_path = config.root_path
        self.raw_root_path = config.root_path.encode("ascii")
        self.asgi_version = config.asgi_version
        self.limit_concurrency = config.limit_concurrency
        self.resets_context = bool(getattr(config, "reset_contextvars", False))
        self.longest_head = config.h11_max_incomplete_event_size or _LONGEST_HEAD
        self._own_create: Any = None
        self.default_headers: list[Header] = []
        self.default_lines: bytes | None = b""

    def begins_at_once(self, loop: Any) -> bool:
        """Whether tasks may begin in the midst of the connection's turn.

        Not where somebody is to be told of all tasks: by a factory, or by a ``create_task`` that
        replaces the loop's own.
        """
        create = loop.create_task
        if self._own_create is None:
            if not may_start_eagerly(loop):
                return False
            self._own_create = create
        return (
            create == self._own_create
            and type(create) is type(self._own_create)
            and loop.get_task_factory() is None
        )

    def learn_defaults(self, headers: list[Header]) -> None:
        """Note uvicorn's default headers, which it replaces once a second."""
        lines = [plain_line(header) for header in headers]
        is_plain = all(type(line) is bytes for line in lines)
        self.default_lines = b"".join(line or b"" for line in lines) if is_plain else None
        self.default_headers = list(headers)


def _behind_proxy_headers(app: Any) -> Any:
    """The application within uvicorn's middleware for proxies, or None.

    That does nothing for a request without the headers that it is about.
    """
    cls = type(app)
    if cls is not ProxyHeadersMiddleware or cls.__call__ is not _proxy_headers_call:
        return None
    return app.app


_servings: WeakKeyDictionary[ServerState, Serving] = WeakKeyDictionary()


def serving_of(config: Config, state: ServerState) -> Serving:
    """What the connections of this server share; made for the first of them."""
    serving = _servings.get(state)
    if serving is None or serving.config is not config:
        serving = _servings[state] = Serving(config)
    return serving
