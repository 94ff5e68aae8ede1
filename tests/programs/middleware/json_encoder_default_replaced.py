"""JSON customised for the whole process, as applications do for bytes, dates and their own types: stock follows it."""

import datetime, functools, json
from record import *


def default(self, value):
    return value.decode() if isinstance(value, bytes) else f"<{value}>"


def attempt(content):
    try:
        return JSONResponse(content).body
    except Exception as exc:
        return exc_line(exc)


def exc_line(exc):
    return f"{type(exc).__name__}: {exc}"


values = [b"hi", datetime.date(2026, 1, 2), {"a": {1, 2}}, [1, 2.5, None]]
stock_default, stock_dumps, stock_encoder = json.JSONEncoder.default, json.dumps, json.JSONEncoder
json.JSONEncoder.default = default
print("default of the encoder:", [attempt(v) for v in values])
json.JSONEncoder.default = stock_default
json.dumps = functools.partial(stock_dumps, default=str)
print("dumps with a default:", [attempt(v) for v in values])


class Encoder(json.JSONEncoder):
    default = default


json.dumps = functools.partial(stock_dumps, cls=Encoder)
print("dumps with a class:", [attempt(v) for v in values])
json.dumps = lambda value, *, ensure_ascii, allow_nan, indent, separators: stock_dumps(
    {"wrapped": value}, indent=indent
)
print("dumps of one's own:", [attempt([1, 2])])
json.dumps = stock_dumps
import starlette.responses, starlette.requests


class Other:
    dumps = staticmethod(lambda value, **options: "other")
    loads = staticmethod(lambda data: "other")


starlette.responses.json = Other
print("the name json in responses:", attempt([1]))
starlette.responses.json = json
