"""Runs one request against one application, without a server, and records all that happened."""

from __future__ import annotations

import contextlib
import importlib
import re
import types
import warnings
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, Protocol

import anyio

from tests.differential.requests import Ask

Log = list[Any]

#: Set by each endpoint; whether the caller sees it tells in which context the endpoint ran.
VISITED: ContextVar[str] = ContextVar("visited", default="nobody")
SCALARS = (str, bytes, int, float, bool, type(None))
TITLE = re.compile(r"<h2>(.*?)</h2>", re.DOTALL)
ADDRESS = re.compile(r"0x[0-9a-fA-F]+|\b[0-9a-f]{12}\b")
#: A cookie that is taken back expires at once, and a second may pass between the two sides.
NOW = re.compile(r"expires=\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
CANCELLER = re.compile(r"by <Task .*>(?=; reason|$)")  # its place in the code is its own


class Difference(AssertionError):
    """turbostar and stock Starlette disagree."""


def plain(text: str) -> str:
    """A message without what legitimately differs: addresses, and the package's name."""
    return ADDRESS.sub("0x", CANCELLER.sub("by a task", text)).replace("turbostar", "starlette")


def type_name(kind: type) -> str:
    return plain(f"{kind.__module__}.{kind.__qualname__}")


class Labels:
    """Names for the objects that a description was built into, to compare them by."""

    def __init__(self) -> None:
        self._labels: dict[int, str] = {}
        self._kept: list[Any] = []

    def give(self, value: Any, label: str) -> Any:
        self._kept.append(value)  # an id is only good for as long as its object lives
        self._labels.setdefault(id(value), label)
        return value

    def of(self, value: Any) -> Any:
        """Reduce a value to plain data that is equal where stock's and ours are the same."""
        label = self._labels.get(id(value))
        if label is not None:
            return label
        kind = type(value)
        if kind in SCALARS:
            return NOW.sub("expires=now", repr(value))
        if kind is dict:
            return {"dict": [(self.of(key), self.of(item)) for key, item in value.items()]}
        if kind in (tuple, list, set, frozenset):
            return [kind.__name__, *map(self.of, value)]
        if isinstance(value, BaseException):
            return raised(value)
        if isinstance(value, types.MethodType):
            return f"{self.of(value.__self__)}.{value.__name__}"
        if isinstance(value, type):
            return f"class {type_name(value)}"
        return f"<{type_name(kind)}>" if kind.__module__ != "uuid" else repr(value)


def raised(exc: BaseException | None, depth: int = 5) -> Any:
    """What is observable of an exception, with its chain."""
    if exc is None or depth == 0:
        return None
    found = [type_name(type(exc)), plain(str(exc))]
    if depth == 1 or (isinstance(exc, ValueError) and hasattr(exc, "doc")):
        return found  # JSON may take two attempts before it cannot be decoded
    if exc.__cause__ is not None:
        found.append(["cause", raised(exc.__cause__, depth - 1)])
    if exc.__suppress_context__:
        found.append(["context suppressed"])  # and shown to nobody: stock's is of its task groups
    elif exc.__context__ is not None:
        found.append(["context", raised(exc.__context__, depth - 1)])
    if isinstance(exc, BaseExceptionGroup):
        found.append([raised(member, depth - 1) for member in exc.exceptions])
    return found


class Observed(Protocol):
    """What a run needs of the built application.

    Attributes:
        debug: some application of it shows tracebacks.
        served: the route that took the latest request.
        quiet: an endpoint sets it from where on it is not settled when `receive` is called.
    """

    labels: Labels
    log: Log
    served: Any
    quiet: bool
    debug: bool


class Client:
    """The server's side of one connection: `receive` and `send`, with what they were used for."""

    def __init__(self, ask: Ask, world: Observed) -> None:
        self.ask, self.labels, self.log = ask, world.labels, world.log
        self.world = world
        self.sent: list[Any] = []
        self._incoming = iter(self._messages())

    def _messages(self) -> list[dict[str, Any]]:
        if self.ask.type == "lifespan":
            return [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
        if self.ask.type == "websocket":
            texts = [{"type": "websocket.receive", "text": text} for text in self.ask.messages]
            return [
                {"type": "websocket.connect"},
                *texts,
                {"type": "websocket.disconnect", "code": 1000},
            ]
        last = len(self.ask.body) - 1
        chunks: list[dict[str, Any]] = [
            {"type": "http.request", "body": chunk, "more_body": number < last}
            for number, chunk in enumerate(self.ask.body)
        ]
        return chunks + [{"type": "http.disconnect"}] * self.ask.leaves

    async def receive(self) -> dict[str, Any]:
        message = next(self._incoming, None)
        if not self.world.quiet:
            self.log.append(("receive", message and message["type"]))
        if message is not None:
            return message
        if not self.world.quiet:
            raise RuntimeError("nothing more will arrive")
        await anyio.sleep_forever()
        raise AssertionError("woken from eternal sleep")

    async def send(self, message: Any) -> None:
        self.log.append(("send", message.get("type")))
        if self.ask.fails is not None and len(self.sent) == self.ask.fails:
            raise OSError("the connection is gone")
        seen = {key: self.labels.of(value) for key, value in message.items()}
        if "message" in seen:  # of a failed lifespan: a traceback, whose frames may differ
            seen["message"] = plain(message["message"]).strip().rpartition("\n")[2]
        self.sent.append(seen)
        if isinstance(message.get("headers"), list):
            # A middleware may do this; it must not show in anybody else's answer.
            message["headers"].append((b"x-poison", b"1"))


def without_frames(messages: list[Any], debug: bool) -> list[Any]:
    """The messages of a debug page: a traceback's frames may differ, what it says may not."""
    at = [number for number, message in enumerate(messages) if message.get("status") == "500"]
    if not debug or not at:
        return messages
    start, *rest = messages[at[0] :]
    start = dict(start, headers=[named[1] for named in start["headers"][1:]])
    for number, message in enumerate(rest):
        body = message.get("body", "")
        if "Traceback (most recent call last)" in body:
            says = body.rstrip("'\\n").rpartition("\\n")[2]
        elif title := TITLE.search(body):
            says = title.group(1)
        else:
            continue
        rest[number] = dict(message, body=plain(says))
    return [*messages[: at[0]], start, *rest]


Outcome = dict[str, Any]


async def drive(app: Any, ask: Ask, world: Observed, *, warned: bool = True) -> Outcome:
    """Run one request to its end.

    Args:
        warned: catch warnings; not where several requests run at once.

    Returns:
        By kind of observation, plain data to compare.
    """
    client = Client(ask, world)
    labels, log = world.labels, world.log
    world.quiet = False
    scope = ask.scope()
    before = dict(scope)
    params = scope.get("path_params")
    error: BaseException | None = None
    start = len(log)
    VISITED.set("nobody")
    with contextlib.ExitStack() as stack:
        caught = stack.enter_context(warnings.catch_warnings(record=True)) if warned else []
        if warned:
            warnings.simplefilter("always")
        try:
            returned = await app(scope, client.receive, client.send)
        except BaseException as exc:
            if not isinstance(exc, Exception | Loud | BaseExceptionGroup):
                raise
            error, returned = exc, None
    outcome = {
        "messages": without_frames(client.sent, world.debug),
        "exception": raised(error, depth=1),
        "traceback kept": None if error is None else error.__traceback__ is not None,
        "returned": labels.of(returned),
        "scope": {key: labels.of(value) for key, value in scope.items()},
        "scope order": [key for key in scope if key not in before],
        "path_params is the one given": params is not None and scope.get("path_params") is params,
        "context": VISITED.get(),
        "log": log[start:],
        "warnings": [told(item) for item in caught or () if item.category is not ResourceWarning],
        "exception chain": raised(error),
    }
    if isinstance(error, RecursionError) or "RecursionError" in repr(log[start:]):
        for kind in ("scope", "context", "log", "exception chain"):
            outcome[kind] = None  # how deep it came is up to the interpreter
    world.served = scope.get("route")
    if isinstance(scope.get("path_params"), dict):
        # What is one request's own must not show in anybody else's.
        scope["path_params"]["poison"] = True
    return outcome


def told(warning: warnings.WarningMessage) -> tuple[str, str]:
    """A warning, comparable; not asked of a ResourceWarning, whose time is up to the collector."""
    return warning.category.__name__, plain(str(warning.message))


class Loud(BaseException):
    """An exception that no handler of Starlette's may swallow."""


def run(work: Callable[[], Coroutine[Any, Any, Any]], backend: str | None) -> Any:
    """Run a coroutine to its end: on an event loop, or, if it never waits, on none."""
    if backend == "trio":
        # Its order of tasks is random on purpose; here it is the same for both sides.
        trio_run = importlib.import_module("trio._core._run")
        trio_run._r.seed(0)
    if backend is not None:
        return anyio.run(work, backend=backend)
    coroutine = work()
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise AssertionError("it waits: this needs an event loop")


def compare(
    stock: list[Outcome], ours: list[Outcome], steps: list[Any], shares_context: bool = False
) -> None:
    """Check that two runs of the same steps came out the same.

    Args:
        shares_context: an endpoint may share its context with what called it, where stock's does
            not: below a BaseHTTPMiddleware.

    Raises:
        Difference: they did not; it says where first.
    """
    # What cannot be built takes no steps.
    for theirs, mine, step in zip(stock, ours, steps[: len(stock)], strict=True):
        for kind in theirs:
            if kind == "context" and theirs[kind] == "nobody" and shares_context:
                continue
            if mine[kind] != theirs[kind]:
                raise Difference(f"{kind} of {step!r}\n{differing(theirs[kind], mine[kind])}")


def differing(stock: Any, ours: Any) -> str:
    """Two values, reduced to the entries in which they differ."""
    if isinstance(stock, dict) and isinstance(ours, dict):
        keys = [key for key in {**stock, **ours} if stock.get(key) != ours.get(key)]
        stock, ours = ({key: side.get(key) for key in keys} for side in (stock, ours))
    elif isinstance(stock, list) and isinstance(ours, list):
        same = 0
        while same < min(len(stock), len(ours)) and stock[same] == ours[same]:
            same += 1
        stock, ours = stock[same:], ours[same:]
    return f"  stock     {stock!r}\n  turbostar {ours!r}"
