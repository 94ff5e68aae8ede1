"""A real uvicorn: c53; does the second request on the connection get an answer? (httptools, an endpoint with a task of its own)"""

from record import *
import uvicorn, threading, socket, time


async def look(response):
    [c async for c in response.body_iterator]


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.background = BackgroundTask(look, response)
        return response


def helper(request):
    pass


async def endpoint(request):
    helper(request)
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(M)])
config = uvicorn.Config(
    app, port=0, log_level="critical", lifespan="off", http="httptools", timeout_graceful_shutdown=1
)
server = uvicorn.Server(config)
sock = socket.socket()
sock.bind(("127.0.0.1", 0))
port = sock.getsockname()[1]


def client():
    time.sleep(0.3)
    for i in range(3):
        c = socket.create_connection(("127.0.0.1", port))
        c.settimeout(1)
        c.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        time.sleep(0.2)
        d = c.recv(1000)
        log("client", d[:15])
        c.close()
    time.sleep(0.5)
    log("tasks left in the server:", len(server.server_state.tasks))
    server.should_exit = True


t = threading.Thread(target=client)
t.start()
asyncio.run(server.serve(sockets=[sock]))
t.join()
for l in LOG:
    print("log:", l)
