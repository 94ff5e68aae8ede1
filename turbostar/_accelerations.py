"""Everything that turbostar changes in Starlette, on one screen.

Each line of `TABLE` says: for this attribute of Starlette, this function of ours stands in, and it
gives the same answers as these sources of it. The import-swapped classes, `turbostar.install()` and
its undo read this table, and ask `objection` whether a function may stand in right now.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import inspect
import logging
from types import FunctionType
from typing import Any, NamedTuple, TypeVar

import starlette

__all__ = [
    "BYPASSED",
    "TABLE",
    "Acceleration",
    "accelerated",
    "fingerprint",
    "is_known",
    "is_stock",
    "is_verified",
    "may",
    "objection",
    "refresh",
    "swapped",
    "trusts",
]

logger = logging.getLogger("turbostar")

C = TypeVar("C", bound=type)


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
    def path(self) -> str:
        """The attribute's qualified name within its module."""
        return self.target.partition(":")[2]

    @property
    def name(self) -> str:
        """The attribute's name in its class."""
        return self.path.rpartition(".")[2]

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


# Sessions need itsdangerous, which not everybody has.
_SESSIONS: tuple[tuple[str, str, str | None], ...] = ()
if importlib.util.find_spec("itsdangerous") is not None:
    _SESSIONS = (
        (
            "middleware.sessions:SessionMiddleware.__call__",
            "middleware.sessions:session_call",
            "d9d8f7569df18d73",
        ),
    )

_ROWS: tuple[tuple[str, str, str | None], ...] = (
    # Stock attribute, our function, fingerprint of the source that ours gives the same answers as.
    ("applications:Starlette.__call__", "applications:starlette_call", "5bf3135c4e85b7f5"),
    ("endpoints:HTTPEndpoint.__init__", "_endpoint:http_endpoint_init", "f7caa7ae720b1175"),
    ("endpoints:HTTPEndpoint.dispatch", "_endpoint:http_endpoint_dispatch", "3124a072f021b966"),
    ("endpoints:HTTPEndpoint._allowed_methods", "_endpoint:ALLOWED_METHODS", None),
    (
        "middleware.base:BaseHTTPMiddleware.__call__",
        "middleware.base:base_http_call",
        "a8390f3b9374199c",
    ),
    (
        "middleware.body_limit:RequestBodyLimitMiddleware.__call__",
        "middleware.body_limit:body_limit_call",
        "29a6c4002c1fc378",
    ),
    ("middleware.cors:CORSMiddleware.__call__", "middleware.cors:cors_call", "fc4d4ace711b4592"),
    (
        "middleware.exceptions:ExceptionMiddleware.__call__",
        "middleware.exceptions:exception_middleware_call",
        "c0b5cb274777981d",
    ),
    ("middleware.gzip:GZipMiddleware.__call__", "middleware.gzip:gzip_call", "39309e2ec3db7a3f"),
    (
        "middleware.httpsredirect:HTTPSRedirectMiddleware.__call__",
        "middleware.httpsredirect:https_redirect_call",
        "7fe1df5191672833",
    ),
    *_SESSIONS,
    (
        "middleware.trustedhost:TrustedHostMiddleware.__call__",
        "middleware.trustedhost:trusted_host_call",
        "f129f4f191a8f605",
    ),
    ("requests:Request.__init__", "requests:request_init", "24eda86b17e544d0"),
    ("requests:Request.base_url", "requests:request_base_url", None),
    ("requests:Request.body", "requests:request_body", "1234438dc07e5d2a"),
    ("requests:Request.headers", "requests:request_headers", None),
    ("requests:Request.json", "requests:request_json", "49b2c23705a41dec"),
    ("requests:Request.query_params", "requests:request_query_params", None),
    ("requests:Request.url", "requests:request_url", None),
    ("requests:Request.url_for", "requests:request_url_for", None),
    ("responses:JSONResponse.__init__", "responses:json_response_init", "d7519b2a7478ddb3"),
    ("responses:JSONResponse.render", "responses:json_response_render", "dd703c98050f61e7"),
    ("responses:JSONResponse.json_default", "responses:NO_DEFAULT", None),
    ("responses:JSONResponse.set_cookie", "_responses:leaf_set_cookie", None),
    ("responses:PlainTextResponse.__init__", "_responses:plain_text_init", None),
    ("responses:PlainTextResponse.set_cookie", "_responses:leaf_set_cookie", None),
    ("responses:RedirectResponse.__init__", "_responses:redirect_init", "a4eb9179faae2554"),
    ("responses:RedirectResponse.set_cookie", "_responses:leaf_set_cookie", None),
    ("responses:Response.init_headers", "_responses:response_init_headers", "9b5dd969a77f695f"),
    ("responses:Response.render", "_responses:response_render", "5ab2d29e7d87a370"),
    ("responses:Response.set_cookie", "_responses:response_set_cookie", "2eda013839af005d"),
    (
        "responses:StreamingResponse.__call__",
        "_streaming:streaming_response_call",
        "dfb86f92deed7498",
    ),
    (
        "responses:StreamingResponse.stream_response",
        "_streaming:stream_response",
        "47aeb276e977cda5",
    ),
    ("routing:Router.__init__", "routing:router_init", "bfb2b4a65c811770"),
    ("routing:Router.app", "routing:router_app", "1b1fa16c99a8ce6b"),
    ("routing:Router.url_path_for", "routing:router_url_path_for", "9871480d75e7e7f5"),
    *(
        (f"routing:{cls}.{name}", f"_watch:{function}", None)
        for cls in ("Route", "WebSocketRoute", "Mount", "Host", "Router")
        for name, function in (
            ("__setattr__", "watched_setattr"),
            ("__delattr__", "watched_delattr"),
        )
    ),
)

#: What turbostar replaces or adds.
TABLE = tuple(
    Acceleration(f"starlette.{target}", f"turbostar.{function}", fingerprint)
    for target, function, fingerprint in _ROWS
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

_swapped: list[tuple[type, Acceleration]] = []
_ENTRIES = {entry.target: entry for entry in TABLE}
_BYPASSED = {entry.target: entry for entry in BYPASSED}

#: Starlette releases whose sources have the fingerprints of `TABLE` (a test compares them), so that
#: nothing need be hashed under them.
VERIFIED_RELEASES = frozenset({"1.10.0"})


def fingerprint(function: Any) -> str:
    """Return a short digest of the source of a function, or of a property's.

    Raises:
        OSError: the source is not there to read.
    """
    function = _within(function)
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]


def objection(entry: Acceleration) -> str:
    """Say why our function may not stand in for the stock attribute; empty if it may."""
    owner = getattr(entry.module, entry.path.partition(".")[0], None)
    stock = vars(owner).get(entry.name) if owner is not None else None
    others = next(filter(None, map(_objection_to, DEPENDENCIES.get(entry.target, ()))), "")
    if entry.fingerprint is None:
        return f"{entry.target} exists in {_release()}" if stock is not None else others
    if stock is None:
        return f"{entry.target} does not exist in {_release()}"
    if not is_stock(stock, entry):
        return f"{entry.target} has been replaced by {author_of(stock)}"
    change = "" if starlette.__version__ in VERIFIED_RELEASES else _change(entry, stock)
    return change or others


def _objection_to(target: str) -> str:
    """The objection to going without a function that one of ours takes the place of as well."""
    ours = _ENTRIES.get(target)
    entry = ours or _BYPASSED[target]
    value: Any = entry.module
    for name in entry.path.split("."):
        value = getattr(value, name, None)
    if value is None:
        return f"{entry.target} does not exist in {_release()}"
    if ours is not None and value is ours.replacement:
        return ""
    if not is_stock(value, entry):
        return f"{entry.target} has been replaced by {author_of(value)}"
    return "" if starlette.__version__ in VERIFIED_RELEASES else _change(entry, value)


def _change(entry: Acceleration, function: Any) -> str:
    try:
        known = fingerprint(function) == entry.fingerprint
    except (OSError, TypeError):
        return f"{entry.target} cannot be compared: its source is not there to read"
    return "" if known else f"{entry.target} has changed in {_release()}"


def is_known(function: Any, base: type, name: str) -> bool:
    """Whether a function is Starlette's own for ``base.name``, of a known source, or ours for it.

    What has been wrapped or replaced by anybody else is not known, and must not be bypassed.
    """
    target = f"{base.__module__}:{base.__qualname__}.{name}"
    entry = _ENTRIES.get(target)
    if entry is not None and function is entry.replacement:
        return True
    stock = entry or _BYPASSED.get(target)
    return stock is not None and is_stock(function, stock) and _is_trusted(stock, function)


@functools.cache
def _is_trusted(entry: Acceleration, function: FunctionType) -> bool:
    reason = "" if starlette.__version__ in VERIFIED_RELEASES else _change(entry, function)
    if reason:
        _log(reason)
    return not reason


def trusts(target: str) -> bool:
    """Whether a function that we go without is of a known source, wherever it is defined."""
    reason = _objection_to(target)
    if reason:
        _log(reason)
    return not reason


def accelerated(cls: C) -> C:
    """Class decorator of an import-swapped class: give it our functions for its stock base."""
    stock = cls.__mro__[1]
    for entry in TABLE:
        if entry.target.startswith(f"{stock.__module__}:{stock.__qualname__}."):
            _swapped.append((cls, entry))
            if may(entry):
                setattr(cls, entry.name, entry.replacement)
    return cls


def swapped() -> list[Acceleration]:
    """What import-swapped classes have of ours, in the place of what Starlette's have."""
    return [entry for _, entry in _swapped]


def refresh() -> list[tuple[type, str]]:
    """Let import-swapped classes follow what has been replaced in Starlette's, or put back.

    Returns:
        What import-swapped classes now inherit from Starlette's, and did not before.
    """
    left = []
    for cls, entry in _swapped:
        ours = vars(cls).get(entry.name) is entry.replacement
        stock = vars(entry.owner).get(entry.name)
        if stock is entry.replacement or not objection(entry):
            if entry.name not in vars(cls):
                setattr(cls, entry.name, entry.replacement)
        elif ours:
            delattr(cls, entry.name)
            left.append((cls, entry.name))
    return left


def may(entry: Acceleration) -> bool:
    """Whether our function may stand in now; a refusal is logged, once for each reason."""
    reason = objection(entry)
    if reason:
        _log(reason)
    return not reason


@functools.cache
def _log(reason: str) -> None:
    logger.warning("%s: this part stays stock", reason)


def _within(value: Any) -> Any:
    """The function of a property that can only be read; anything else as it is."""
    return value.fget if type(value) is property and not (value.fset or value.fdel) else value


def is_stock(value: Any, entry: Acceleration) -> bool:
    """Whether `value` is the very function that Starlette's module defines, and no wrapper."""
    value = _within(value)
    return (
        type(value) is FunctionType  # a proxy of a function says that it is an instance
        and value.__globals__ is vars(entry.module)
        and value.__qualname__ == entry.path
        # Some tools leave the function in place and give it other code.
        and value.__code__.co_filename == entry.module.__file__
        and value.__code__.co_qualname == entry.path
    )


def is_verified(function: Any, module: Any) -> bool:
    """Whether a function is the module's own, in a release whose sources were all compared."""
    return (
        starlette.__version__ in VERIFIED_RELEASES
        and getattr(function, "__globals__", None) is vars(module)
        and type(function) is FunctionType
    )


def author_of(function: Any) -> str:
    """Name the module that a function was written in, whatever it pretends to be."""
    function = _within(function)
    namespace = getattr(function, "__globals__", None)
    if type(function) is FunctionType and namespace is not None:
        return str(namespace.get("__name__", "an unknown module"))
    return type(function).__module__


def _release() -> str:
    return f"Starlette {starlette.__version__}"
