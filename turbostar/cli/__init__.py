"""The `turbostar` command: run, verify, bench."""

from __future__ import annotations
