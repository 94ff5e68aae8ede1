"""Files: those the shop hands out, and those it is given."""

from __future__ import annotations

import hashlib
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from .errors import InvalidFields, NotFound

FILES = Path(__file__).parent / "files"
MAX_UPLOAD = 128 * 1024


async def upload(request: Request) -> Response:
    async with request.form(max_files=4, max_fields=4, max_part_size=4096) as form:
        stored = []
        for field, value in form.multi_items():
            if not isinstance(value, UploadFile):
                continue
            content = await value.read()
            digest = hashlib.sha256(content).hexdigest()
            request.state.uploads.put(digest, content)
            stored.append(
                {
                    "field": field,
                    "filename": value.filename,
                    "content_type": value.content_type,
                    "size": value.size,
                    "sha256": digest,
                }
            )
        caption = form.get("caption")
    if not stored:
        raise InvalidFields({"file": "no file was sent"})
    return JSONResponse({"caption": caption, "files": stored}, status_code=201)


async def uploaded(request: Request) -> Response:
    digest = request.path_params["digest"]
    content = request.state.uploads.get(digest)
    if content is None:
        raise NotFound("upload", digest)
    return Response(content, media_type="application/octet-stream")


async def measure(request: Request) -> Response:
    digest, size, lines = hashlib.sha256(), 0, 0
    async for chunk in request.stream():
        digest.update(chunk)
        size += len(chunk)
        lines += chunk.count(b"\n")
    return JSONResponse({"size": size, "lines": lines, "sha256": digest.hexdigest()})


def price_list(request: Request) -> Response:
    outbox = request.state.outbox
    return FileResponse(
        FILES / "prices.txt",
        filename="Preise & Größen.txt",
        background=BackgroundTask(outbox.write, "statistics", "The price list was downloaded"),
    )


async def manual(request: Request) -> Response:
    name = request.path_params["name"]
    folder = (FILES / "manuals").resolve()
    if "\0" in name:
        raise NotFound("manual", name)
    path = (folder / name).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        raise NotFound("manual", name)
    return FileResponse(path, headers={"x-manual": path.stem})


routes = [
    Route("/uploads", upload, methods=["POST"], name="upload"),
    Route("/uploads/{digest}", uploaded, name="uploaded"),
    Route("/measure", measure, methods=["PUT", "POST"], name="measure"),
    Route("/prices.txt", price_list, name="prices"),
    Route("/manuals/{name:path}", manual, name="manual"),
]
