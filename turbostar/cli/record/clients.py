"""Recording what the test clients of a process send to their applications."""

from __future__ import annotations

import contextlib
import functools
import importlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from turbostar.cli.record.asgi import Recorder
from turbostar.cli.record.lines import Recording

__all__ = ["recorded_clients"]


@contextlib.contextmanager
def recorded_clients(recording: Recording) -> Iterator[None]:
    """Record every request of the test clients that are made from now on.

    These are Starlette's TestClient, and clients of httpx or httpx2 with an ASGITransport.
    """
    with contextlib.ExitStack() as stack:
        testclient = _imported("starlette.testclient")
        if testclient is not None:
            stack.enter_context(_patched(testclient.TestClient, recording, _of_test_client))
        for name in ("httpx", "httpx2"):
            library = _imported(name)
            if library is not None:
                stack.enter_context(_patched(library.ASGITransport, recording, _of_transport))
        yield


def _imported(name: str) -> Any:
    """A module, or None if it, or the HTTP library that it needs, is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it warns of is not for this import
        try:
            return importlib.import_module(name)
        except (ImportError, RuntimeError):
            return None


def _of_test_client(client: Any) -> Any:
    return client._transport


def _of_transport(transport: Any) -> Any:
    return transport


@contextlib.contextmanager
def _patched(kind: Any, recording: Recording, transport_of: Callable[[Any], Any]) -> Iterator[None]:
    """Put a recorder before the application of each object of this class.

    The application that the client itself knows, as `client.app`, stays what it is.
    """
    original = kind.__init__

    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        transport = transport_of(self)
        transport.app = Recorder(transport.app, recording)

    kind.__init__ = init
    try:
        yield
    finally:
        kind.__init__ = original
