"""Monitoring names what it measures after __name__, __qualname__ and __module__; error messages do, too."""

import inspect
import starlette.applications, starlette.endpoints, starlette.requests, starlette.responses, starlette.routing
import starlette.middleware.base, starlette.middleware.cors, starlette.middleware.exceptions, starlette.middleware.gzip
from record import *

for cls in (
    starlette.applications.Starlette,
    starlette.routing.Router,
    starlette.endpoints.HTTPEndpoint,
    starlette.requests.Request,
    starlette.responses.JSONResponse,
    starlette.responses.Response,
    starlette.middleware.exceptions.ExceptionMiddleware,
    starlette.middleware.cors.CORSMiddleware,
    starlette.middleware.gzip.GZipMiddleware,
    starlette.middleware.base.BaseHTTPMiddleware,
):
    for name in (
        "__init__",
        "__call__",
        "app",
        "body",
        "json",
        "render",
        "dispatch",
        "init_headers",
        "set_cookie",
        "url_path_for",
    ):
        function = inspect.getattr_static(cls, name, None)
        if inspect.isfunction(function) and name in vars(cls):
            print(cls.__name__, name, function.__name__, function.__qualname__, function.__module__)
for wrong in (
    lambda: JSONResponse(),
    lambda: Request(),
    lambda: HTTPEndpoint(),
    lambda: Router().url_path_for(),
    lambda: PlainTextResponse(1, 2, 3, 4, 5, 6),
):
    try:
        wrong()
    except TypeError as exc:
        print(exc)
