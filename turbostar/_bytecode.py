"""What a function does with its arguments, read from its bytecode.

A middleware's ``dispatch`` and the endpoint below it may share one task only if neither can tell.
They could: an endpoint that sends messages itself must be heard while it runs, and a timeout around
``call_next`` must not cancel the endpoint. Code that uses its arguments in the plainest ways only
can do neither; whatever is not recognised as such is taken for code that does.
"""

from __future__ import annotations

import dis
import functools
from inspect import CO_COROUTINE
from types import CodeType, FunctionType, MethodType
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool

__all__ = [
    "Objection",
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
# Ways around what is recognised below, and timeouts without a `with`.
_DEVIOUS = frozenset(
    {"locals", "vars", "eval", "exec", "_getframe", "currentframe", "current_task", "call_later"}
    | {"call_at", "__enter__", "__aenter__", "enter_context", "enter_async_context"}
)
_FILLERS = frozenset({"CACHE", "EXTENDED_ARG", "NOP", "PRECALL", "PUSH_NULL"})
_ENTERING = frozenset({"BEFORE_WITH", "BEFORE_ASYNC_WITH", "LOAD_SPECIAL"})


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


_ONLY_READ = "hand on what was read of the request, not the request itself"
_PLAINLY = "await call_next(request) in `dispatch` itself, right where it is called"
_UNKNOWN = Objection(
    "is not a plain function", "give a function or a method, whose code can be read"
)
_NOT_ASYNC = Objection("is not an `async def` function", _PLAINLY)


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
    return _UNKNOWN if function is None else _objection_to_reader(function.__code__, position)


def calls_next_plainly(dispatch: Any) -> bool:
    """Whether ``dispatch(request, call_next)`` can but read the request and await ``call_next``.

    It awaits ``call_next(request)`` right where it calls it, and after no ``with`` that might still
    be open.
    """
    return objection_to_dispatch(dispatch) is None


def objection_to_dispatch(dispatch: Any) -> Objection | None:
    """Say what ``dispatch(request, call_next)`` does beside that."""
    function, position = _function_of(dispatch)
    return _UNKNOWN if function is None else _objection_to_dispatch(function.__code__, position)


def _function_of(call: Any) -> tuple[FunctionType | None, int]:
    """The Python function behind a call, and the position of the first argument passed to it."""
    position = 0
    if type(call) is MethodType:
        call, position = call.__func__, 1
    return (call if type(call) is FunctionType else None), position


@functools.lru_cache(maxsize=4096)
def _objection_to_reader(code: CodeType, position: int) -> Objection | None:
    request = _argument(code, position)
    if request is None or not _DEVIOUS.isdisjoint(code.co_names):
        return _hidden(code, position)
    # The object of a class endpoint holds the means of sending, too.
    forbidden = _argument(code, 0) if position else None
    instructions = _instructions(code)
    for number, instruction in enumerate(instructions):
        loaded = _loaded(instruction)
        if forbidden in loaded:
            change = "a function, or a static method, has only its request"
            return Objection(f"is a method that uses `{forbidden}`", change)
        if request in loaded and not _is_read(instructions, number, request):
            return _use(instructions, number, request)
    return None


@functools.lru_cache(maxsize=1024)
def _objection_to_dispatch(code: CodeType, position: int) -> Objection | None:
    request, call_next = _argument(code, position), _argument(code, position + 1)
    if request is None or call_next is None or not _DEVIOUS.isdisjoint(code.co_names):
        return _hidden(code, position, position + 1)
    if not code.co_flags & CO_COROUTINE:
        return _NOT_ASYNC
    instructions = _instructions(code)
    entered = False
    for number, instruction in enumerate(instructions):
        loaded = _loaded(instruction)
        entered = entered or instruction.opname in _ENTERING
        if call_next in loaded:
            if entered:
                cause = f"uses {call_next} in or after a `with` block"
                change = (
                    "move a block that ends before it into a function; one around it belongs into "
                    "pure ASGI middleware"
                )
                return Objection(cause, change, _line(instruction))
            if not _is_awaited_call(instructions, number, request):
                cause = f"does more with {call_next} than `await {call_next}({request})`"
                return Objection(cause, _PLAINLY, _line(instruction))
        elif request in loaded and not _is_read(instructions, number, request):
            previous = instructions[number - 1]
            if _loaded(previous) != (call_next,) or loaded != (request,):
                return _use(instructions, number, request)
    return None


def _hidden(code: CodeType, *positions: int) -> Objection:
    """The objection to a function that may use its arguments where it cannot be seen."""
    if positions[-1] >= code.co_argcount:
        change = "let the decorator return the function that it was given, if that will do"
        return Objection("takes its arguments by `*args`, as decorators do", change)
    for position, change in zip(positions, (_ONLY_READ, _PLAINLY), strict=False):
        name = code.co_varnames[position]
        if name in code.co_cellvars:
            return Objection(f"uses {name} in a function within it", change)
    name = min(_DEVIOUS.intersection(code.co_names))
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
        change = "use what is public of a request, and change only its scope and state"
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
    argument, call, awaiting = instructions[number + 1 : number + 4]
    return (
        len(_loaded(instructions[number])) == 1
        and _loaded(argument) == (request,)
        and (call.opname, call.arg) == ("CALL", 1)
        and awaiting.opname == "GET_AWAITABLE"
    )
