"""Signatures of itsdangerous' ``TimestampSigner``, with the keys derived once.

The signer derives a key and sets up an HMAC for each signature, which is half of what reading a
session costs. Here an HMAC for each key is kept, and copied. Only that a signature is valid is
decided here; what is not goes to the signer itself, for it to raise.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
from binascii import a2b_base64, b2a_base64
from hmac import compare_digest
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from itsdangerous import TimestampSigner
from itsdangerous.signer import HMACAlgorithm, Signer, SigningAlgorithm

from turbostar._guard.sources import is_stock
from turbostar._guard.table import Acceleration

__all__ = ["Keys"]

#: The releases in which signatures are made and checked as here.
_KNOWN_RELEASES = ("2.0.", "2.1.", "2.2.")
# Without the calls of the module base64, which take longer than the work.
_PADDING = (b"", b"===", b"==", b"=")
_STANDARD = bytes.maketrans(b"-_", b"+/")
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_ATTRIBUTES = {"algorithm", "digest_method", "key_derivation", "salt", "secret_keys", "sep"}

_timed_unsign = TimestampSigner.unsign
_timed_sign = TimestampSigner.sign
_unsign = Signer.unsign
_verify_signature = Signer.verify_signature
_get_signature = Signer.get_signature
_derive_key = Signer.derive_key
_verify = SigningAlgorithm.verify_signature
_hmac = HMACAlgorithm.get_signature
_DEFINED = (
    (_timed_unsign, "timed:TimestampSigner.unsign"),
    (_timed_sign, "timed:TimestampSigner.sign"),
    (_unsign, "signer:Signer.unsign"),
    (_verify_signature, "signer:Signer.verify_signature"),
    (_get_signature, "signer:Signer.get_signature"),
    (_derive_key, "signer:Signer.derive_key"),
    (_verify, "signer:SigningAlgorithm.verify_signature"),
    (_hmac, "signer:HMACAlgorithm.get_signature"),
)


def _release() -> str:
    try:
        return version("itsdangerous")
    except PackageNotFoundError:
        return ""


_RELEASE = _release()  # found out on import: it reads files, which a request must not wait for


@functools.cache
def _is_known() -> bool:
    """Whether these functions are itsdangerous' own, of a known release."""
    return _RELEASE.startswith(_KNOWN_RELEASES) and all(
        is_stock(function, Acceleration(f"itsdangerous.{target}", "", None))
        for function, target in _DEFINED
    )


def _is_unchanged() -> bool:
    """Whether they are still what the signer would call."""
    return (
        TimestampSigner.unsign is _timed_unsign
        and TimestampSigner.sign is _timed_sign
        and TimestampSigner.verify_signature is _verify_signature
        and TimestampSigner.get_signature is _get_signature
        and TimestampSigner.derive_key is _derive_key
        and Signer.unsign is _unsign
        and HMACAlgorithm.verify_signature is _verify
        and HMACAlgorithm.get_signature is _hmac
    )


def _macs_of(signer: Any) -> list[Any]:
    """For each key, the newest first, an HMAC that has taken in nothing else.

    Empty for a signer that is not quite itsdangerous' own.
    """
    if type(signer) is not TimestampSigner or vars(signer).keys() != _ATTRIBUTES:
        return []
    algorithm = signer.algorithm
    if type(algorithm) is not HMACAlgorithm or vars(algorithm).keys() != {"digest_method"}:
        return []
    values = [signer.sep, signer.salt, *signer.secret_keys]
    if {*map(type, values)} != {bytes} or not _is_known() or not _is_unchanged():
        return []
    digest = algorithm.digest_method
    macs = [_mac(signer.derive_key(key), digest) for key in reversed(signer.secret_keys)]
    return macs if _signature(b"probe", macs[0]) == signer.get_signature(b"probe") else []


def _mac(key: bytes, digest: Any) -> Any:
    """An HMAC by a function that makes hashes, or by its name if OpenSSL knows that."""
    name = getattr(digest(), "name", None)
    known: Any = name if name in hashlib.algorithms_available else digest
    return hmac.new(key, digestmod=known)


def _signature(value: bytes, mac: Any) -> bytes:
    mac = mac.copy()
    mac.update(value)
    return _encoded(mac.digest())


def _encoded(data: bytes) -> bytes:
    """Base64 for URLs, without padding."""
    return b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=")


class Keys:
    """The keys of one signer, for as long as it is not changed."""

    __slots__ = ("_algorithm", "_attributes", "_macs", "_signer")

    def __init__(self, signer: Any) -> None:
        self._signer = signer
        self._macs = _macs_of(signer)
        if self._macs:
            self._attributes = {**vars(signer), "secret_keys": [*signer.secret_keys]}
            self._algorithm = {**vars(signer.algorithm)}

    def are_of(self, signer: Any) -> bool:
        """Whether these are the keys of that signer, as it is now."""
        return signer is self._signer and (
            not self._macs
            or (
                signer.__dict__ == self._attributes
                and signer.algorithm.__dict__ == self._algorithm
                and TimestampSigner.unsign is _timed_unsign
                and TimestampSigner.sign is _timed_sign
            )
        )

    def payload(self, signed: bytes, max_age: int | None) -> bytes:
        """Return the payload of a signed value, as the signer's ``unsign`` would.

        Raises:
            itsdangerous.BadSignature: as that does.
        """
        signer = self._signer
        if self._macs:
            try:
                value, signature = signed.rsplit(signer.sep, 1)
                payload, stamp = value.rsplit(signer.sep, 1)
                time = a2b_base64(stamp.translate(_STANDARD) + _PADDING[len(stamp) % 4])
            except ValueError:
                pass  # a separator too few, or no base64: asked outside of the `except`
            else:
                for mac in self._macs:
                    if compare_digest(signature, _signature(value, mac)):
                        if len(time) <= 8 and not self._is_over(int.from_bytes(time), max_age):
                            return payload
                        break
        found: bytes = signer.unsign(signed, max_age=max_age)
        return found

    def _is_over(self, time: int, max_age: int | None) -> bool:
        if max_age is None:
            return False
        age = self._signer.get_timestamp() - time
        return bool(age > max_age or age < 0)

    def sign(self, payload: bytes) -> bytes:
        """Sign a payload, as the signer's ``sign`` would."""
        signer = self._signer
        if self._macs:
            time = signer.get_timestamp()
            if type(time) is int and time >= 0:
                stamp = _encoded(time.to_bytes(8).lstrip(b"\0"))
                value = payload + signer.sep + stamp
                signed: bytes = value + signer.sep + _signature(value, self._macs[0])
                return signed
        signed = signer.sign(payload)
        return signed
