"""The guide runs: its programs print what stands below them."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import types
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "di.md"


def test_the_guide_runs() -> None:
    """Each block of output is that of the program above it."""
    blocks = re.findall(
        r"^```(\w+)\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    module = types.ModuleType("guide_of_di")
    sys.modules[module.__name__] = module
    printed = io.StringIO()
    shown = 0
    try:
        for language, text in blocks:
            if language == "text":
                assert printed.getvalue().strip() == text.strip()
                printed = io.StringIO()
                shown += 1
            elif "di_of_yours" not in text:
                with contextlib.redirect_stdout(printed):
                    exec(compile(text, str(GUIDE), "exec"), module.__dict__)
    finally:
        del sys.modules[module.__name__]
    assert shown == 7
    assert printed.getvalue() == ""
