"""One pass over the requests, one after the other, keeping cookies."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence

from turbostar.cli.bench.answers import Answer, AnswerError, AnswerParser
from turbostar.cli.bench.exchange import wire_pieces
from turbostar.cli.recorded import RecordedRequest
from turbostar.cli.verify.cookies import CookieJar

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
        """`timeout` is for one whole answer, in seconds."""
        self._address = (host, port)
        self._timeout = timeout
        self._socket: socket.socket | None = None

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
        parser = AnswerParser(to_head=to_head)
        deadline = time.monotonic() + self._timeout
        try:
            answer = self._exchange(parser, pieces, deadline)
        except TimeoutError as exc:
            self.close()
            raise MissingAnswer(name, f"nothing within {self._timeout:g} s") from exc
        except (OSError, AnswerError) as exc:
            self.close()
            raise MissingAnswer(name, str(exc)) from exc
        if not answer.keep_alive:
            self.close()
        if parser.leftover:
            self.close()
            raise MissingAnswer(name, f"bytes after the answer: {parser.leftover[:40]!r}")
        return answer

    def _exchange(self, parser: AnswerParser, pieces: Sequence[bytes], deadline: float) -> Answer:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=self._timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                self._socket.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server may answer a request that it does not read to its end
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            self._socket.settimeout(remaining)
            data = self._socket.recv(1 << 16)
            if not data:
                return parser.end()
            if (answer := parser.feed(data)) is not None:
                return answer


def serial_pass(
    requests: Sequence[RecordedRequest], host: str, port: int, *, timeout: float
) -> list[SerialAnswer]:
    """Send the requests in order, with new cookie jars; return what was sent and what came.

    A request that is not for the load is sent only to fill its jar; its answer may be missing.

    Raises:
        MissingAnswer: a request of the load got none.
    """
    jars: dict[str, CookieJar] = {}
    results: list[SerialAnswer] = []
    with SerialClient(host, port, timeout=timeout) as client:
        for request in requests:
            jar = jars.setdefault(request.jar, CookieJar()) if request.jar else None
            pieces = wire_pieces(request, jar.header(request.path) if jar else None)
            answer: Answer | None = None
            try:
                answer = client.ask(request.name, pieces, to_head=request.method == "HEAD")
            except MissingAnswer:
                if request.bench:
                    raise
            if jar and answer:
                cookies = [
                    value.decode("latin-1")
                    for name, value in answer.headers
                    if name == b"set-cookie"
                ]
                jar.update(cookies, path=request.path, now=time.time())
            results.append((pieces, answer))
    return results
