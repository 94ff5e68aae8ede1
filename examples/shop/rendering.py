"""Templates, and the JSON of exact amounts."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.templating import Jinja2Templates

HERE = Path(__file__).parent


def visitor(request: Request) -> dict[str, Any]:
    """What every page shows about the visitor."""
    cart = request.session.get("cart", {})
    return {
        "user": request.user,
        "cart_count": sum(cart.values()),
        "theme": request.cookies.get("theme", "light"),
    }


templates = Jinja2Templates(directory=HERE / "templates", context_processors=[visitor])


class AmountJSONResponse(JSONResponse):
    """JSON in which a Decimal is a string, so that no digit is lost."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, default=self.encode_amount, separators=(",", ":")).encode()

    @staticmethod
    def encode_amount(value: Any) -> str:
        if isinstance(value, Decimal):
            return str(value)
        raise TypeError(f"{type(value).__name__} is not an amount")
