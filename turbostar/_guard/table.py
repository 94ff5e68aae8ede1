"""Everything that turbostar changes in Starlette, on one screen.

Each line of `TABLE` says: for this attribute of Starlette, this function of ours stands in, and it
gives the same answers as these sources of it. The import-swapped classes, `turbostar.install()` and
its undo read this table, and ask `objection` whether a function may stand in right now.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any, NamedTuple

__all__ = ["BYPASSED", "DEPENDENCIES", "TABLE", "Acceleration"]


class Acceleration(NamedTuple):
    """One attribute of Starlette and what stands in for it.

    Attributes:
        target: the stock attribute, as ``module:Class.name``.
        function: ours, as ``module:name``.
        fingerprint: of the stock source that ours gives the same answers as; None for an
            attribute that stock does not have.
    """

    target: str
    function: str
    fingerprint: str | None

    @property
    def library(self) -> str:
        """The package that the attribute belongs to, whose release decides about it."""
        return self.target.partition(":")[0].partition(".")[0]

    @property
    def path(self) -> str:
        """The attribute's qualified name within its module."""
        return self.target.partition(":")[2]

    @property
    def name(self) -> str:
        """The attribute's name in its class."""
        return self.path.rpartition(".")[2]

    @property
    def is_inherited(self) -> bool:
        """Whether a class inherits what another row of the table gives its base, once installed."""
        if self.fingerprint is not None or not isinstance(self.owner, type):
            return False
        bases = self.owner.__mro__[1:]
        return any(f"{cls.__module__}:{cls.__qualname__}.{self.name}" in _ENTRIES for cls in bases)

    @property
    def owner(self) -> Any:
        """The stock class, or module, that holds the attribute."""
        cls = self.path.rpartition(".")[0]
        return getattr(self.module, cls) if cls else self.module

    @property
    def module(self) -> Any:
        """The stock module that defines the class."""
        return importlib.import_module(self.target.partition(":")[0])

    @property
    def replacement(self) -> Any:
        """Our function itself."""
        module, _, name = self.function.partition(":")
        return getattr(importlib.import_module(module), name)


_ROWS: tuple[tuple[str, str, str | None], ...] = (
    # Stock attribute, our function, fingerprint of the source that ours gives the same answers as.
    ("applications:Starlette.__call__", "_dispatch.application:starlette_call", "5bf3135c4e85b7f5"),
    (
        "endpoints:HTTPEndpoint.__init__",
        "_dispatch.class_endpoints:http_endpoint_init",
        "f7caa7ae720b1175",
    ),
    (
        "endpoints:HTTPEndpoint.dispatch",
        "_dispatch.class_endpoints:http_endpoint_dispatch",
        "3124a072f021b966",
    ),
    (
        "middleware.base:BaseHTTPMiddleware.__call__",
        "_middleware.base_http:base_http_call",
        "a8390f3b9374199c",
    ),
    (
        "middleware.body_limit:RequestBodyLimitMiddleware.__call__",
        "_middleware.body_limit:body_limit_call",
        "29a6c4002c1fc378",
    ),
    ("middleware.cors:CORSMiddleware.__call__", "_middleware.cors:cors_call", "fc4d4ace711b4592"),
    (
        "middleware.exceptions:ExceptionMiddleware.__call__",
        "_middleware.exceptions:exception_middleware_call",
        "c0b5cb274777981d",
    ),
    ("middleware.gzip:GZipMiddleware.__call__", "_middleware.gzip:gzip_call", "39309e2ec3db7a3f"),
    (
        "middleware.httpsredirect:HTTPSRedirectMiddleware.__call__",
        "_middleware.https_redirect:https_redirect_call",
        "7fe1df5191672833",
    ),
    (
        "middleware.sessions:SessionMiddleware.__call__",
        "_middleware.sessions:session_call",
        "d9d8f7569df18d73",
    ),
    (
        "middleware.trustedhost:TrustedHostMiddleware.__call__",
        "_middleware.hosts:trusted_host_call",
        "f129f4f191a8f605",
    ),
    ("requests:Request.__init__", "_http.request:request_init", "24eda86b17e544d0"),
    ("requests:Request.base_url", "_http.request:request_base_url", None),
    ("requests:Request.body", "_http.request:request_body", "1234438dc07e5d2a"),
    ("requests:Request.headers", "_http.request:request_headers", None),
    ("requests:Request.json", "_http.request:request_json", "49b2c23705a41dec"),
    ("requests:Request.query_params", "_http.request:request_query_params", None),
    ("requests:Request.url", "_http.request:request_url", None),
    ("requests:Request.url_for", "_http.request:request_url_for", None),
    (
        "responses:JSONResponse.__init__",
        "_http.json_responses:json_response_init",
        "d7519b2a7478ddb3",
    ),
    (
        "responses:JSONResponse.render",
        "_http.json_responses:json_response_render",
        "dd703c98050f61e7",
    ),
    ("responses:JSONResponse.json_default", "_http.json_responses:NO_DEFAULT", None),
    ("responses:JSONResponse.set_cookie", "_http.responses:leaf_set_cookie", None),
    ("responses:PlainTextResponse.__init__", "_http.responses:plain_text_init", None),
    ("responses:PlainTextResponse.set_cookie", "_http.responses:leaf_set_cookie", None),
    ("responses:RedirectResponse.__init__", "_http.responses:redirect_init", "a4eb9179faae2554"),
    ("responses:RedirectResponse.set_cookie", "_http.responses:leaf_set_cookie", None),
    (
        "responses:Response.init_headers",
        "_http.responses:response_init_headers",
        "9b5dd969a77f695f",
    ),
    ("responses:Response.render", "_http.responses:response_render", "5ab2d29e7d87a370"),
    ("responses:Response.set_cookie", "_http.responses:response_set_cookie", "2eda013839af005d"),
    (
        "responses:StreamingResponse.__call__",
        "_http.streaming:streaming_response_call",
        "dfb86f92deed7498",
    ),
    (
        "responses:StreamingResponse.stream_response",
        "_http.streaming:stream_response",
        "47aeb276e977cda5",
    ),
    ("routing:Router.__init__", "_dispatch.router:router_init", "bfb2b4a65c811770"),
    ("routing:Router.app", "_dispatch.router:router_app", "1b1fa16c99a8ce6b"),
    ("routing:Router.url_path_for", "_dispatch.router:router_url_path_for", "9871480d75e7e7f5"),
    *(
        (f"routing:{cls}.{name}", f"_routing.watched:{function}", None)
        for cls in ("Route", "WebSocketRoute", "Mount", "Host", "Router")
        for name, function in (
            ("__setattr__", "watched_setattr"),
            ("__delattr__", "watched_delattr"),
        )
    ),
)

#: What modules of Starlette import that not everybody has; without it, they are left alone.
_OPTIONAL = {"middleware.sessions": "itsdangerous"}


def _is_importable(module: str) -> bool:
    needed = _OPTIONAL.get(module)
    return needed is None or importlib.util.find_spec(needed) is not None


#: What turbostar replaces or adds.
TABLE = tuple(
    Acceleration(f"starlette.{target}", f"turbostar.{function}", fingerprint)
    for target, function, fingerprint in _ROWS
    if _is_importable(target.partition(":")[0])
)

#: What the fast path does without, where it is Starlette's own and of this source.
BYPASSED = tuple(
    Acceleration(f"starlette.{target}", "", fingerprint)
    for target, fingerprint in (
        ("_exception_handler:_lookup_exception_handler", "14e3da74ab6e5609"),
        ("_exception_handler:wrap_app_handling_exceptions", "d5e41f0fa794c0a8"),
        ("_utils:parse_host_header", "de0b3f26c526fab7"),
        ("applications:Starlette.build_middleware_stack", "aca3f8e780a2be62"),
        ("datastructures:Headers.__init__", "333c27c381f7c297"),
        ("datastructures:Headers.__contains__", "a2d3ae2b0aee0be2"),
        ("datastructures:Headers.__getitem__", "c49baa3cfea56709"),
        ("datastructures:Headers.getlist", "373513169e471d9b"),
        ("datastructures:ImmutableMultiDict.__init__", "98a087393d4cbd72"),
        ("datastructures:MutableHeaders.__delitem__", "bdbec60836756f90"),
        ("datastructures:MutableHeaders.__setitem__", "194629c475b22dff"),
        ("datastructures:MutableHeaders.add_vary_header", "718488f6518924e2"),
        ("datastructures:MutableHeaders.append", "cf66f677fb2c5445"),
        ("datastructures:MutableHeaders.update", "635317d3686ee52c"),
        ("datastructures:QueryParams.__init__", "f1dfaccb4755cab7"),
        ("datastructures:URL.__init__", "7ae31252c0fb5385"),
        ("datastructures:URL.replace", "ad8d92f0b30a2541"),
        ("datastructures:URLPath.make_absolute_url", "c93ecadd46ef4ac4"),
        ("endpoints:HTTPEndpoint.__await__", "8d407effbf75dc86"),
        ("exceptions:HTTPException.__init__", "63626857cf12576e"),
        ("middleware.base:_CachedRequest.__init__", "0eb9ab922313d6dc"),
        ("middleware.base:_CachedRequest.wrapped_receive", "5616584a6168b390"),
        ("middleware.base:_StreamingResponse.__call__", "bea9ffe25f5169c2"),
        ("middleware.base:_StreamingResponse.__init__", "07b869661e339f52"),
        ("middleware.body_limit:RequestBodyLimitResponder.__call__", "d438321beea4755e"),
        ("middleware.body_limit:RequestBodyLimitResponder.receive_with_limit", "0cdbdf3125c5331b"),
        ("middleware.body_limit:RequestBodyLimitResponder.send_with_limit", "f722cdd69cbc58ee"),
        ("middleware.body_limit:_get_content_length", "82431a82a1daf5d6"),
        ("middleware.cors:CORSMiddleware.is_allowed_origin", "84b676f5a26d24fc"),
        ("middleware.cors:CORSMiddleware.preflight_response", "286290a83dec72a0"),
        ("middleware.cors:CORSMiddleware.send", "e6a44d3c8abaeaa4"),
        ("middleware.cors:CORSMiddleware.simple_response", "b5f1ba42a43a3307"),
        ("middleware.errors:ServerErrorMiddleware.__call__", "a7d082263a5c5b23"),
        ("middleware.exceptions:ExceptionMiddleware.http_exception", "6b832516b89937c1"),
        ("middleware.gzip:GZipResponder.__init__", "166ef7d0f4ad9277"),
        ("middleware.gzip:GZipResponder._compress_body", "3d35745998ff7d9a"),
        ("middleware.gzip:GZipResponder.apply_compression", "70fb5464a8d1930d"),
        ("middleware.gzip:GZipResponder.compressor", "2765e7309933c6bb"),
        ("middleware.gzip:IdentityResponder.__call__", "68bdd821a8a1b22c"),
        ("middleware.gzip:IdentityResponder.__init__", "e9994d474478983a"),
        ("middleware.gzip:IdentityResponder.apply_compression", "103fbfac3aced6d2"),
        ("middleware.gzip:IdentityResponder.send_with_compression", "2e900d9692819ecf"),
        ("middleware.gzip:_normalize_content_types", "467ce8e5555c5b68"),
        ("requests:HTTPConnection.__init__", "48f031509a7b8bce"),
        ("requests:HTTPConnection.base_url", "e0ccfeca7b511edc"),
        ("requests:HTTPConnection.cookies", "d37ea5039be63e34"),
        ("requests:HTTPConnection.headers", "3e99d00c4fc56757"),
        ("requests:HTTPConnection.query_params", "e6228f39eb4ae357"),
        ("requests:HTTPConnection.url", "995f5bace6dd67d7"),
        ("requests:HTTPConnection.url_for", "2dbebdf4bb2a3011"),
        ("requests:Request.stream", "4b6382ee3776a4e5"),
        ("requests:cookie_parser", "1e6ba6ed17101b86"),
        ("responses:Response.__call__", "a7f228f6e24f8b56"),
        ("responses:Response.__init__", "f5efd245468f8847"),
        ("responses:Response.headers", "177b8651c3885d39"),
        ("responses:StreamingResponse.listen_for_disconnect", "80216497da7c837c"),
        ("routing:Host.handle", "208ab48a6510dffd"),
        ("routing:Mount.handle", "208ab48a6510dffd"),
        ("routing:Host.url_path_for", "49a346f7843ad731"),
        ("routing:Mount.matches", "ac97bc77afeab550"),
        ("routing:Mount.url_path_for", "5eb9f9da1af686c3"),
        ("routing:Route.handle", "96b34240b73daf60"),
        ("routing:Route.matches", "4de50d376de04a00"),
        ("routing:Route.url_path_for", "a6cac701dc92219e"),
        ("routing:Router.__call__", "e93fc286faeae611"),
        ("routing:Router.not_found", "701b7eec20a6ab30"),
        ("routing:WebSocketRoute.handle", "208ab48a6510dffd"),
        ("routing:WebSocketRoute.matches", "9834874e6ed34de5"),
        ("routing:WebSocketRoute.url_path_for", "96428589cc31c22c"),
        ("routing:request_response", "e586ed68218dff19"),
        ("routing:websocket_session", "a438a32d96fb44ad"),
        ("websockets:WebSocket.__init__", "02d35465c5303e1e"),
    )
)

_PLAIN_RESPONSE = (
    "starlette.responses:Response.__init__",
    "starlette.responses:Response.init_headers",
    "starlette.responses:Response.render",
)
_URL_OF_A_SCOPE = (
    "starlette._utils:parse_host_header",
    "starlette.datastructures:URL.__init__",
)

#: What our functions take the place of beside the function that they replace.
DEPENDENCIES = {
    "starlette.requests:Request.__init__": ("starlette.requests:HTTPConnection.__init__",),
    "starlette.requests:Request.base_url": (
        "starlette.requests:HTTPConnection.base_url",
        *_URL_OF_A_SCOPE,
    ),
    "starlette.requests:Request.body": ("starlette.requests:Request.stream",),
    "starlette.requests:Request.headers": (
        "starlette.requests:HTTPConnection.headers",
        "starlette.datastructures:Headers.__init__",
        "starlette.datastructures:Headers.__getitem__",
        "starlette.datastructures:Headers.__contains__",
    ),
    "starlette.requests:Request.query_params": (
        "starlette.requests:HTTPConnection.query_params",
        "starlette.datastructures:QueryParams.__init__",
        "starlette.datastructures:ImmutableMultiDict.__init__",
    ),
    "starlette.requests:Request.url": ("starlette.requests:HTTPConnection.url", *_URL_OF_A_SCOPE),
    "starlette.requests:Request.url_for": (
        "starlette.requests:HTTPConnection.url_for",
        "starlette.datastructures:URL.__init__",
        "starlette.datastructures:URL.replace",
        "starlette.datastructures:URLPath.make_absolute_url",
    ),
    "starlette.responses:JSONResponse.__init__": (
        "starlette.responses:Response.__init__",
        "starlette.responses:Response.init_headers",
    ),
    **dict.fromkeys(
        (
            "starlette.responses:JSONResponse.set_cookie",
            "starlette.responses:PlainTextResponse.set_cookie",
            "starlette.responses:RedirectResponse.set_cookie",
        ),
        ("starlette.responses:Response.set_cookie",),
    ),
    "starlette.responses:PlainTextResponse.__init__": _PLAIN_RESPONSE,
    "starlette.responses:RedirectResponse.__init__": (
        *_PLAIN_RESPONSE,
        "starlette.datastructures:MutableHeaders.__setitem__",
        "starlette.responses:Response.headers",
    ),
    "starlette.responses:StreamingResponse.__call__": (
        "starlette.responses:StreamingResponse.listen_for_disconnect",
    ),
}

_ENTRIES = {entry.target: entry for entry in TABLE}
