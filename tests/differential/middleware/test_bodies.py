"""The request's body: read by middleware, below it, by both, whole, in pieces and in part."""

from __future__ import annotations

import pytest

from tests.asgi import Visit
from tests.differential import answering
from tests.differential.middleware import dispatches, layers
from tests.differential.middleware.bodies import AFTER, BEFORE, CAUGHT, READS, WAYS, caught, reads
from tests.differential.modes import Mode
from tests.differential.part import Part
from tests.differential.scene import Scene, check
from tests.differential.served import PATH, Served

FORM = ((b"content-type", b"application/x-www-form-urlencoded"),)
MULTIPART = ((b"content-type", b"multipart/form-data; boundary=b"),)
PARTS = (b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n', b"--b--\r\n")


def post(*body: bytes, slow: bool = False, leaves: bool = False, cut: bool = False) -> Visit:
    """Whatever waits for what does not come is stuck, on stock."""
    return Visit(PATH, "POST", body=body, slow=slow, leaves=leaves, cut=cut, stuck=True)


def sent(headers: tuple[tuple[bytes, bytes], ...], *body: bytes) -> Visit:
    return Visit(PATH, "POST", headers=headers, body=body, stuck=True)


PIECES = (b'{"a":', b"", b"1}")
VISITS = (
    post(*PIECES),
    post(*PIECES, slow=True),
    post(*PIECES, leaves=True),
    post(*PIECES, cut=True),
    post(b"whole", leaves=True, slow=True),
)
MORE_VISITS = (
    *(post(), post(b""), post(b"", leaves=True), post(b"", cut=True), post(b"", b"", b"x", b"")),
    *(sent(FORM, b"a=1&b=", b"%20"), sent(MULTIPART, *PARTS), sent(MULTIPART, b"broken")),
    post(cut=True),
)


def scenes(
    parts: tuple[Part, ...], visits: tuple[Visit, ...], below: object = READS
) -> list[Scene]:
    return [Scene(Served(endpoint, parts), visits) for endpoint in below]  # type: ignore[attr-defined]


@pytest.mark.parametrize("part", [*BEFORE, *AFTER[:6:2]], ids=repr)
def test_read_by_both(mode: Mode, part: Part) -> None:
    """In the dispatch function, before or after what is below, and again in the endpoint."""
    check(mode, *scenes((part,), VISITS[:4]))


@pytest.mark.parametrize("endpoint", READS, ids=repr)
def test_read_in_the_endpoint(mode: Mode, endpoint: Part) -> None:
    """Through one, two and three middlewares, and layers that wrap `receive`."""
    for stack in (
        (dispatches.header,),
        (dispatches.header,) * 3,
        (layers.receives, dispatches.header, layers.receives),
        (dispatches.header, layers.reads_body),
        (layers.pausing, dispatches.header, layers.pausing),
    ):
        more = MORE_VISITS if len(stack) == 1 else ()
        check(mode, Scene(Served(endpoint, stack), (*VISITS[:4], *more)))


@pytest.mark.parametrize("part", CAUGHT, ids=repr)
def test_read_by_a_middleware_alone(mode: Mode, part: Part) -> None:
    """Which goes on whatever comes of it, when the endpoint does not ask, or asks once."""
    check(mode, *scenes((part,), (*VISITS, *MORE_VISITS), (answering.json, READS[0])))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_read_by_many(mode: Mode, way: object) -> None:
    """By each of three middlewares, and by those on other levels.

    In one task they are cancelled from the inside out, in three in the order of their start.
    """
    part, endpoint = caught(way), reads(way)
    check(mode, Scene(Served(endpoint, (part, part, part)), VISITS))
    check(
        mode,
        Scene(Served(READS[0], (part,), "split", within=(part, BEFORE[0])), VISITS),
    )
    check(mode, Scene(Served(READS[2], (BEFORE[0], part)), VISITS))
    check(mode, Scene(Served(READS[2], (part, BEFORE[2])), VISITS))


@pytest.mark.parametrize("part", [*BEFORE[:5], *CAUGHT[9:]], ids=repr)
def test_read_on_trio(mode: Mode, part: Part) -> None:
    """The same on trio."""
    check(mode, *scenes((part,), VISITS[1:4])[::2], backend="trio")


@pytest.mark.parametrize("limit", [3, 7, 8, 1000])
def test_read_under_a_limit(mode: Mode, limit: int) -> None:
    """`max_body_size` of the application is above its middleware, that of the route below."""
    found = []
    for limits in ((limit, None), (None, limit), (limit, 5)):
        for part in (dispatches.header, dispatches.swallows, BEFORE[0], BEFORE[3], AFTER[0]):
            for endpoint in (READS[0], READS[2], answering.json):
                served = Served(endpoint, (part,), limits=limits)
                found.append(Scene(served, VISITS[::2]))
    check(mode, *found)
