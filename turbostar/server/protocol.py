"""HTTP/1.1 on httptools' parser: what the transport and the parser tell of one connection."""

from __future__ import annotations

import asyncio
import logging
from contextvars import copy_context
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.logging import TRACE_LOG_LEVEL
from uvicorn.protocols.http.flow_control import service_unavailable
from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl
from uvicorn.server import ServerState

from turbostar._http.own_send import EXTENSION, hand_over
from turbostar.server.cycle import RequestResponseCycle
from turbostar.server.heads import error_response, tokens
from turbostar.server.pipeline import Pipelined
from turbostar.server.serving import serving_of
from turbostar.server.targets import METHODS, TARGETS, split_target

__all__ = ["HttpProtocol"]

_INVALID = "Invalid HTTP request received."
_TOO_LONG = "Request header fields too large."
_NO_WEBSOCKETS = (
    "No supported WebSocket library detected. Please use \"pip install 'uvicorn[standard]'\", "
    "or install 'websockets' or 'wsproto' manually."
)

# Headers that decide how a request is answered.
_OF_PROXIES = frozenset({b"x-forwarded-for", b"x-forwarded-proto"})
_NOTED = _OF_PROXIES | {b"connection", b"expect"}

Headers = list[tuple[bytes, bytes]]


class HttpProtocol(Pipelined):
    """HTTP/1.1 for uvicorn: ``uvicorn --http turbostar.server:HttpProtocol``.

    Stands for uvicorn's own class on httptools, and is made and called as that is.

    Args:
        config: uvicorn's configuration.
        server_state: what uvicorn counts.
        app_state: what the lifespan of the application has put into its state.
        _loop: the event loop; the running one if left out.

    Attributes:
        scope: that of the latest request.
        client: address and port of the client, where they are known.
    """

    __slots__ = (
        "__weakref__",
        "_head_size",
        "_headers",
        "_template",
        "_upgrades",
        "_url",
        "access_log",
        "access_logger",
        "app_state",
        "client",
        "logger",
        "scope",
        "ws_protocol_class",
    )

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        if not config.loaded:
            config.load()
        loop = _loop or asyncio.get_event_loop()
        super().__init__(
            loop, config.timeout_keep_alive, serving_of(config, server_state), server_state
        )
        self.app_state = app_state
        self.ws_protocol_class: Any = config.ws_protocol_class
        self.logger = logging.getLogger("uvicorn.error")
        self.access_logger = logging.getLogger("uvicorn.access")
        self.access_log = self.access_logger.hasHandlers()
        self.client: tuple[str, int] | None = None
        self.scope: dict[str, Any] = {}
        self._template: dict[str, Any] = {}
        # What has come of the head of a request, or of a trailer.
        self._url = b""
        self._headers: Headers = []
        self._head_size = 0
        self._upgrades = False
        self._parser = httptools.HttpRequestParser(self)
        if hasattr(self._parser, "set_dangerous_leniencies"):
            # What follows a request that ends the connection is no reason not to answer that.
            self._parser.set_dangerous_leniencies(lenient_data_after_close=True)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self.server_state.connections.add(self)  # type: ignore[arg-type]
        own: Any = transport
        self.transport = own
        self._context = None if self.serving.resets_context else copy_context()
        self.client = get_remote_addr(own)
        self._template = {
            "type": "http",
            "asgi": None,
            "http_version": "1.1",
            "server": get_local_addr(own),
            "client": self.client,
            "scheme": "https" if is_ssl(own) else "http",
            "root_path": self.serving.root_path,
            "headers": None,
            "state": None,
            "method": None,
            "path": None,
            "raw_path": None,
            "query_string": None,
            "extensions": None,
        }
        self._trace("HTTP connection made")

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed, by whomever."""
        self.server_state.connections.discard(self)
        self._trace("HTTP connection lost")
        self.drop()

    def eof_received(self) -> None:
        """The client sends no more, which is how it goes away: the transport closes itself."""

    def data_received(self, data: bytes) -> None:
        """Parse what has come, then begin what it asks for."""
        self.idle_since = None
        while data and (parser := self._parser) is not None:
            try:
                parser.feed_data(data)
            except httptools.HttpParserUpgrade as exc:
                data = self._on_upgrade(data[exc.args[0] :])
                continue
            except httptools.HttpParserError:
                self._refuse(400, _INVALID)
            else:
                if self._url or self._headers:
                    self._limit_head(len(data))
            break
        if self._next is not None:
            self.begin()

    def on_url(self, url: bytes) -> None:
        """A part of the request target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header of a request; or one of a trailer, which is dropped."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head of a request is complete: queue the request."""
        parser, serving = self._parser, self.serving
        url, self._url = self._url, b""
        headers, self._headers = self._headers, []
        self._head_size = 0
        self.scope = scope = self._template.copy()
        scope["asgi"] = {"version": serving.asgi_version, "spec_version": "2.3"}
        scope["headers"] = headers
        scope["state"] = self.app_state.copy()
        method = parser.get_method()
        scope["method"] = METHODS.get(method) or method.decode("ascii")
        keep_alive, app, is_noted = parser.should_keep_alive(), serving.direct_app, False
        for name, _ in headers:
            if name in _NOTED:
                is_noted = True
                if name in _OF_PROXIES:
                    app = serving.app
        # Where nothing is said about it, only HTTP/1.1 keeps a connection.
        if is_noted or not keep_alive:
            keep_alive = self._note_version(scope, keep_alive)
        if parser.should_upgrade() and self._is_websocket(headers):
            self._upgrades = True
            scope["raw_path"] = url
            return
        path, raw_path, query = TARGETS.get(url) or split_target(url)
        if serving.root_path:
            path, raw_path = serving.root_path + path, serving.raw_root_path + raw_path
        scope["path"] = path
        scope["raw_path"] = raw_path
        scope["query_string"] = query
        scope["extensions"] = {EXTENSION: {"hand_over": hand_over}}
        if serving.limit_concurrency is not None and self._is_beyond_limit():
            app = service_unavailable
        cycle = RequestResponseCycle(self, scope, keep_alive, is_noted and self._expects(scope))
        before, self.cycle = self.cycle, cycle
        if before is None or before.response_complete:
            self._next = (cycle, app)
        else:
            self.wait_in_line(cycle, app)

    def _note_version(self, scope: dict[str, Any], keep_alive: bool) -> bool:
        """Note the version of HTTP in the scope; return whether the connection may stay open."""
        version = self._parser.get_http_version()
        if version != "1.1":
            scope["http_version"] = version
        return keep_alive and version != "1.0"

    def _expects(self, scope: dict[str, Any]) -> bool:
        """Whether the client waits for an interim response; those of HTTP/1.0 know none."""
        return scope["http_version"] != "1.0" and any(
            name == b"expect" and value.lower() == b"100-continue"
            for name, value in scope["headers"]
        )

    def on_body(self, chunk: bytes) -> None:
        """A part of the body of the latest request."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete and not self._upgrades:
            cycle.take_body(chunk)

    def on_message_complete(self) -> None:
        """The latest request is complete."""
        if self._headers:
            self._headers = []  # its trailer
        cycle = self.cycle
        if cycle is not None and not self._upgrades:
            cycle.more_body = False
            cycle.is_woken = True
            if cycle.event is not None:
                cycle.event.set()

    def _is_beyond_limit(self) -> bool:
        limit, state = self.serving.limit_concurrency, self.server_state
        if limit is None or max(len(state.connections), len(state.tasks)) < limit:
            return False
        self.logger.warning("Exceeded concurrency limit.")
        return True

    def _is_websocket(self, headers: Headers) -> bool:
        """Whether a request is to be left to the protocol for websockets."""
        if self.ws_protocol_class is None:
            return False
        connection: list[bytes] = []
        upgrade = b""
        for name, value in headers:
            if name == b"connection":
                connection += tokens(value)
            elif name == b"upgrade":
                upgrade = value.lower()
        return upgrade == b"websocket" and b"upgrade" in connection

    def _on_upgrade(self, rest: bytes) -> bytes:
        """The parser has come to a request that asks for another protocol.

        Returns what follows it and is HTTP as before, of which the client is told by its answer.
        """
        if self._upgrades:
            self.finish(self._upgrade)
            return b""
        self.logger.warning("Unsupported upgrade request.")
        if self.ws_protocol_class is None:
            self.logger.warning(_NO_WEBSOCKETS)
        return rest

    def _upgrade(self) -> None:
        """Leave the connection to the protocol for websockets, which is told of the request."""
        self._trace("Upgrading to WebSocket")
        self.server_state.connections.discard(self)
        self.leave()
        scope = self.scope
        output = [scope["method"].encode(), b" ", scope["raw_path"], b" HTTP/1.1\r\n"]
        for name, value in scope["headers"]:
            output += (name, b": ", value, b"\r\n")
        output.append(b"\r\n")
        protocol = self.ws_protocol_class(
            config=self.serving.config, server_state=self.server_state, app_state=self.app_state
        )
        protocol.connection_made(self.transport)
        protocol.data_received(b"".join(output))
        self.transport.set_protocol(protocol)

    def _refuse(self, status: int, text: str) -> None:
        """Answer what is no HTTP, or too much of it, in its turn; and close the connection."""
        self.logger.warning(text)

        def answer() -> None:
            data = error_response(status, text, self.server_state.default_headers)
            self.transport.write(data)
            self.close()

        cycle = self.cycle
        if cycle is None or not cycle.more_body:
            self.finish(answer)
            return
        # It is the body of a request that is wrong.
        if cycle.response_started:
            cycle.abort()  # an error now would be taken for a part of this answer, or the next one
            return
        self.withdraw(cycle)
        if cycle is self.answering:
            answer()
        else:
            self.finish(answer)

    def _limit_head(self, size: int) -> None:
        """Refuse a head that goes on and on; one that comes at once is not looked at.

        Args:
            size: of what has come last; how much of it was before this head is not known.
        """
        if self._head_size:
            self._head_size += size
        else:
            known = sum(len(name) + len(value) for name, value in self._headers)
            self._head_size = len(self._url) + known
        if self._head_size > self.serving.longest_head:
            self._refuse(431, _TOO_LONG)

    def _trace(self, text: str) -> None:
        if self.logger.isEnabledFor(TRACE_LOG_LEVEL):
            prefix = "{}:{} - ".format(*self.client) if self.client else ""
            self.logger.log(TRACE_LOG_LEVEL, f"%s{text}", prefix)
