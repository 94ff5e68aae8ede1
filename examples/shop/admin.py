"""The back office."""

from __future__ import annotations

from starlette.authentication import requires
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from .data import Account
from .errors import InvalidFields, NotFound
from .rendering import templates


@requires("admin")
async def dashboard(request: Request) -> Response:
    products = request.state.catalogue.products
    context = {"scarce": [product for product in products if product.stock < 3]}
    return templates.TemplateResponse(request, "admin/dashboard.html", context)


@requires("admin")
async def outbox(request: Request) -> Response:
    return JSONResponse({"mail": request.state.outbox.as_json()})


class Draft(HTTPEndpoint):
    """A planned change of a product. Drafts do not show in the catalogue."""

    @requires("admin")
    async def get(self, request: Request) -> Response:
        draft = request.state.drafts.get(self.key(request))
        if draft is None:
            raise HTTPException(404, "There is no draft.")
        return JSONResponse(draft)

    @requires("admin")
    async def put(self, request: Request) -> Response:
        key, data = self.key(request), await request.json()
        if not isinstance(data, dict) or not isinstance(data.get("name"), str):
            raise InvalidFields({"name": "must be a string"})
        request.state.drafts.put(key, data)
        return JSONResponse({"product_id": int(key), "draft": data})

    @requires("admin")
    def delete(self, request: Request) -> Response:
        request.state.drafts.remove(self.key(request))
        return Response(status_code=204)

    @staticmethod
    def key(request: Request) -> str:
        return str(request.state.catalogue.product(request.path_params["product_id"]).id)


def account_as_json(account: Account) -> dict[str, object]:
    """What the back office shows of an account."""
    return {"username": account.username, "name": account.full_name, "scopes": account.scopes}


@requires("admin")
def list_users(request: Request) -> Response:
    return JSONResponse([account_as_json(account) for account in request.state.accounts.values()])


@requires(["staff", "admin"], status_code=404)
async def user(request: Request) -> Response:
    username = request.path_params["username"]
    account = request.state.accounts.get(username)
    if account is None:
        raise NotFound("user", username)
    return JSONResponse(account_as_json(account))


routes = [
    Route("/", dashboard, name="dashboard"),
    Route("/outbox", outbox, name="outbox"),
    Route("/products/{product_id:int}/draft", Draft, name="draft"),
    Mount(
        "/users",
        name="users",
        routes=[
            Route("/", list_users, name="list"),
            Route("/{username}", user, name="detail"),
        ],
    ),
]
