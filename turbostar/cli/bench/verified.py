"""Verifying an application before it is measured, and choosing the requests of the load."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import msgspec
from rich.console import Console

from turbostar.cli.bench.results import Verification
from turbostar.cli.bench.sending import announce_derived
from turbostar.cli.bench.servers import Application
from turbostar.cli.errors import UserError
from turbostar.cli.loading import add_app_dir, load_app
from turbostar.cli.output import animates
from turbostar.cli.recorded import RecordedRequest
from turbostar.cli.verify import VerifyResult, report, verify
from turbostar.cli.verify.derive import derive_requests

__all__ = ["Verified", "unverified", "verified"]


class Verified(msgspec.Struct, frozen=True):
    """The requests to measure with, and what is known of their answers."""

    requests: tuple[RecordedRequest, ...]
    verification: Verification
    same: bool = True


def verified(
    application: Application,
    requests: Sequence[RecordedRequest] | None,
    ignored_headers: Sequence[str],
    console: Console,
    *,
    unsafe_methods: bool = False,
) -> Verified:
    """Compare all answers of the application, in process; show differences on `console`.

    Raises:
        UserError: the application cannot be run, or it fails to answer any request.
    """
    text = "verifying: every request on stock Starlette and on turbostar"
    with console.status(text) if animates(console) else contextlib.nullcontext():
        found = verify(
            application.target,
            requests,
            factory=application.factory,
            app_dir=application.app_dir,
            ignore_headers=ignored_headers,
            unsafe_methods=unsafe_methods,
            announce=lambda derived: announce_derived(console, derived),
        )
    if not found.same:
        report.show(console, found)
    if found.all_failed is not None:
        cause = f"nothing to measure: {found.all_failed}"
        raise UserError(f"{application.target}: {cause}; see turbostar verify")
    notes = list(found.notes)
    if found.shutdown is not None:
        notes.append(f"the lifespan failed at the end, on stock as well: {found.shutdown}")
    for note in notes:
        console.print(note, style="dim", markup=False, soft_wrap=True)
    return Verified(
        tuple(_successful_gets(found) if requests is None else requests),
        Verification(True, len(found.checks), _summary(found)),
        found.same,
    )


def unverified(application: Application, requests: Sequence[RecordedRequest] | None) -> Verified:
    """The requests as they are, or the GETs that the routes of the application suggest.

    Raises:
        UserError: the application cannot be imported.
    """
    if requests is None:
        add_app_dir(application.app_dir)
        derived, _ = derive_requests(load_app(application.target, factory=application.factory))
        requests = _gets(derived)
    text = "Not verified first (--no-verify)."
    return Verified(tuple(requests), Verification(False, 0, text))


def _summary(found: VerifyResult) -> str:
    text = (
        f"Verified first: {len(found.identical)} of {len(found.checks)} requests answered "
        "identically"
    )
    if found.volatile:
        text += f", {len(found.volatile)} vary on stock itself"
    return f"{text}."


def _successful_gets(found: VerifyResult) -> list[RecordedRequest]:
    """Of the derived requests those worth a load: there are errors and redirects among them."""
    chosen = [
        check.request
        for check in found.checks
        if check.stock.status is not None
        and 200 <= check.stock.status < 300
        and check.stock.complete
    ]
    return _gets(chosen)


def _gets(requests: Sequence[RecordedRequest]) -> list[RecordedRequest]:
    chosen = [one for one in requests if one.method == "GET" and one.websocket is None]
    if not chosen:
        raise UserError(
            "no GET that succeeds can be derived from the routes; record some requests and give "
            "the file to --requests"
        )
    return chosen
