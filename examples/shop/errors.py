"""What can go wrong, and the answer a client gets when it does."""

from __future__ import annotations

from json import JSONDecodeError
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ExceptionHandler

from .rendering import templates


class ShopError(Exception):
    """A mistake of the client that the shop explains in JSON."""

    status_code = 400
    code = "bad_request"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class NotFound(ShopError):
    """The shop has no such thing."""

    status_code = 404
    code = "not_found"

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"There is no {kind} {key!r}.", kind=kind, key=key)


class InvalidFields(ShopError):
    """The body was understood, but some of its fields are wrong."""

    status_code = 422
    code = "invalid_fields"

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("Some fields are missing or wrong.", fields=fields)


class OutOfStock(ShopError):
    """More was ordered than there is."""

    def __init__(self, product_id: int, wanted: int, stock: int) -> None:
        super().__init__("Not enough in stock.", product_id=product_id, wanted=wanted, stock=stock)


async def shop_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, ShopError)
    content = {"error": exc.code, "message": exc.message, **exc.details}
    return JSONResponse(content, status_code=exc.status_code)


def out_of_stock(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, OutOfStock)
    content = {"error": "out_of_stock", "message": exc.message, **exc.details}
    return JSONResponse(content, status_code=409, headers={"retry-after": "86400"})


async def bad_json(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, JSONDecodeError)
    content = {"error": "bad_json", "message": exc.msg, "line": exc.lineno, "column": exc.colno}
    return JSONResponse(content, status_code=400)


async def bad_encoding(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, UnicodeDecodeError)
    content = {"error": "bad_encoding", "message": exc.reason, "position": exc.start}
    return JSONResponse(content, status_code=400)


async def not_found(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    if "text/html" in request.headers.get("accept", ""):
        context = {"path": request.url.path}
        return templates.TemplateResponse(request, "not_found.html", context, status_code=404)
    content = {"error": "not_found", "message": exc.detail, "path": request.url.path}
    return JSONResponse(content, status_code=404, headers=exc.headers)


def forbidden(request: Request, exc: Exception) -> Response:
    if request.user.is_authenticated:
        return PlainTextResponse(f"{request.user.display_name} may not do this.", status_code=403)
    challenge = {"www-authenticate": 'Basic realm="shop", Bearer'}
    return PlainTextResponse("Please log in.", status_code=401, headers=challenge)


def internal_error(request: Request, exc: Exception) -> Response:
    # The request id may be missing: the failure can lie outside of its middleware.
    content = {
        "error": "internal",
        "type": type(exc).__name__,
        "request_id": getattr(request.state, "request_id", None),
    }
    return JSONResponse(content, status_code=500)


exception_handlers: dict[Any, ExceptionHandler] = {
    ShopError: shop_error,
    OutOfStock: out_of_stock,
    JSONDecodeError: bad_json,
    UnicodeDecodeError: bad_encoding,
    403: forbidden,
    404: not_found,
    Exception: internal_error,
}
