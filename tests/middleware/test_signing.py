"""Signatures are found valid, and made, exactly where and as itsdangerous does it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, strategies as st
from itsdangerous import BadSignature, NoneAlgorithm, Signer, TimestampSigner
from itsdangerous.signer import HMACAlgorithm

from turbostar._middleware import signing as _signing
from turbostar._middleware.signing import Keys

NOW = 1_800_000_000
SIGNERS: dict[str, Callable[[], Signer]] = {
    "default": lambda: TimestampSigner("secret"),
    "many keys": lambda: TimestampSigner(["oldest", "older", "new"]),
    "long key": lambda: TimestampSigner("k" * 200, key_derivation="none"),
    "concat": lambda: TimestampSigner("secret", key_derivation="concat"),
    "hmac": lambda: TimestampSigner("secret", key_derivation="hmac", salt="salt"),
    "sha256": lambda: TimestampSigner("secret", digest_method=hashlib.sha256),
    "sha512": lambda: TimestampSigner("secret", algorithm=HMACAlgorithm(hashlib.sha512)),
    "separator": lambda: TimestampSigner("secret", sep=":|:"),
}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The time stands still, and may be set."""
    now = [NOW]
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now[0])
    return now


def unsigned(unsign: Any, signed: bytes, max_age: Any) -> Any:
    """What comes of a signed value."""
    try:
        return unsign(signed, max_age)
    except BadSignature as exc:
        return type(exc), str(exc), exc.payload, getattr(exc, "date_signed", None)
    except (TypeError, ValueError, OSError, OverflowError) as exc:
        return repr(exc)


@pytest.mark.parametrize("name", SIGNERS)
def test_signatures_are_those_of_the_signer(name: str) -> None:
    """Signed here and unsigned there, and the reverse; no fast way is left out."""
    signer: Any = SIGNERS[name]()
    keys = Keys(signer)
    assert keys._macs
    assert keys.are_of(signer)
    for payload in (b"", b"payload", b"with.dots.in.it", b"\xff" * 300):
        assert keys.sign(payload) == signer.sign(payload)
        assert keys.payload(signer.sign(payload), 10) == payload


def test_values_signed_with_older_keys_are_valid() -> None:
    """All keys of a signer count, and the newest one signs."""
    signer = TimestampSigner(["oldest", "older", "new"])
    for key in ("oldest", "older", "new"):
        assert Keys(signer).payload(TimestampSigner(key).sign("x"), None) == b"x"
    assert TimestampSigner("new").unsign(Keys(signer).sign(b"x")) == b"x"


changes = st.lists(
    st.tuples(
        st.sampled_from(["replace", "insert", "delete"]),
        st.integers(0, 60),
        st.sampled_from([b".", b"-", b"=", b"A", b"\xff", b"!", b"\n", b"_"]),
    ),
    max_size=3,
)


@given(
    st.sampled_from(["default", "many keys", "separator"]),
    st.sampled_from([b"", b"payload", b"p.q"]),
    changes,
    st.sampled_from([None, 0, 5, -1, "x"]),
    st.sampled_from([0, 3, 6, -2]),
)
def test_whatever_was_done_to_it(
    name: str, payload: bytes, changes: Any, max_age: Any, age: int
) -> None:
    """Same payload or same exception for forged, truncated, old and future values."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("itsdangerous.timed.time.time", lambda: NOW)
        signer: Any = SIGNERS[name]()
        signed = signer.sign(payload)
        for kind, place, byte in changes:
            end = place if kind == "insert" else place + 1
            signed = signed[:place] + (b"" if kind == "delete" else byte) + signed[end:]
        patch.setattr("itsdangerous.timed.time.time", lambda: NOW + age)
        assert unsigned(Keys(signer).payload, signed, max_age) == unsigned(
            signer.unsign, signed, max_age
        )


@given(
    st.binary(max_size=12)
    | st.text("AB-_zw019=", max_size=16).map(str.encode)
    | st.integers(0, 2**72).map(lambda n: base64.urlsafe_b64encode(n.to_bytes(10).lstrip(b"\0")))
)
@example(base64.urlsafe_b64encode((2**64).to_bytes(9)))
def test_any_timestamp(stamp: bytes) -> None:
    """A value with a valid signature and any timestamp."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("itsdangerous.timed.time.time", lambda: NOW)
        signer: Any = TimestampSigner("secret")
        signed = Signer("secret").sign(b"payload." + stamp)
        for max_age in (None, 10, 2**63):
            assert unsigned(Keys(signer).payload, signed, max_age) == unsigned(
                signer.unsign, signed, max_age
            )


@pytest.mark.parametrize("now", [0, -5, 2.5])
def test_odd_clocks(now: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times that a signer cannot write are left to it."""
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: now)
    signer = TimestampSigner("secret")
    results = []
    for sign in (signer.sign, Keys(signer).sign):
        try:
            results.append(sign(b"x"))
        except Exception as exc:
            results.append(repr(exc).encode())
    assert results[0] == results[1]


class Own(TimestampSigner):
    """A signer of somebody's own."""


def test_other_signers_do_it_themselves() -> None:
    """A subclass, another algorithm, or a method on the instance: nothing is decided here."""
    overridden = TimestampSigner("secret")
    overridden.unsign = lambda *args, **kwargs: b"mine"  # type: ignore[method-assign, assignment]
    algorithm = HMACAlgorithm()
    algorithm.get_signature = lambda key, value: b"mine"  # type: ignore[method-assign]
    for signer in (
        Own("secret"),
        overridden,
        TimestampSigner("secret", algorithm=NoneAlgorithm()),
        TimestampSigner("secret", algorithm=algorithm),
    ):
        keys = Keys(signer)
        assert not keys._macs
        assert keys.sign(b"x") == signer.sign(b"x")
        assert keys.payload(signer.sign(b"x"), 5) == signer.unsign(signer.sign(b"x"), 5)


CHANGED: dict[str, Callable[[Any], Any]] = {
    "another key": lambda signer: signer.secret_keys.append(b"another"),
    "no old keys": lambda signer: signer.secret_keys.pop(0),
    "salt": lambda signer: setattr(signer, "salt", b"another"),
    "separator": lambda signer: setattr(signer, "sep", b"~"),
    "derivation": lambda signer: setattr(signer, "key_derivation", "hmac"),
    "digest": lambda signer: setattr(signer, "digest_method", hashlib.md5),
    "algorithm": lambda signer: setattr(signer, "algorithm", NoneAlgorithm()),
    "its digest": lambda signer: setattr(signer.algorithm, "digest_method", hashlib.sha256),
    "a method": lambda signer: setattr(signer, "get_signature", lambda value: b"x"),
}


@pytest.mark.parametrize("change", CHANGED)
def test_changed_signers_have_other_keys(change: str) -> None:
    """Keys of a signer that was changed since are not its keys."""
    signer = TimestampSigner(["old", "new"])
    keys = Keys(signer)
    CHANGED[change](signer)
    assert not keys.are_of(signer)
    assert Keys(signer).sign(b"x") == signer.sign(b"x")
    assert not keys.are_of(TimestampSigner(["old", "new"]))


@pytest.mark.parametrize("name", ["sign", "unsign"])
def test_replaced_methods_are_called(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who replaces a method of the signer's class is heard from the next request on."""
    signer = TimestampSigner("secret")
    keys = Keys(signer)
    monkeypatch.setattr(TimestampSigner, name, lambda *args, **kwargs: b"replaced")
    assert not keys.are_of(signer)
    assert not Keys(signer)._macs


def test_other_releases_do_it_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a release that is not known, nothing is taken for granted."""
    monkeypatch.setattr(_signing, "_RELEASE", "3.0.0")
    _signing._is_known.cache_clear()
    try:
        assert not Keys(TimestampSigner("secret"))._macs
    finally:
        monkeypatch.undo()
        _signing._is_known.cache_clear()
