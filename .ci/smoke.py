"""What a stranger does first with an installed turbostar; run away from the sources."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

APP = """
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

async def home(request):
    return JSONResponse({"hello": request.path_params["name"]})

app = Starlette(routes=[Route("/{name}", home)])
"""


MODELS = """
from turbostar.orm import Col, Database, Model, pk

class Note(Model, table="notes"):
    id: Col[int] = pk()
    text: Col[str]

async def main():
    async with Database("sqlite:///notes.db") as db:
        await db.create_all()
        await Note.create(text="tea")
        return await Note.filter(Note.text == "tea").values("id", "text")
"""


async def answer(app: Any) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/you", "headers": [], "query_string": b""}
    await app(scope, receive, send)
    return sent


def core() -> None:
    """With nothing but the two dependencies: import, install, answer, uninstall."""
    import turbostar

    here = Path(turbostar.__file__).resolve()
    assert "site-packages" in here.parts, here
    assert (here.parent / "py.typed").is_file()
    namespace: dict[str, Any] = {}
    exec(APP, namespace)
    stock = asyncio.run(answer(namespace["app"]))
    turbostar.install()
    assert asyncio.run(answer(namespace["app"])) == stock
    turbostar.uninstall()
    swapped: dict[str, Any] = {}
    exec(APP.replace("starlette", "turbostar"), swapped)
    assert asyncio.run(answer(swapped["app"])) == stock
    assert stock[1]["body"] == b'{"hello":"you"}'
    models: dict[str, Any] = {"__name__": "notes"}
    exec(MODELS, models)
    assert asyncio.run(models["main"]()) == [{"id": 1, "text": "tea"}]
    done = subprocess.run([sys.executable, "-m", "turbostar"], capture_output=True, text=True)
    assert done.returncode == 2, done
    assert "turbostar[cli]" in done.stderr, done.stderr


def cli() -> None:
    """With the `cli` extra: the command explains itself, and verifies an application."""
    Path("shop.py").write_text(APP)
    command = str(Path(sys.executable).with_name("turbostar"))
    assert "verify" in subprocess.run([command, "--help"], capture_output=True, text=True).stdout
    done = subprocess.run([command, "verify", "shop:app"], capture_output=True, text=True)
    assert done.returncode == 0, done


{"core": core, "cli": cli}[sys.argv[1]]()
sys.stdout.write(f"{sys.argv[1]}: fine\n")
