"""Flow control: who reads or writes too fast is made to wait."""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["HIGH_WATER", "FlowControlled"]

#: So many bytes of a body wait for the application before no more are read.
HIGH_WATER = 65536


class FlowControlled(asyncio.Protocol):
    """The part of a connection that pauses and goes on, in both directions.

    Attributes:
        transport: what is read from and written to.
        read_paused: whether the connection has paused reading.
        write_paused: whether the transport has asked to write no more.
    """

    __slots__ = ("_writable", "read_paused", "transport", "write_paused")

    def __init__(self) -> None:
        self.transport: Any = None
        self.read_paused = False
        self.write_paused = False
        # Made when somebody waits.
        self._writable: asyncio.Event | None = None

    def pause_reading(self) -> None:
        """Read no more until `resume_reading`."""
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on, if reading was paused."""
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def pause_writing(self) -> None:
        """The transport has more to write than its high-water mark allows."""
        self.write_paused = True

    def resume_writing(self) -> None:
        """The transport has written enough of it; or it never will, for the client has gone."""
        self.write_paused = False
        if self._writable is not None:
            self._writable.set()
            self._writable = None

    async def drain(self) -> None:
        """Wait until the transport takes more."""
        if self._writable is None:
            self._writable = asyncio.Event()
        await self._writable.wait()
