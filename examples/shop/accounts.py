"""Logging in and out, and what a customer sees of their account."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode

from starlette.authentication import (
    AuthCredentials,
    AuthenticationBackend,
    AuthenticationError,
    BaseUser,
    SimpleUser,
    requires,
)
from starlette.endpoints import HTTPEndpoint
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from .data import Account, password_digest
from .errors import InvalidFields, NotFound
from .rendering import templates

THEMES = ("light", "dark")


class ShopUser(SimpleUser):
    """A known customer."""

    def __init__(self, account: Account) -> None:
        super().__init__(account.username)
        self.account = account

    @property
    def display_name(self) -> str:
        return self.account.full_name


class ShopBackend(AuthenticationBackend):
    """Knows users by `Authorization` (Bearer token or Basic), else by their session."""

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        accounts: dict[str, Account] = conn.state.accounts
        header = conn.headers.get("authorization")
        if header is None:
            account = accounts.get(conn.session.get("user", ""))
            if account is None:
                return None
        else:
            scheme, _, credentials = header.partition(" ")
            if scheme.lower() == "bearer":
                account = by_token(accounts, credentials)
            elif scheme.lower() == "basic":
                account = by_password(accounts, *decode_basic(credentials))
            else:
                raise AuthenticationError(f"Unknown scheme {scheme!r}")
        return AuthCredentials(account.scopes), ShopUser(account)


def decode_basic(credentials: str) -> tuple[str, str]:
    """Username and password of a Basic header; raises AuthenticationError."""
    try:
        decoded = b64decode(credentials, validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as exc:
        raise AuthenticationError("Malformed Basic credentials") from exc
    username, colon, password = decoded.partition(":")
    if not colon:
        raise AuthenticationError("Basic credentials without a password")
    return username, password


def by_password(accounts: dict[str, Account], username: str, password: str) -> Account:
    """The account with this name and password; raises AuthenticationError."""
    account = accounts.get(username)
    kept = account.password_sha256 if account else ""
    if account is None or not hmac.compare_digest(kept, password_digest(password)):
        raise AuthenticationError("Wrong name or password")
    return account


def by_token(accounts: dict[str, Account], token: str) -> Account:
    """The account with this token; raises AuthenticationError."""
    for account in accounts.values():
        if hmac.compare_digest(account.token.encode(), token.encode()):
            return account
    raise AuthenticationError("Unknown token")


def authentication_failed(conn: HTTPConnection, exc: Exception) -> Response:
    challenge = {"www-authenticate": 'Basic realm="shop"'}
    content = {"error": "unauthorized", "message": str(exc)}
    return JSONResponse(content, status_code=401, headers=challenge)


class Login(HTTPEndpoint):
    """The login form."""

    async def get(self, request: Request) -> Response:
        context = {"next": request.query_params.get("next", "")}
        return templates.TemplateResponse(request, "account/login.html", context)

    async def post(self, request: Request) -> Response:
        form = await request.form()
        username, password = str(form.get("username", "")), str(form.get("password", ""))
        try:
            account = by_password(request.state.accounts, username, password)
        except AuthenticationError as exc:
            context = {"username": username, "problem": str(exc)}
            return templates.TemplateResponse(
                request, "account/login.html", context, status_code=401
            )
        request.session["user"] = account.username
        return RedirectResponse(request.url_for("account:overview"), status_code=303)


async def log_out(request: Request) -> Response:
    request.session.clear()
    return RedirectResponse(request.url_for("home"), status_code=303)


@requires("authenticated", redirect="account:login")
async def overview(request: Request) -> Response:
    context = {"orders": request.state.orders.of_customer(request.user.identity)}
    return templates.TemplateResponse(request, "account/overview.html", context)


@requires("authenticated", redirect="account:login")
def order(request: Request) -> Response:
    found = request.state.orders.order(request.path_params["order_id"])
    if found.customer != request.user.identity:
        raise NotFound("order", str(found.id))
    return templates.TemplateResponse(request, "account/order.html", {"order": found})


async def choose_theme(request: Request) -> Response:
    form = await request.form()
    theme = form.get("theme")
    if theme not in THEMES:
        raise InvalidFields({"theme": f"must be one of {', '.join(THEMES)}"})
    response = RedirectResponse(request.url_for("home"), status_code=303)
    response.set_cookie("theme", str(theme), max_age=31_536_000, samesite="strict")
    response.set_cookie("theme_seen", "1", path="/account", httponly=True)
    return response


routes = [
    Route("/", overview, name="overview"),
    Route("/login", Login, name="login"),
    Route("/logout", log_out, methods=["POST"], name="logout"),
    Route("/orders/{order_id:uuid}", order, name="order"),
    Route("/theme", choose_theme, methods=["POST"], name="theme"),
]
