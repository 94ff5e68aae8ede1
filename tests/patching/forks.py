"""Runs work in a copy of this process, so that whatever it patches stays there."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any


def in_fork(work: Callable[[], Any]) -> Any:
    """Do the work in a fork, and return its result, which is passed on as JSON.

    Call it before this process has started threads.

    Raises:
        RuntimeError: the work has failed; its traceback is on stderr.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reader)
            with os.fdopen(writer, "w") as out:
                json.dump(work(), out)
            code = 0
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as results:
        text = results.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"the fork has ended with status {status}")
    return json.loads(text)


def report(result: Any) -> None:
    """Hand a result to the process that waits for ours: the last line of the output."""
    sys.stdout.write("\n" + json.dumps(result) + "\n")
