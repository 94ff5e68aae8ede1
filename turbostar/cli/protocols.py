"""Which protocol class `turbostar run` serves with: `--http`."""

from __future__ import annotations

import copy
import importlib.util
import sys
from typing import Any

from turbostar._attach.kill_switch import DISABLED
from turbostar.cli.errors import UserError

__all__ = ["advice", "chosen", "offered"]


def chosen(http: str, *, http2: bool = False) -> Any:
    """What uvicorn is given for `--http`: a name, or turbostar's class.

    Not its name, which older releases of uvicorn do not know what to do with.

    Args:
        http: as the user has given it; auto is turbostar's class, where what it needs is installed.
        http2: whether HTTP/2 is wanted, for which uvicorn has a class of its own.

    Raises:
        UserError: turbostar's class was named, and httptools is missing.
    """
    is_installed = importlib.util.find_spec("httptools") is not None
    if http == "turbostar":
        if not is_installed:
            raise UserError(
                "--http turbostar needs httptools, which is missing; "
                "pip install 'turbostar[server]'"
            )
    # With the kill switch all is stock.
    elif http != "auto" or http2 or DISABLED or not is_installed:
        return http
    from turbostar.server import HttpProtocol

    return HttpProtocol


def offered(option: Any) -> Any:
    """uvicorn's option, with turbostar's class told of in that of protocols."""
    if option.name != "http":
        return option
    own = copy.copy(option)
    own.metavar = "[auto|turbostar|httptools|h11|...]"
    own.help = "HTTP protocol implementation; auto is turbostar's where httptools is installed."
    return own


def advice() -> str | None:
    """What would make the server faster, in one line; None if nothing is missing."""
    if sys.platform in ("win32", "cygwin") or importlib.util.find_spec("uvloop") is not None:
        return None
    return "serving on asyncio's own event loop; pip install uvloop makes it faster"
