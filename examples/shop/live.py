"""Everything that happens over WebSockets."""

from __future__ import annotations

from json import JSONDecodeError
from typing import Any

from starlette.authentication import requires
from starlette.endpoints import WebSocketEndpoint
from starlette.exceptions import WebSocketException
from starlette.routing import WebSocketRoute
from starlette.status import WS_1007_INVALID_FRAME_PAYLOAD_DATA, WS_1008_POLICY_VIOLATION
from starlette.websockets import WebSocket, WebSocketDisconnect

from .errors import NotFound

ROOMS = ("help", "tea-talk")
STOCK_PROTOCOL = "shop.stock.v1"


async def echo(websocket: WebSocket) -> None:
    """Sends back what it gets, until it gets "bye"."""
    await websocket.accept(headers=[(b"x-service", b"echo")])
    try:
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text == "bye":
                await websocket.close(4000, "bye")
                return
            if text is not None:
                await websocket.send_text(text)
            else:
                await websocket.send_bytes(message["bytes"])
    except WebSocketDisconnect:
        return


class ChatRoom(WebSocketEndpoint):
    """A room in which everybody hears everybody."""

    encoding = "json"

    async def on_connect(self, websocket: WebSocket) -> None:
        self.room = websocket.path_params["room"]
        if self.room not in ROOMS:
            raise WebSocketException(4404, "no such room")
        await websocket.accept()
        self.members.setdefault(self.room, []).append(websocket)
        self.said = 0
        await websocket.send_json({"welcome": websocket.user.display_name or "guest"})

    async def on_receive(self, websocket: WebSocket, data: Any) -> None:
        self.said += 1
        message = {"room": self.room, "number": self.said, "data": data}
        for member in tuple(self.members[self.room]):
            await member.send_json(message)

    async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:
        members = self.members.get(self.room, [])
        if websocket in members:
            members.remove(websocket)
        if not members:
            self.members.pop(self.room, None)

    @property
    def members(self) -> dict[str, list[WebSocket]]:
        members: dict[str, list[WebSocket]] = self.scope["state"]["chat_members"]
        return members


async def stock(websocket: WebSocket) -> None:
    """Answers product ids with what is in stock."""
    offered = websocket.scope.get("subprotocols", [])
    await websocket.accept(STOCK_PROTOCOL if STOCK_PROTOCOL in offered else None)
    try:
        async for data in websocket.iter_json():
            product = websocket.state.catalogue.product(data)
            await websocket.send_json({"product_id": product.id, "stock": product.stock})
    except JSONDecodeError as exc:
        raise WebSocketException(WS_1007_INVALID_FRAME_PAYLOAD_DATA, exc.msg) from exc
    except (NotFound, TypeError) as exc:
        raise WebSocketException(WS_1008_POLICY_VIOLATION, "unknown product") from exc


@requires("admin")
async def operations(websocket: WebSocket) -> None:
    """Tells an administrator how many rooms are in use."""
    await websocket.accept()
    await websocket.send_json({"rooms": len(websocket.state.chat_members)})
    await websocket.close()


routes = [
    WebSocketRoute("/echo", echo, name="echo"),
    WebSocketRoute("/chat/{room}", ChatRoom, name="chat"),
    WebSocketRoute("/stock", stock, name="stock"),
    WebSocketRoute("/operations", operations, name="operations"),
]
