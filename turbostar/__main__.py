"""`python -m turbostar`, the same as the command `turbostar`."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and exit with its status."""
    try:
        from turbostar.cli import commands
    except ModuleNotFoundError as exc:
        library = (exc.name or "").partition(".")[0]
        if library not in {"typer", "rich"}:
            raise
        sys.stderr.write(
            f"error: the command line needs {library}, which is missing; "
            "pip install 'turbostar[cli]'\n"
        )
        sys.exit(2)
    sys.exit(commands.main(sys.argv[1:]))


if __name__ == "__main__":
    main()
