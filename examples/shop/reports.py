"""What the staff wants to know."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from starlette.authentication import requires
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from .middleware import CacheControlMiddleware

ROWS_PER_CHUNK = 60


@requires("staff")
async def sales(request: Request) -> Response:
    return JSONResponse({"currency": "EUR", "rows": request.state.sales})


@requires("staff")
def sales_as_csv(request: Request) -> Response:
    headers = {"content-disposition": 'attachment; filename="sales.csv"'}
    chunks = csv_chunks(request.state.sales)
    return StreamingResponse(chunks, media_type="text/csv", headers=headers)


def csv_chunks(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The rows as CSV, some at a time."""
    for start in range(0, len(rows), ROWS_PER_CHUNK):
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, fieldnames=list(rows[0]))
        if start == 0:
            writer.writeheader()
        writer.writerows(rows[start : start + ROWS_PER_CHUNK])
        yield buffer.getvalue()


@requires("staff")
async def conversion(request: Request) -> Response:
    # Wrong for days without visits: the kind of mistake a real application has.
    visits = int(request.query_params.get("visits", "0"))
    return JSONResponse({"conversion": round(len(request.state.sales) / visits, 2)})


routes = [
    Route(
        "/sales",
        sales,
        name="sales",
        middleware=[Middleware(CacheControlMiddleware, value="private, max-age=60")],
    ),
    Route("/sales.csv", sales_as_csv, name="sales-csv"),
    Route("/conversion", conversion, name="conversion"),
]
