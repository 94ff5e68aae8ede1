"""Targets of requests, split and decoded once."""

from __future__ import annotations

from urllib.parse import unquote

from httptools import parse_url

__all__ = ["METHODS", "TARGETS", "split_target"]

#: Methods as the scope has them.
METHODS = {
    name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
}
#: What `split_target` has returned for short paths; cleared when there are too many.
TARGETS: dict[bytes, tuple[str, bytes, bytes]] = {}
_KEPT_LENGTH = 128
_KEPT_TARGETS = 1024


def split_target(target: bytes) -> tuple[str, bytes, bytes]:
    """The path, the same as it came, and the query string, told apart as on uvicorn.

    Raises:
        HttpParserInvalidURLError: it is no URL.
        ValueError: it has no path, or one that is not ASCII.
    """
    # httptools takes five times as long, and is asked for what has a host or a fragment.
    if target[:1] == b"/" and b"#" not in target:
        raw_path, _, query = target.partition(b"?")
    else:
        parsed = parse_url(target)
        if parsed.path is None:
            raise ValueError("the request target has no path")
        raw_path, query = parsed.path, parsed.query or b""
    path = raw_path.decode("ascii")
    found = (unquote(path) if "%" in path else path, raw_path, query)
    if (
        not query and len(target) <= _KEPT_LENGTH
    ):  # a query is seldom asked twice, and may be secret
        if len(TARGETS) >= _KEPT_TARGETS:
            TARGETS.clear()
        TARGETS[target] = found
    return found
