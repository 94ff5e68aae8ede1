"""The defects that are planted."""

from __future__ import annotations

from tests.defects.dispatch_defects import DISPATCH_DEFECTS
from tests.defects.losses import LOSSES
from tests.defects.message_defects import MESSAGE_DEFECTS
from tests.defects.middleware_defects import MIDDLEWARE_DEFECTS
from tests.defects.routing_defects import ROUTING_DEFECTS

__all__ = ["DEFECTS", "LOSSES"]

#: Those that give a wrong answer, and those that lose a fast path.
DEFECTS = [*ROUTING_DEFECTS, *DISPATCH_DEFECTS, *MIDDLEWARE_DEFECTS, *MESSAGE_DEFECTS]
