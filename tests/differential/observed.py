"""What can be seen of a run, reduced to plain data, and two runs compared."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import types
import warnings
from collections.abc import Iterator
from typing import Any

import anyio

Log = list[Any]
#: By kind of observation, plain data to compare.
Outcome = dict[str, Any]

SCALARS = (str, bytes, int, float, bool, type(None))
TITLE = re.compile(r"<h2>(.*?)</h2>", re.DOTALL)
ADDRESS = re.compile(r"0x[0-9a-fA-F]+|\b[0-9a-f]{12}\b")
#: A cookie that is taken back expires at once, and a second may pass between the two sides.
NOW = re.compile(r"expires=\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
CANCELLER = re.compile(r"by <Task .*>(?=; reason|$)")  # its place in the code is its own


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
        if kind is memoryview:
            return f"memoryview of {bytes(value)!r}"
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


def raised(exc: BaseException | None, depth: int = 6, *, through: bool = False) -> Any:
    """What is observable of an exception, with its chain.

    Args:
        through: leave out what it only came through on stock, and who called for a cancellation.
            The streams and task groups of BaseHTTPMiddleware get into the context, and with two of
            them into the cause, of every exception; that is nobody's doing.
    """
    if exc is None or depth == 0:
        return None
    if through and _is_cancellation(exc):
        return "cancelled"
    found = [type_name(type(exc)), plain(str(exc))]
    if depth == 1 or (isinstance(exc, ValueError) and hasattr(exc, "doc")):
        return found  # JSON may take two attempts before it cannot be decoded
    cause, context = exc.__cause__, exc.__context__
    if cause is not None and not (through and _passed(exc, cause)):
        found.append(["cause", raised(cause, depth - 1, through=through)])
    if exc.__suppress_context__:
        found.append(["context suppressed"])  # and shown to nobody: stock's is of its task groups
    elif context is not None and not (through and _passed(exc, context)):
        found.append(["context", raised(context, depth - 1, through=through)])
    if isinstance(exc, BaseExceptionGroup):
        found.append([raised(member, depth - 1, through=through) for member in exc.exceptions])
    return found


def _is_cancellation(exc: BaseException) -> bool:
    return isinstance(exc, asyncio.CancelledError) or type_name(type(exc)) == "trio.Cancelled"


def _passed(exc: BaseException, before: BaseException) -> bool:
    """Whether the exception only passed through what comes before it in a traceback."""
    if isinstance(before, BaseExceptionGroup):
        return any(member is exc or _passed(exc, member) for member in before.exceptions)
    return type(before) is anyio.EndOfStream


class Loud(BaseException):
    """An exception that no handler of Starlette's may swallow."""


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


class _Records(logging.Handler):
    """Who has logged a warning, and how it begins: what follows may name tasks."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        says = plain(record.getMessage().partition("<")[0].partition("\n")[0])
        self.found.append((record.name, record.levelname, says))


@contextlib.contextmanager
def overheard() -> Iterator[dict[str, Any]]:
    """What is warned of and logged meanwhile."""
    found: dict[str, Any] = {}
    records = _Records()
    logging.getLogger().addHandler(records)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield found
    finally:
        logging.getLogger().removeHandler(records)
    found["warnings"] = [
        (item.category.__name__, plain(str(item.message)))
        for item in caught
        if item.category is not ResourceWarning  # whose time is up to the collector
    ]
    found["logged"] = records.found


class Difference(AssertionError):
    """turbostar and stock Starlette disagree."""


def compare(stock: list[Outcome], ours: list[Outcome], steps: list[Any]) -> None:
    """Check that two runs of the same steps came out the same.

    Raises:
        Difference: they did not; it says where first.
    """
    # What cannot be built takes no steps.
    for theirs, mine, step in zip(stock, ours, steps[: len(stock)], strict=True):
        for kind in theirs:
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
