"""The arguments that several sub-commands share: which application, and where it is."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["App", "AppDir", "Factory"]

App = Annotated[str, typer.Argument(metavar="MODULE:APP", help="The application.")]
Factory = Annotated[
    bool, typer.Option("--factory", help="APP is a function that returns the application.")
]
AppDir = Annotated[str, typer.Option(metavar="DIR", help="Import the module from this directory.")]
