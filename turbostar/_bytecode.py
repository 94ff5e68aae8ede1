"""What a function does with its arguments, read from its bytecode.

A middleware's ``dispatch`` and the endpoint below it may share one task only if neither can tell.
They could: an endpoint that sends messages itself must be heard while it runs, a timeout around
``call_next`` must not cancel the endpoint, and ``call_next`` may be called twice, or by another
task. Code that uses its arguments in the plainest ways only can do none of it; whatever is not
recognised as such is taken for code that does.
"""

from __future__ import annotations

import dis
import functools
from bisect import bisect_left
from collections.abc import Iterator
from inspect import CO_COROUTINE
from types import CodeType, FunctionType, MethodType
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.endpoints import HTTPEndpoint

__all__ = [
    "Objection",
    "awaits_next_once",
    "calls_next_plainly",
    "leaves_sending_to_us",
    "objection_to_dispatch",
    "objection_to_endpoint",
]

# What may be read of a request: everything public but what sends.
_READ = frozenset(
    {"app", "auth", "base_url", "body", "client", "cookies", "form", "headers", "is_disconnected"}
    | {"json", "method", "path_params", "query_params", "receive", "scope", "session", "state"}
    | {"stream", "url", "url_for", "user"}
)
# Ways around what is recognised below.
_DEVIOUS = frozenset({"locals", "vars", "eval", "exec", "_getframe", "currentframe"})
# Ways to learn of the task, or to time it out without a `with`.
_OF_TASKS = frozenset(
    {"current_task", "call_later", "call_at"}
    | {"__enter__", "__aenter__", "enter_context", "enter_async_context"}
)
# After these, what comes next in the code is not what runs next.
_LEAVING = frozenset(
    {"RETURN_VALUE", "RETURN_CONST", "RERAISE", "RAISE_VARARGS"}
    | {"JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"}
)
_FILLERS = frozenset({"CACHE", "EXTENDED_ARG", "NOP", "PRECALL", "PUSH_NULL"})
_ENTERING = frozenset({"BEFORE_WITH", "BEFORE_ASYNC_WITH", "LOAD_SPECIAL"})
_JUMPS = frozenset({*dis.hasjrel, *dis.hasjabs})
_CALL = 3  # instructions from a function that is loaded to where its coroutine is awaited


class Objection(NamedTuple):
    """What a function does with its arguments, or may do unseen, beside the plainest.

    Attributes:
        cause: to be read after the function's name.
        change: what to do about it.
        line: where in the function's file; 0 where that does not say more.
    """

    cause: str
    change: str
    line: int = 0


_ONLY_PUBLIC = "use what is public of a request, and change only its scope and state"
_ONLY_READ = "hand on what was read of the request, not the request itself"
_PLAINLY = "await call_next(request) in `dispatch` itself, right where it is called"
_UNKNOWN = Objection(
    "is not a plain function", "give a function or a method, whose code can be read"
)
_NOT_ASYNC = Objection("is not an `async def` function", _PLAINLY)
_SHIELDS = Objection(
    "uses a shield from cancellation", "do without it, or use it in a function of its own"
)
_HOLDS_SEND = Objection(
    "is a method of a class endpoint, which holds the means of sending", "make it a function"
)


def leaves_sending_to_us(endpoint: Any) -> bool:
    """Whether an endpoint, ``endpoint(request)``, can do nothing with its request but read it."""
    return objection_to_endpoint(endpoint) is None


def objection_to_endpoint(endpoint: Any) -> Objection | None:
    """Say what an endpoint, or a handler of exceptions, does with its request but read it."""
    if isinstance(endpoint, functools.partial):
        if endpoint.func is not run_in_threadpool or endpoint.keywords or len(endpoint.args) != 1:
            return _UNKNOWN
        (endpoint,) = endpoint.args
    function, position = _function_of(endpoint)
    if function is None:
        return _UNKNOWN
    if position and isinstance(endpoint.__self__, HTTPEndpoint):
        return _HOLDS_SEND
    return _objection_to_reader(function.__code__, position)


def calls_next_plainly(dispatch: Any) -> bool:
    """Whether ``dispatch(request, call_next)`` can but await ``call_next`` once, in its own task.

    It awaits ``call_next(request)`` right where it calls it, after no ``with`` that might still be
    open, and leaves sending to us.
    """
    return objection_to_dispatch(dispatch) is None


def objection_to_dispatch(dispatch: Any) -> Objection | None:
    """Say what ``dispatch(request, call_next)`` does beside that."""
    function, position = _function_of(dispatch)
    if function is None:
        return _UNKNOWN
    code = function.__code__
    return _objection_to_calls(code, position) or _objection_to_sharing(code, position)


def awaits_next_once(dispatch: Any) -> bool:
    """Whether ``dispatch`` awaits ``call_next(request)`` where it calls it, at most once.

    So much is asked for what is below to have a task of its own that is not as on Starlette.
    """
    function, position = _function_of(dispatch)
    return function is not None and _objection_to_calls(function.__code__, position) is None


def _function_of(call: Any) -> tuple[FunctionType | None, int]:
    """The Python function behind a call, and the position of the first argument passed to it."""
    position = 0
    if type(call) is MethodType:
        call, position = call.__func__, 1
    return (call if type(call) is FunctionType else None), position


@functools.lru_cache(maxsize=4096)
def _objection_to_reader(code: CodeType, position: int) -> Objection | None:
    request = _argument(code, position)
    if request is None or not (_DEVIOUS | _OF_TASKS).isdisjoint(code.co_names):
        return _hidden(code, position)
    instructions = _instructions(code)
    for number, instruction in enumerate(instructions):
        if request in _loaded(instruction) and not _is_read(instructions, number, request):
            return _use(instructions, number, request)
    return None


@functools.lru_cache(maxsize=1024)
def _objection_to_calls(code: CodeType, position: int) -> Objection | None:
    """What is done with ``call_next`` but to await it, at most once."""
    call_next = _argument(code, position + 1)
    if call_next is None or not _DEVIOUS.isdisjoint(code.co_names):
        return _hidden(code, position + 1)
    if not code.co_flags & CO_COROUTINE:
        return _NOT_ASYNC
    if _is_shielding(code):
        return _SHIELDS
    request = code.co_varnames[position]
    instructions = _instructions(code)
    calls = [
        number
        for number, instruction in enumerate(instructions)
        if call_next in _loaded(instruction)
    ]
    for number in calls:
        if not _is_awaited_call(instructions, number, request):
            cause = f"does more with {call_next} than `await {call_next}({request})`"
            return Objection(cause, _PLAINLY, _line(instructions[number]))
    again = _reached_from(code, instructions, calls)
    if again is not None:
        change = f"call {call_next} once: what it has started cannot be started again"
        return Objection(f"may call {call_next} again", change, _line(instructions[again]))
    return None


@functools.lru_cache(maxsize=1024)
def _objection_to_sharing(code: CodeType, position: int) -> Objection | None:
    """What, beside the calls of ``call_next``, lets one tell that they share a task."""
    request, call_next = code.co_varnames[position : position + 2]
    if not _OF_TASKS.isdisjoint(code.co_names):
        return _hidden(code, position)
    if any("_send" in within.co_names for within in _codes(code)):
        return Objection(f"uses the _send of {request}", _ONLY_PUBLIC)
    entered = False
    for instruction in _instructions(code):
        entered = entered or instruction.opname in _ENTERING
        if entered and call_next in _loaded(instruction):
            change = (
                "move a block that ends before it into a function; one around it belongs into "
                "pure ASGI middleware"
            )
            cause = f"uses {call_next} in or after a `with` block"
            return Objection(cause, change, _line(instruction))
    return None


def _is_shielding(code: CodeType) -> bool:
    """Whether a function uses anything called ``shield``, as a name or as a keyword."""
    names = [constant for constant in code.co_consts if type(constant) is tuple]
    return any("shield" in found for found in (code.co_names, *names))


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of a function and of the functions within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _reached_from(
    code: CodeType, instructions: list[dis.Instruction], calls: list[int]
) -> int | None:
    """Return a call that may follow another one, or itself; None if there is none."""
    places = {instruction.offset: number for number, instruction in enumerate(instructions)}
    offsets = sorted(places)

    def number_at(offset: int) -> int:
        # What is jumped to may be a filler, before the next one that counts.
        return places[offsets[bisect_left(offsets, offset)]]

    handlers = [
        (entry.start, entry.end, number_at(entry.target))
        for entry in dis.Bytecode(code).exception_entries  # type: ignore[attr-defined]
    ]
    # An await is over where the jumps of its loop lead, and begins after the call.
    left = [number + _CALL for number in calls]
    seen: set[int] = set()
    while left:
        number = left.pop()
        if number in seen or number >= len(instructions):
            continue
        seen.add(number)
        if number in calls:
            return number
        instruction = instructions[number]
        if instruction.opname not in _LEAVING:
            left.append(number + 1)
        if instruction.opcode in _JUMPS:
            left.append(number_at(instruction.argval))
        offset = instruction.offset
        left.extend(target for start, end, target in handlers if start <= offset < end)
    return None


def _hidden(code: CodeType, *positions: int) -> Objection:
    """The objection to a function that may use an argument where it cannot be seen."""
    (position,) = positions
    if position >= code.co_argcount:
        change = "let the decorator return the function that it was given, if that will do"
        return Objection("takes its arguments by `*args`, as decorators do", change)
    name = code.co_varnames[position]
    if name in code.co_cellvars:
        change = _PLAINLY if name == "call_next" else _ONLY_READ
        return Objection(f"uses {name} in a function within it", change)
    name = min((_DEVIOUS | _OF_TASKS).intersection(code.co_names))
    return Objection(f"uses {name}", f"do without {name}, or call it in a function of its own")


def _use(instructions: list[dis.Instruction], number: int, request: str) -> Objection:
    """The objection to what is done with a request at an instruction."""
    instruction, following = instructions[number : number + 2]
    loaded = _loaded(instruction)
    cause, change = "hands its request on", _ONLY_READ
    only = loaded.count(request) == 1 and loaded[-1] == request
    if only and following.opname in ("LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "DELETE_ATTR"):
        verb = "reads" if following.opname.startswith("LOAD") else "changes"
        cause = f"{verb} {request}.{following.argval}"
        change = _ONLY_PUBLIC
    return Objection(cause, change, _line(instruction))


def _line(instruction: dis.Instruction) -> int:
    positions = instruction.positions
    return (positions.lineno if positions is not None else 0) or 0


def _argument(code: CodeType, position: int) -> str | None:
    """The name of a positional argument that only the function's own frame can see."""
    if position >= code.co_argcount:
        return None
    name = code.co_varnames[position]
    return None if name in code.co_cellvars else name


def _instructions(code: CodeType) -> list[dis.Instruction]:
    return [found for found in dis.get_instructions(code) if found.opname not in _FILLERS]


def _loaded(instruction: dis.Instruction) -> tuple[Any, ...]:
    """The local variables that an instruction puts on the stack; some put two."""
    if "LOAD_FAST" not in instruction.opname:
        return ()
    names = instruction.argval
    if type(names) is not tuple:
        return (names,)
    return names[1:] if instruction.opname.startswith("STORE_FAST") else names


def _is_read(instructions: list[dis.Instruction], number: int, request: str) -> bool:
    """Whether the request is loaded for no more than to read an attribute of it."""
    loaded, following = _loaded(instructions[number]), instructions[number + 1]
    return (
        loaded[-1] == request
        and loaded.count(request) == 1
        and following.opname in ("LOAD_ATTR", "LOAD_METHOD")
        and following.argval in _READ
    )


def _is_awaited_call(instructions: list[dis.Instruction], number: int, request: str) -> bool:
    """Whether a function is loaded to be called with the request and awaited."""
    argument, call, awaiting = instructions[number + 1 : number + _CALL + 1]
    return (
        len(_loaded(instructions[number])) == 1
        and (argument.opname == "LOAD_DEREF" or _loaded(argument) != ())
        and argument.argval == request
        and (call.opname, call.arg) == ("CALL", 1)
        and awaiting.opname == "GET_AWAITABLE"
    )
