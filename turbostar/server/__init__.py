"""A protocol class for uvicorn, which serves any ASGI application at less cost.

``uvicorn main:app --http turbostar.server:HttpProtocol``, or `turbostar run`, which uses it by
itself. With ``TURBOSTAR_DISABLE=1`` it is uvicorn's own class.

It needs uvicorn and httptools: ``pip install 'turbostar[server]'``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from turbostar._attach.kill_switch import DISABLED

__all__ = ["HttpProtocol"]

try:
    from turbostar.server.protocol import HttpProtocol

    if DISABLED and not TYPE_CHECKING:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as HttpProtocol
except ModuleNotFoundError as exc:
    if (exc.name or "").partition(".")[0] not in ("uvicorn", "httptools"):
        raise
    raise ModuleNotFoundError(
        f"turbostar.server needs {exc.name}, which is missing; pip install 'turbostar[server]'",
        name=exc.name,
    ) from exc
