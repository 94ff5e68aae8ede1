"""The arguments that several sub-commands share: which application, which requests."""

from __future__ import annotations

import pathlib
from typing import Annotated

import typer

__all__ = ["App", "AppDir", "Factory", "IgnoreHeader", "Requests", "UnsafeMethods"]

App = Annotated[str, typer.Argument(metavar="MODULE:APP", help="The application.")]
Factory = Annotated[
    bool, typer.Option("--factory", help="APP is a function that returns the application.")
]
AppDir = Annotated[str, typer.Option(metavar="DIR", help="Import the module from this directory.")]
Requests = Annotated[
    pathlib.Path | None,
    typer.Option(metavar="FILE", help="Recorded requests, JSON Lines. [default: derived]"),
]
IgnoreHeader = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Do not compare this response header (repeatable)."),
]
UnsafeMethods = Annotated[
    bool,
    typer.Option(
        "--unsafe-methods",
        help="Derive requests with all methods (POST, DELETE ...): test data only.",
    ),
]
