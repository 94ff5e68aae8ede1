"""Compatibility suites: other projects' tests, run on stock Starlette and on turbostar, compared.

Started with ``python -m compat`` from the repository root; see ``compat/README.md``.
Nothing here is part of the installed package.
"""

from __future__ import annotations
