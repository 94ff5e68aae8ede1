"""Whether a server can listen where it is told to, found out before anything is started."""

from __future__ import annotations

import os
import pathlib
import socket
import ssl
import stat
from collections.abc import Mapping
from typing import Any

from turbostar.cli.errors import UserError

__all__ = ["check"]

_LONGEST_PATH = 107  # bytes of a socket's path, on Linux; 103 elsewhere


def check(options: Mapping[str, Any]) -> None:
    """Check the address and the certificate in uvicorn's options.

    Raises:
        UserError: the server could not listen there, or not with TLS.
    """
    if options["uds"] is not None:
        _check_socket_path(options["uds"])
    elif options["fd"] is not None:
        _check_descriptor(options["fd"])
    elif options["port"]:
        _check_port(options["host"], options["port"])
    _check_certificate(options)


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as exc:
            cause = getattr(exc, "strerror", None) or exc
            raise UserError(
                f"cannot serve on {host}:{port}: {cause}; choose another --host or --port"
            ) from exc


def _check_socket_path(path: str) -> None:
    place = pathlib.Path(path)
    folder = place.absolute().parent
    cause = None
    if len(os.fsencode(path)) > _LONGEST_PATH:
        cause = f"the path is longer than {_LONGEST_PATH} bytes"
    elif not folder.is_dir():
        cause = f"there is no directory {folder}"
    elif place.exists() and not stat.S_ISSOCK(place.stat().st_mode):
        cause = "there is a file of another kind"
    elif not os.access(folder, os.W_OK):
        cause = f"nothing can be made in {folder}"
    if cause is not None:
        raise UserError(f"cannot serve on the socket {path}: {cause}; choose another --uds")


def _check_descriptor(number: int) -> None:
    try:
        is_socket = stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError as exc:
        raise UserError(f"cannot serve on --fd {number}: {exc.strerror}") from exc
    if not is_socket:
        raise UserError(f"cannot serve on --fd {number}: it is no socket; give one that is bound")


class _EncryptedError(Exception):
    """The key needs a password, for which uvicorn will ask."""


def _check_certificate(options: Mapping[str, Any]) -> None:
    certificate, key = options["ssl_certfile"], options["ssl_keyfile"]
    if certificate is None:
        if key is not None:
            raise UserError("--ssl-keyfile needs a certificate; give --ssl-certfile, too")
        return

    def password() -> str:
        if options["ssl_keyfile_password"] is None:
            raise _EncryptedError
        return str(options["ssl_keyfile_password"])

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    doing, files = "certificate", f"{certificate} and {key}" if key else certificate
    try:
        context.load_cert_chain(certificate, key, password)
        if options["ssl_ca_certs"] is not None:
            doing, files = "certificates of authorities", options["ssl_ca_certs"]
            context.load_verify_locations(options["ssl_ca_certs"])
        doing, files = "ciphers", options["ssl_ciphers"]
        context.set_ciphers(options["ssl_ciphers"])
    except _EncryptedError:
        return
    except (OSError, ValueError) as exc:
        cause = getattr(exc, "strerror", None) or exc.args[0]
        repair = "correct --ssl-ciphers"
        if doing != "ciphers":
            repair = "give PEM files that can be read and belong together"
        raise UserError(f"cannot use the {doing} of {files}: {cause}; {repair}") from exc
