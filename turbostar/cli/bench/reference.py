"""What stock Starlette answers, and how much of it can be relied on."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from turbostar.cli.bench.answers import Answer
from turbostar.cli.bench.exchange import Exchange, Expected, difference, expect
from turbostar.cli.bench.serial import SerialAnswer, serial_pass
from turbostar.cli.bench.servers import Server
from turbostar.cli.errors import UserError
from turbostar.cli.recorded import RecordedRequest

__all__ = ["Note", "Reference", "both_passes", "replayed"]

PASS_TIMEOUT = 30.0  # seconds for one answer


class Note(msgspec.Struct, frozen=True):
    """Something to know about how a request was compared."""

    name: str
    text: str


def replayed(requests: Sequence[RecordedRequest]) -> list[RecordedRequest]:
    """The requests that a pass sends: those of the load, and those that others depend on.

    These fill a cookie jar, or save a value.
    """
    return [
        request
        for request in requests
        if request.websocket is None
        and not request.disconnect
        and (request.bench or request.jar or request.saves)
    ]


def both_passes(
    requests: Sequence[RecordedRequest], server: Server
) -> tuple[list[SerialAnswer], list[SerialAnswer]]:
    """Send all requests twice; the second time is the settled one, which the load repeats.

    What a request changes for good (an account that then exists, a record that is then gone)
    has then happened, as it will have during nearly all of the load.

    Raises:
        MissingAnswer: a request got none.
    """
    first = serial_pass(requests, server.host, server.port, timeout=PASS_TIMEOUT)
    return first, serial_pass(requests, server.host, server.port, timeout=PASS_TIMEOUT)


class Reference:
    """The answers of stock Starlette, and which parts of them stay the same."""

    def __init__(self, requests: Sequence[RecordedRequest], ignored: Collection[bytes]) -> None:
        self.requests = requests
        self.notes: list[Note] = []
        self.left_out: list[Note] = []
        self._ignored = ignored
        self._expected: dict[int, Expected] = {}

    def learn(
        self, fresh: Sequence[SerialAnswer], settled: Sequence[Sequence[SerialAnswer]]
    ) -> None:
        """Take the expectation from several settled passes; `fresh` is the one before them."""
        for index, request in enumerate(self.requests):
            if not request.bench:
                continue
            answers = [answer for one in settled if (answer := one[index][1]) is not None]
            self._learn_one(index, request.name, answers)
            before, now = fresh[index][1], self._expected.get(index)
            if before is not None and now is not None and before.status != now.status:
                text = f"answered with {before.status} once, then with {now.status}: the latter"
                self.notes.append(Note(request.name, f"{text} is measured"))

    def exclude(self, differing: dict[int, str]) -> None:
        """Rely less on the exchanges that stock answered differently under load.

        The keys count as those of `exchanges`.
        """
        usable = list(self._expected)
        for number, cause in differing.items():
            index = usable[number]
            name = self.requests[index].name
            if cause.startswith("status"):
                del self._expected[index]
                self.left_out.append(Note(name, f"stock gave {cause} under load"))
            else:
                self._rely_on_status(index)
                self.notes.append(Note(name, "stock's answers vary under load: status only"))

    def exchanges(self, sent: Sequence[SerialAnswer]) -> list[Exchange]:
        """The exchanges of the load, with the bytes that were sent in a pass."""
        return [
            Exchange(
                self.requests[index].name,
                sent[index][0],
                self.requests[index].method == "HEAD",
                expected,
            )
            for index, expected in self._expected.items()
        ]

    def first_difference(self, sent: Sequence[SerialAnswer]) -> Note | None:
        """The first request that another server answered differently in a settled pass."""
        for index, expected in self._expected.items():
            answer = sent[index][1]
            if answer is not None and (wrong := difference(expected, answer)) is not None:
                return Note(self.requests[index].name, wrong)
        return None

    def mixes(self, wanted: Sequence[str]) -> dict[str, tuple[int, ...]]:
        """Each mix and its exchanges; `all` comes first and holds every one.

        Raises:
            UserError: a wanted mix does not exist, or there is nothing to measure.
        """
        if not self._expected:
            raise UserError(
                "no request is left to measure; give a request file with plain HTTP requests "
                "whose answers repeat to --requests"
            )
        found: dict[str, list[int]] = {"all": []}
        for number, index in enumerate(self._expected):
            found["all"].append(number)
            if (mix := self.requests[index].mix) != "all":
                found.setdefault(mix, []).append(number)
        unknown = [name for name in wanted if name not in found]
        if unknown:
            raise UserError(
                f"no measurable request belongs to the mix {unknown[0]!r}; "
                f"the mixes are {', '.join(found)}"
            )
        return {name: tuple(found[name]) for name in found if not wanted or name in wanted}

    def _learn_one(self, index: int, name: str, answers: Sequence[Answer]) -> None:
        first, others = answers[0], answers[1:]
        statuses = sorted({answer.status for answer in answers})
        if len(statuses) > 1:
            shown = " and ".join(map(str, statuses))
            self.left_out.append(Note(name, f"stock answers it now with {shown}"))
            return
        self._expected[index] = expect(first, self._ignored)
        varying = _varying_headers(self._expected[index], others)
        if varying is None or any(answer.body != first.body for answer in others):
            self._rely_on_status(index)
            self.notes.append(Note(name, "stock's answers vary: status only"))
        elif varying:
            self._expected[index] = expect(first, self._expected[index].ignored | varying)
            shown = ", ".join(sorted(name.decode("latin-1") for name in varying))
            self.notes.append(Note(name, f"compared without {shown}, which varies"))

    def _rely_on_status(self, index: int) -> None:
        self._expected[index] = msgspec.structs.replace(self._expected[index], body=None)


def _varying_headers(expected: Expected, others: Sequence[Answer]) -> frozenset[bytes] | None:
    """The headers whose values differ; None if not even the names are the same."""
    varying: set[bytes] = set()
    for answer in others:
        headers = expect(answer, expected.ignored).headers
        if [name for name, _ in headers] != [name for name, _ in expected.headers]:
            return None
        varying.update(name for name, _ in set(headers) ^ set(expected.headers))
    return frozenset(varying)
