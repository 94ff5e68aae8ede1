"""Options of a database, with what each is counted in, and how they are read from a URL."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias, TypedDict
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import msgspec

from turbostar.orm.errors import OrmError

__all__ = ["Options", "OptionsGiven", "Where", "locate"]


_Word: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^\w+$")]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a database may be told. Times are in seconds; None is no limit.

    Args:
        pool_size: connections kept open: PostgreSQL's, or readers of SQLite. None for the
            engine's own default, 10 or 4.
        max_overflow: connections more than that while there is need (PostgreSQL).
        pool_timeout: how long to wait for a connection, or for SQLite's writer.
        pool_recycle: age at which a connection is replaced (PostgreSQL).
        pool_pre_ping: ask each connection for a sign of life before use (PostgreSQL).
        warm: connections opened at the start (PostgreSQL); None for `pool_size` of them.
        connect_timeout: how long opening a connection may take.
        statement_timeout: how long one statement may take.
        pgbouncer: a pooler stands between that hands out server connections for each
            transaction: no prepared statement is kept, and no session state relied on.
        statement_cache_size: prepared statements kept on each connection.
        text_timestamps: take timestamps as text, which Python parses in half the time; off, for
            ranges of timestamps and composite types (PostgreSQL).
        busy_timeout: how long to wait for a lock of another process (SQLite).
        synchronous: "normal" survives a crash of the program, "full" one of the machine (SQLite).
        foreign_keys: hold foreign keys (SQLite).
        pragmas: further settings of each connection, as ``{"cache_size": -64000}`` (SQLite).
    """

    pool_size: int | None = None
    max_overflow: int = 30
    pool_timeout: float = 30.0
    pool_recycle: float | None = 3600.0
    pool_pre_ping: bool = False
    warm: int | None = None
    connect_timeout: float = 10.0
    statement_timeout: float | None = None
    pgbouncer: bool = False
    statement_cache_size: int = 512
    text_timestamps: bool = True
    busy_timeout: float = 10.0
    synchronous: Literal["off", "normal", "full", "extra"] = "normal"
    foreign_keys: bool = True
    pragmas: dict[_Word, int | _Word] = {}


class OptionsGiven(TypedDict, total=False):
    """The `Options` as arguments, which type checkers know by this."""

    pool_size: int | None
    max_overflow: int
    pool_timeout: float
    pool_recycle: float | None
    pool_pre_ping: bool
    warm: int | None
    connect_timeout: float
    statement_timeout: float | None
    pgbouncer: bool
    statement_cache_size: int
    text_timestamps: bool
    busy_timeout: float
    synchronous: Literal["off", "normal", "full", "extra"]
    foreign_keys: bool
    pragmas: dict[str, int | str]


class Where(msgspec.Struct, frozen=True):
    """A URL, read: the kind of database, where it is, and options of ours that stood in it."""

    kind: Literal["sqlite", "postgresql"]
    target: str  # a path or ":memory:"; or a URL for the driver
    shown: str  # without a password, for messages
    options: Options
    mode: str = "rwc"  # SQLite's way to open a file: ro, rw or rwc


_KINDS: dict[str, Literal["sqlite", "postgresql"]] = {
    "sqlite": "sqlite",
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "cockroachdb": "postgresql",
}


def locate(url: str, given: dict[str, Any]) -> Where:
    """Reads a URL such as ``sqlite:///app.db`` or ``postgresql://user@host/name?pool_size=5``.

    Args:
        url: three slashes make a relative path for SQLite, four an absolute one;
            ``sqlite:///:memory:`` is a database in memory.
        given: options of `Options` that were given apart; they win over those of the URL.

    Raises:
        OrmError: a kind of database that there is no engine for, or an option that is none.
    """
    if not isinstance(url, str):
        raise OrmError(
            f"a database URL is text such as 'sqlite:///app.db', and not {url!r}"
            + ("; is the variable set that it is taken from?" if url is None else "")
        )
    parts = urlsplit(url)
    scheme = parts.scheme.partition("+")[0]
    kind = _KINDS.get(scheme)
    if kind is None:
        raise OrmError(
            f"no engine for {scheme or url!r}: a database URL begins with sqlite:// or postgresql://"
        )
    named = set(Options.__struct_fields__)
    query = parse_qsl(parts.query, keep_blank_values=True)
    ours = {name: value for name, value in query if name in named}
    try:
        # Out of a URL all are text; what is given as an argument has to have its type.
        options = msgspec.convert(ours, Options, strict=False)
        options = msgspec.convert({**msgspec.structs.asdict(options), **given}, Options)
    except msgspec.ValidationError as error:
        raise OrmError(f"options of the database: {error}") from error
    rest = [(name, value) for name, value in query if name not in named]
    if kind == "postgresql":
        target = parts._replace(scheme="postgresql", query=urlencode(rest)).geturl()
        host = parts.hostname or "localhost"
        shown = f"postgresql://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"
        return Where(kind, target, shown, options)
    mode = "rwc"
    for name, value in rest:
        if name != "mode" or value not in ("ro", "rw", "rwc"):
            raise OrmError(f"{name}={value} in the URL of an SQLite database means nothing")
        mode = value
    path = unquote(parts.netloc + parts.path)
    path = path.removeprefix("/") or ":memory:"
    return Where(kind, path, f"sqlite:///{path}", options, mode)
