"""Serving an application until somebody ends it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

import uvicorn

from turbostar.cli.errors import UserError
from turbostar.cli.signals import ended_by_signals

__all__ = ["serve"]

# Seconds that requests have to end once the server is told to stop: an endless stream does not.
_GRACE = 3


class _Server(uvicorn.Server):
    """Tells when it has started."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._tell()


def serve(app: Any, address: tuple[str, int], started: Callable[[str], None]) -> bool:
    """Serve until Ctrl-C, and return whether the application has started.

    `started` is called with the URL once it has.

    Raises:
        UserError: the address cannot be bound.
        SystemExit: it was ended by SIGTERM or SIGHUP.
    """
    with _bound(address) as listener:
        host, port = listener.getsockname()[:2]
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        config = uvicorn.Config(app, timeout_graceful_shutdown=_GRACE, log_level="warning")
        server = _Server(config, lambda: started(url))
        try:
            with ended_by_signals():
                server.run(sockets=[listener])
        except KeyboardInterrupt:
            if not server.started:
                raise
        except SystemExit:
            if server.started:
                raise
    return server.started


def _bound(address: tuple[str, int]) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    try:
        return socket.create_server(address, family=family)
    except OSError as exc:
        # The message of create_server names the address as well.
        cause = os.strerror(exc.errno) if exc.errno and exc.errno > 0 else exc
        raise UserError(
            f"cannot serve on {address[0]}:{address[1]}: {cause}; choose another --host or --port"
        ) from exc
