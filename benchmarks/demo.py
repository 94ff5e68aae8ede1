"""``make demo``: swap, verify and measure the bundled application, as a user would their own."""

from __future__ import annotations

import difflib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.syntax import Syntax

from compat.rewrite import rewrite_source

ROOT = Path(__file__).resolve().parents[1]
SHOP = Path("examples/shop")
REQUESTS = "examples/shop/requests.jsonl"
REPORT = "demo-report.html"

console = Console(highlight=False)


def main() -> int:
    """Run the demo and return the exit status of its first step that fails."""
    with tempfile.TemporaryDirectory(prefix="turbostar-demo-") as folder:
        swapped = Path(folder)
        headline("1. Swap the imports of an application (or leave it as it is)")
        show_swap(swapped)
        headline("2. Verify: every recorded request must be answered as by stock Starlette")
        console.print("The application as it is, under turbostar.install():")
        verify = ["verify", "examples.shop:app", "--requests", REQUESTS]
        status = turbostar(*verify)
        if not status:
            console.print("\nThe copy with its imports swapped:")
            status = turbostar(*verify, "--app-dir", str(swapped))
        if status:
            return status
    headline("3. Measure: stock (A) against turbostar (B), fresh servers, in turn")
    status = turbostar(
        "bench", "examples.shop:app", "--requests", REQUESTS, "--quick", "--no-verify",
        "--report", REPORT,
    )  # fmt: skip
    if not status:
        console.print(f"\nThe report is {REPORT}: open it in a browser.")
    return status


def headline(text: str) -> None:
    """Say what comes now."""
    console.print(f"\n[bold]{text}[/bold]")


def show_swap(folder: Path) -> None:
    """Write a copy of the shop that imports turbostar, and show what differs in one file."""
    copied = folder / SHOP
    shutil.copytree(ROOT / SHOP, copied, ignore=shutil.ignore_patterns("__pycache__"))
    (copied.parent / "__init__.py").touch()
    changed = 0
    for path in sorted(copied.rglob("*.py")):
        before = path.read_text()
        after = rewrite_source(before)
        path.write_text(after)
        changed += sum(a != b for a, b in zip(before.splitlines(), after.splitlines(), strict=True))
    name = "application.py"
    lines = difflib.unified_diff(
        (ROOT / SHOP / name).read_text().splitlines(),
        (copied / name).read_text().splitlines(),
        f"starlette/{name}",
        f"turbostar/{name}",
        n=0,
        lineterm="",
    )
    console.print(Syntax("\n".join(lines), "diff", background_color="default"))
    console.print(f"{changed} lines differ in all of the application, all of them imports.")


def turbostar(*arguments: str) -> int:
    """Run the command line as a user would."""
    console.print(f"[dim]$ turbostar {' '.join(arguments)}[/dim]")
    return subprocess.run([sys.executable, "-m", "turbostar", *arguments], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
