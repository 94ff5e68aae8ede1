"""An application to be recorded, as the text of its module."""

from __future__ import annotations

__all__ = ["APP"]

# Logs people in by a protected form and by a token, and keeps what they write.
APP = """
import contextlib, os, secrets
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

TOKENS = set()

async def form(request):
    token = request.session.setdefault("csrf", secrets.token_hex())
    return HTMLResponse(f'<form><input type="hidden" name="csrf_token" value="{token}"></form>')

async def enter(request):
    given = await request.form()
    if given["csrf_token"] != request.session.get("csrf") or given["password"] == "":
        return PlainTextResponse("forged", 403)
    request.session["user"] = given["user"]
    return PlainTextResponse("welcome")

async def home(request):
    user = request.session.get("user")
    return PlainTextResponse(f"hello {user}", 200 if user else 401)

async def token(request):
    token = secrets.token_urlsafe()
    TOKENS.add(token)
    return JSONResponse({"access_token": token, "max_tokens": 5})

async def me(request):
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return JSONResponse(token in TOKENS, 200 if token in TOKENS else 401)

async def upload(request):
    given = await request.form()
    return JSONResponse({name: str(value)[:9] for name, value in given.items()})

async def ignored(request):
    return Response(status_code=204)

async def talk(websocket):
    await websocket.accept(subprotocol="chat")
    async for text in websocket.iter_text():
        await websocket.send_text(text)

@contextlib.asynccontextmanager
async def lifespan(app):
    if "BROKEN" in os.environ:
        raise OSError("no database")
    yield
    if "BROKEN_END" in os.environ:
        raise OSError("cannot save")

app = Starlette(
    routes=[
        Route("/enter", form), Route("/enter", enter, methods=["POST"]), Route("/", home),
        Route("/token", token, methods=["POST"]), Route("/me", me),
        Route("/upload", upload, methods=["POST"]), Route("/ignored", ignored, methods=["PUT"]),
        WebSocketRoute("/talk", talk),
    ],
    middleware=[Middleware(SessionMiddleware, secret_key="secret")],
    lifespan=lifespan,
)
"""
