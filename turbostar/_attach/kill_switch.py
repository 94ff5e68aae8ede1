"""The kill switch: ``TURBOSTAR_DISABLE=1`` makes all of turbostar behave as stock Starlette."""

from __future__ import annotations

import os

__all__ = ["DISABLED", "VARIABLE"]

VARIABLE = "TURBOSTAR_DISABLE"

#: Read once, when turbostar is first imported: a process is never half stock.
DISABLED = os.environ.get(VARIABLE, "").strip().lower() not in ("", "0", "false", "no", "off")
