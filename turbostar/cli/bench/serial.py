"""One pass over the requests, one after the other, keeping cookies."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from collections.abc import Sequence

from turbostar.cli.bench.answers import Answer
from turbostar.cli.bench.exchange import wire_pieces
from turbostar.cli.recorded import RecordedRequest
from turbostar.cli.session import Session

__all__ = ["MissingAnswer", "SerialAnswer", "SerialClient", "serial_pass"]

_Pieces = tuple[bytes, ...]
SerialAnswer = tuple[_Pieces, Answer | None]


class MissingAnswer(Exception):
    """A request got no answer."""

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(f"no answer to {name!r}: {cause}")
        self.name = name
        self.cause = cause


class SerialClient:
    """A client that waits for each answer; one connection, reopened when the server closes it."""

    def __init__(self, host: str, port: int, *, timeout: float) -> None:
        """`timeout` is for what the server sends next, in seconds."""
        self._address = (host, port)
        self._timeout = timeout
        self._socket: socket.socket | None = None
        self._used = False

    def __enter__(self) -> SerialClient:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def ask(self, name: str, pieces: Sequence[bytes], *, to_head: bool = False) -> Answer:
        """Send the request and return its answer.

        Raises:
            MissingAnswer: there is none, or it is not HTTP.
        """
        try:
            try:
                answer = self._exchange(pieces, to_head)
            except ConnectionError:
                if not self._used:
                    raise
                # After an answer to a request that raised, uvicorn closes without having said so.
                self.close()
                answer = self._exchange(pieces, to_head)
        except TimeoutError as exc:
            self.close()
            raise MissingAnswer(name, f"nothing within {self._timeout:g} s") from exc
        except (OSError, http.client.HTTPException) as exc:
            self.close()
            raise MissingAnswer(name, str(exc) or type(exc).__name__) from exc
        self._used = True
        if not answer.keep_alive:
            self.close()
        return answer

    def _exchange(self, pieces: Sequence[bytes], to_head: bool) -> Answer:
        """Send and receive; a ConnectionError says that nothing at all was received."""
        if self._socket is None:
            self._used = False
            self._socket = socket.create_connection(self._address, timeout=self._timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The server may answer a request that it does not read to its end.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                self._socket.sendall(piece)
        with http.client.HTTPResponse(self._socket, method="HEAD" if to_head else "GET") as found:
            found.begin()
            try:
                body = found.read()
            except ConnectionError as exc:
                raise http.client.IncompleteRead(b"") from exc
        headers = tuple(
            (name.lower().encode("latin-1"), value.strip(" \t").encode("latin-1"))
            for name, value in found.getheaders()
        )
        return Answer(found.status, headers, body, not found.will_close)


def serial_pass(
    requests: Sequence[RecordedRequest], host: str, port: int, *, timeout: float
) -> list[SerialAnswer]:
    """Send the requests in order, with new cookie jars; return what was sent and what came.

    A request that is not for the load is sent only to fill its jar, or for a value that others
    use; its answer may be missing.

    Raises:
        MissingAnswer: a request of the load got none.
        MissingValue: a request uses a value that no answer has given.
    """
    session = Session()
    results: list[SerialAnswer] = []
    with SerialClient(host, port, timeout=timeout) as client:
        for request in requests:
            ready, cookie = session.prepare(request)
            pieces = wire_pieces(ready, cookie)
            answer: Answer | None = None
            try:
                answer = client.ask(request.name, pieces, to_head=request.method == "HEAD")
            except MissingAnswer:
                if request.bench:
                    raise
            if answer is None:
                session.learn(ready, None, (), b"", now=time.time())
            else:
                session.learn(ready, answer.status, answer.headers, answer.body, now=time.time())
            results.append((pieces, answer))
    return results
