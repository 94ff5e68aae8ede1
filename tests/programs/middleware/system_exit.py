"""An endpoint ends the process before it has waited for anything."""

from record import *


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        try:
            return await call_next(request)
        except BaseException as e:
            print("dispatch saw", type(e).__name__)
            raise


async def stop(request):
    sys.exit(3)


app = Starlette(routes=[Route("/", stop)], middleware=[Middleware(M)])
if __name__ == "__main__":

    async def go():
        out, e = await call(app)
        print("the server lives on, having caught", exc(e))

    try:
        asyncio.run(go())
    except BaseException as e:
        print("the loop ended with", exc(e))
