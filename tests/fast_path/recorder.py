"""Which functions are entered while something runs, without touching any of them.

turbostar steps aside where a function of Starlette's has been replaced. So a test that wants to
know whether one is called must not put anything in its place: the interpreter itself is asked.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["Recorder", "recording"]


class Recorder:
    """What was entered.

    Attributes:
        entered: how often each function was, by name, as ``starlette.routing:Route.matches``. A
            coroutine or a generator counts anew each time that it goes on.
        patterns: how many regular expressions were matched against something.
        calls: how many calls there were in all, of Python's functions and of C's.
    """

    def __init__(self) -> None:
        self.entered: Counter[str] = Counter()
        self.patterns = 0
        self.calls = 0

    def __call__(self, frame: FrameType, event: str, arg: Any) -> None:
        if event == "call":
            self.calls += 1
            module = frame.f_globals.get("__name__", "")
            self.entered[f"{module}:{frame.f_code.co_qualname}"] += 1
        elif event == "c_call":
            self.calls += 1
            if type(getattr(arg, "__self__", None)) is re.Pattern:
                self.patterns += 1


@contextmanager
def recording(recorder: Recorder) -> Iterator[Recorder]:
    """Record what this thread enters, whichever task it runs; may be entered several times."""
    before = sys.getprofile()
    sys.setprofile(recorder)
    try:
        yield recorder
    finally:
        sys.setprofile(before)
