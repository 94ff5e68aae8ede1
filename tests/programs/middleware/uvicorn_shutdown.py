"""A real uvicorn: SIGTERM with a graceful timeout of 1 s, while requests are in flight."""

from record import *
import uvicorn, threading, socket, time, os, signal


class Answer(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        try:
            return await call_next(request)
        except asyncio.CancelledError:
            log("dispatch: cancelled, 503")
            return PlainTextResponse("shutting down", 503)


class Pass(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        try:
            return await call_next(request)
        finally:
            log("dispatch: finally")


async def endpoint(request):
    log("endpoint begins")
    try:
        await asyncio.sleep(2)
        log("endpoint: order committed")
    except asyncio.CancelledError:
        log("endpoint: cancelled")
        try:
            await asyncio.sleep(0.05)
            log("endpoint: rolled back")
        except asyncio.CancelledError:
            log("endpoint: roll back was cancelled")
            raise
        raise
    return PlainTextResponse("ok")


def serve(middleware):
    app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(middleware)])
    config = uvicorn.Config(
        app, port=0, log_level="critical", timeout_graceful_shutdown=1, lifespan="off", http="h11"
    )
    server = uvicorn.Server(config)
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    got = []

    def client():
        time.sleep(0.3)
        c = socket.create_connection(("127.0.0.1", port))
        c.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        time.sleep(0.2)
        server.should_exit = True
        c.settimeout(5)
        data = b""
        try:
            while True:
                d = c.recv(1000)
                if not d:
                    break
                data += d
        except Exception as e:
            data += repr(e).encode()
        got.append(data)

    t = threading.Thread(target=client)
    t.start()

    async def main_():
        await server.serve(sockets=[sock])
        await asyncio.sleep(1.5)

    asyncio.run(main_())
    t.join()
    print(middleware.__name__, got[0].split(b"\r\n")[0])


serve(Answer)
log("--")
serve(Pass)
for l in LOG:
    print("log:", l)
