"""Signatures of itsdangerous' ``TimestampSigner``, with the keys derived once.

The signer derives a key and sets up an HMAC for each signature, which is half of what reading a
session costs. Here the hashes that have taken in the key are kept, and copied. Only that a
signature is valid is decided here; what is not goes to the signer itself, for it to raise.
"""

from __future__ import annotations

import functools
from binascii import a2b_base64, b2a_base64
from hmac import compare_digest
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from itsdangerous import TimestampSigner
from itsdangerous.signer import HMACAlgorithm, Signer, SigningAlgorithm

from turbostar._accelerations import Acceleration, is_stock

__all__ = ["Keys"]

#: The releases in which signatures are made and checked as here.
_KNOWN_RELEASES = ("2.0.", "2.1.", "2.2.")
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
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


def _hashes_of(signer: Any) -> list[tuple[Any, Any]]:
    """For each key, the newest first, both hashes of an HMAC, which have taken in the key.

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
    if not hasattr(digest(), "copy"):
        return []
    hashes = [
        _keyed(signer.derive_key(secret_key), digest) for secret_key in reversed(signer.secret_keys)
    ]
    return hashes if _signature(b"probe", *hashes[0]) == signer.get_signature(b"probe") else []


def _keyed(key: bytes, digest: Any) -> tuple[Any, Any]:
    size = digest().block_size
    if len(key) > size:
        key = digest(key).digest()
    block = key.ljust(size, b"\0")
    return digest(block.translate(_INNER)), digest(block.translate(_OUTER))


def _signature(value: bytes, inner: Any, outer: Any) -> bytes:
    inner, outer = inner.copy(), outer.copy()
    inner.update(value)
    outer.update(inner.digest())
    return _encoded(outer.digest())


def _encoded(data: bytes) -> bytes:
    """Base64 for URLs, without padding."""
    return b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=")


class Keys:
    """The keys of one signer, for as long as it is not changed."""

    __slots__ = ("_algorithm", "_attributes", "_hashes", "_signer")

    def __init__(self, signer: Any) -> None:
        self._signer = signer
        self._hashes = _hashes_of(signer)
        if self._hashes:
            self._attributes = {**vars(signer), "secret_keys": [*signer.secret_keys]}
            self._algorithm = {**vars(signer.algorithm)}

    def are_of(self, signer: Any) -> bool:
        """Whether these are the keys of that signer, as it is now."""
        return signer is self._signer and (
            not self._hashes
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
        if self._hashes:
            try:
                value, signature = signed.rsplit(signer.sep, 1)
                payload, stamp = value.rsplit(signer.sep, 1)
                time = a2b_base64(stamp.translate(_STANDARD) + _PADDING[len(stamp) % 4])
            except ValueError:
                pass  # a separator too few, or no base64: asked outside of the `except`
            else:
                for hashes in self._hashes:
                    if compare_digest(signature, _signature(value, *hashes)):
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
        if self._hashes:
            time = signer.get_timestamp()
            if type(time) is int and time >= 0:
                stamp = _encoded(time.to_bytes(8).lstrip(b"\0"))
                value = payload + signer.sep + stamp
                signed: bytes = value + signer.sep + _signature(value, *self._hashes[0])
                return signed
        signed = signer.sign(payload)
        return signed
