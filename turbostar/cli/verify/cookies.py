"""A cookie jar for replayed requests: one client, one server, so domains do not matter."""

from __future__ import annotations

import email.utils
from collections.abc import Iterable

import msgspec

__all__ = ["CookieJar"]


class _Cookie(msgspec.Struct):
    value: str
    path: str


class CookieJar:
    """The cookies of one client. `Secure` cookies are sent too: there is no network to spy on."""

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str], _Cookie] = {}

    def update(self, set_cookies: Iterable[str], *, path: str, now: float) -> None:
        """Keep or delete what the `set-cookie` headers of an answer say.

        `path` is that of the request, `now` the time in seconds since the epoch.
        """
        for line in set_cookies:
            pair, *attributes = line.split(";")
            name, equals, value = pair.strip().partition("=")
            if not equals:
                continue
            given = {
                key.strip().lower(): text.strip()
                for key, _, text in (attribute.partition("=") for attribute in attributes)
            }
            scope = given.get("path", "")
            if not scope.startswith("/"):
                scope = path.partition("?")[0].rpartition("/")[0] or "/"
            if _expired(given, now):
                self._cookies.pop((name, scope), None)
            else:
                self._cookies[name, scope] = _Cookie(value, scope)

    def header(self, path: str) -> str | None:
        """The `cookie` header of a request for this path, longest cookie paths first."""
        path = path.partition("?")[0]
        fitting = [
            (name, cookie)
            for (name, _), cookie in self._cookies.items()
            if _within(path, cookie.path)
        ]
        fitting.sort(key=lambda item: -len(item[1].path))
        return "; ".join(f"{name}={cookie.value}" for name, cookie in fitting) or None


def _within(path: str, scope: str) -> bool:
    return path == scope or path.startswith(scope if scope.endswith("/") else f"{scope}/")


def _expired(attributes: dict[str, str], now: float) -> bool:
    max_age = attributes.get("max-age", "")
    if max_age.lstrip("-").isdecimal():
        return int(max_age) <= 0
    try:
        return email.utils.parsedate_to_datetime(attributes.get("expires", "")).timestamp() <= now
    except ValueError:
        return False  # absent or unreadable: it lasts as long as the client
