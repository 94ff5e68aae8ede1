"""The WebSocket endpoints that descriptions name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException, WebSocketException

from tests.differential.endpoints import Boom, tell
from tests.differential.observed import Loud
from tests.differential.part import endpoint, named_endpoint

if TYPE_CHECKING:
    from tests.differential.world import World


@endpoint(name="ws_echo")
async def echo(world: World, who: str, websocket: Any) -> None:
    await websocket.accept(headers=[(b"x-a", b"b")])
    await websocket.send_json(tell(world, who, websocket))
    async for text in websocket.iter_text():
        await websocket.send_text(text)
    world.log.append(("over", who))


@endpoint(name="ws_close")
async def close(world: World, who: str, websocket: Any) -> None:
    tell(world, who, websocket)
    await websocket.close(4000, "no")


@named_endpoint("ws_class")
def _(world: World, label: str) -> Any:
    class Session(world.ns.WebSocketEndpoint):  # type: ignore[misc, name-defined]
        encoding = "text"

        async def on_connect(self, websocket: Any) -> None:
            tell(world, label, websocket)
            await websocket.accept("chat")

        async def on_receive(self, websocket: Any, data: Any) -> None:
            await websocket.send_bytes(data.encode())

        async def on_disconnect(self, websocket: Any, close_code: int) -> None:
            world.log.append(("disconnect", label, close_code))

    return Session


@named_endpoint("ws_raw")
def _(world: World, label: str) -> Any:
    class Raw:
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            world.log.append(("raw", label, list(scope)))
            await receive()
            await send({"type": "websocket.close", "code": 4001})

    return Raw()


def _failing(name: str, make: Callable[[], BaseException], *, accepted: bool = False) -> None:
    async def fail(world: World, who: str, websocket: Any) -> None:
        tell(world, who, websocket)
        if accepted:
            await websocket.accept()
        raise make()

    endpoint(fail, name=name)


_failing("ws_raise_http", lambda: HTTPException(403, "denied"))
_failing("ws_raise_http_accepted", lambda: HTTPException(403, "denied"), accepted=True)
_failing("ws_raise_ws", lambda: WebSocketException(1008, "policy"))
_failing("ws_raise_ws_accepted", lambda: WebSocketException(1008, "policy"), accepted=True)
_failing("ws_raise_boom", lambda: Boom("boom"))
_failing("ws_raise_boom_accepted", lambda: Boom("boom"), accepted=True)
_failing("ws_raise_loud", lambda: Loud("loud"))


@endpoint(name="ws_deny")
async def deny(world: World, who: str, websocket: Any) -> None:
    tell(world, who, websocket)
    await websocket.send_denial_response(world.ns.PlainTextResponse("go away", 403))


@named_endpoint("ws_sync", waits=True)
def _(world: World, label: str) -> Any:
    def session(websocket: Any) -> None:
        world.log.append(("sync session", label))

    return session
