"""What we know of the server, where its own ``send`` and ``receive`` are what we were given.

A server that can take a whole response in one call registers the functions of both. Whoever wraps
or replaces them is called as by everybody.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

__all__ = ["EXTENSION", "hand_over", "only_waits", "register", "responds"]

#: The name under which a server advertises this in ``scope["extensions"]``.
EXTENSION = "turbostar.response"

Respond = Callable[[Any, int, Any, Any], bool]

#: Who takes whole responses; empty where no such server was imported. By the identity of a
#: function, for a wrapper of wrapt's equals what it wraps. The function is kept beside, so that its
#: number is not given to another one.
responds: dict[int, tuple[Any, Respond]] = {}
_receives: dict[int, Any] = {}


def register(send: Any, respond: Respond, receive: Any) -> None:
    """Say that `respond` does in one call what two messages to `send` would do.

    Args:
        send: the function of a method that is a server's ``send``.
        respond: takes its ``self``, a status code, raw headers and a body. It returns False, and
            has done nothing, where it cannot do so: the messages must be sent then.
        receive: that of the ``receive`` beside it, which only waits, or gives what is there.
    """
    responds[id(send)] = (send, respond)
    _receives[id(receive)] = receive


def only_waits(receive: Any) -> bool:
    """Whether this is the function of such a ``receive``."""
    return id(receive) in _receives


def hand_over(send: Any, status: int, headers: Any, body: Any) -> bool:
    """Give a server the whole response at once.

    Returns False, and has done nothing, if `send` is not a server's own or takes only messages.
    """
    if not responds or type(send) is not MethodType:
        return False
    known = responds.get(id(send.__func__))
    return known is not None and known[1](send.__self__, status, headers, body)
