"""No text that comes in becomes SQL or Python: not as a value, not as a name, not as a path."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from turbostar.orm import (
    Col,
    Database,
    Many,
    Model,
    ModelError,
    OrmError,
    QueryError,
    Ref,
    WrongValue,
    coalesce,
    col,
    count,
    cte,
    date_part,
    fk,
    function,
    pk,
    reverse,
    sum,
    trunc,
)

pytestmark = pytest.mark.anyio

MOMENT = datetime(2026, 5, 6, tzinfo=UTC)


class Person(Model, table="people"):
    id: Col[int] = pk()
    name: Col[str] = ""
    age: Col[int] = 0
    born: Col[datetime] = MOMENT
    data: Col[dict[str, Any]] = col(default_factory=dict)
    pets: Many[Pet] = reverse("owner")


class Pet(Model, table="pets"):
    id: Col[int] = pk()
    owner: Ref[Person] = fk()


class Canary(Model, table="canary"):
    """One row, which every attack tries to be rid of."""

    id: Col[int] = pk(auto=False)
    name: Col[str] = "tweet"


TEXTS = [
    "'; DROP TABLE canary; --",
    '"; DROP TABLE canary; --',
    'x" FROM canary; DELETE FROM canary; --',
    "1); DELETE FROM canary; --",
    "1; UPDATE canary SET name = 'x'",
    "\\'; DELETE FROM canary; --",
    "' OR '1'='1",
    '" OR "1"="1',
    "id; SELECT 1",
    "name) UNION SELECT name FROM canary --",
    "$1",
    "$1; DELETE FROM canary",
    "?1",
    "%(name)s",
    "{0.__class__}",
    "{}",
    "/* */",
    "--",
    "`id`",
    "[id]",
    '"id"',
    "\\",
    '\\"',
    "a.b",
    "$.x",
    '"."',
    "#-1",
    "\u02bc\uff07",
    "💧",
    "",
    " ",
    "\n",
    "'] + [__import__('os').remove('canary')] + ['",
    '"""\n__import__("os").remove("canary")\n"""',
    "x:=__import__('os').remove('canary')",
    "\x00",
    "\x000\x00",
    "\x001\x00; DELETE FROM canary; --",
]

Place = Callable[[Database, str], Any]
#: Where a name, a word or a path is given as text. Each gives something that can be awaited.
NAMES: dict[str, Place] = {
    "keyword of filter": lambda db, text: Person.filter(**{text: 1}),
    "its look-up": lambda db, text: Person.filter(**{f"age__{text}": 1}),
    "its path over a relation": lambda db, text: Pet.filter(**{f"owner__{text}": 1}),
    "its part of a date": lambda db, text: Person.filter(**{f"born__{text}": 1}),
    "its path in JSON": lambda db, text: Person.filter(**{f"data__{text}": 1}),
    "keyword of exclude": lambda db, text: Person.filter().exclude(**{text: 1}),
    "keyword of get": lambda db, text: Person.get_or_none(**{text: 1}),
    "order": lambda db, text: Person.filter().order(text),
    "order, downwards": lambda db, text: Person.filter().order(f"-{text}"),
    "values": lambda db, text: Person.filter().values(text),
    "name of a value": lambda db, text: Person.filter().values(**{text: Person.id}),
    "name of a counted value": lambda db, text: Person.group(Person.name).aggregate(
        **{text: count()}
    ),
    "name of an aggregate": lambda db, text: Person.filter().aggregate(**{text: count()}),
    "group": lambda db, text: Person.group(text).aggregate(n=count()),
    "values_list": lambda db, text: Person.filter().values_list(text),
    "only": lambda db, text: Person.filter().only(text),
    "defer": lambda db, text: Person.filter().defer(text),
    "distinct": lambda db, text: Person.filter().distinct(text),
    "load": lambda db, text: Person.filter().load(text),
    "lock": lambda db, text: Person.filter().lock(text),
    "limit": lambda db, text: Person.filter().limit(text),  # type: ignore[arg-type]
    "offset": lambda db, text: Person.filter().offset(text),  # type: ignore[arg-type]
    "column of an update": lambda db, text: Person.filter(Person.id < 0).update(**{text: 1}),
    "column of an insert": lambda db, text: Person.create(**{text: 1}),
    "column of many inserts": lambda db, text: Person.insert_many([{text: 1}]),
    "on_conflict": lambda db, text: Person.insert_many([{"id": -1}], on_conflict=text),
    "function": lambda db, text: Person.filter(function(text, Person.name) == "x"),
    "part of a date": lambda db, text: Person.filter(date_part(text, Person.born) == 1),
    "unit of a date": lambda db, text: Person.filter(trunc(text, Person.born) == MOMENT),
    "key of JSON": lambda db, text: Person.filter(Person.data[text] == 1),
    "deep key of JSON": lambda db, text: Person.filter(Person.data["a"][text]["b"] == 1),
    "key of JSON as a value": lambda db, text: Person.filter().values(x=Person.data[text]),
    "key of JSON in order": lambda db, text: Person.filter().order(Person.data[text]),
    "frame of a window": lambda db, text: Person.filter().values(
        x=sum(Person.age).over(order=Person.id, frame=text)
    ),
    "isolation": lambda db, text: in_transaction(db, text),
    "value of a Struct": lambda db, text: (
        Person.filter().values(**{text: Person.id}).into(msgspec.defstruct("Lite", [(text, int)]))
    ),
    "name of a table expression": lambda db, text: joined_to(text, Person.values("id")),
    "column of a table expression": lambda db, text: joined_to(
        "people_again", Person.values(**{text: Person.id})
    ),
    "field of a Struct": lambda db, text: Person.filter().into(
        msgspec.defstruct("Lite", [("id", int)], rename={"id": text})
    ),
}


def joined_to(name: str, query: Any) -> Any:
    """A query that is joined to a common table expression, by its only column."""
    table = cte(name, query)
    [column] = query.shape.names
    return Person.join(table, on=Person.id == getattr(table, column)).values(
        x=getattr(table, column)
    )


async def in_transaction(db: Database, isolation: Any) -> None:
    async with db.transaction(isolation=isolation):
        await Person.filter().count()


async def attacked(db: Database, place: Place, text: str) -> Any:
    """What comes of it; errors must be those of the ORM, or of a call with a wrong keyword."""
    try:
        made = place(db, text)
        return await made
    except (OrmError, TypeError, ValueError) as exc:
        return exc


@pytest.fixture
async def people(db: Database, url: str) -> AsyncIterator[Database]:
    """A database with Ada and a canary, which another connection must see afterwards as well."""
    db.bind(Person, Pet, Canary)
    await db.create_all(Person, Pet, Canary)
    await Canary.create(id=1)
    await Person.create(name="Ada")
    yield db
    async with Database(url, pool_size=2) as other:
        found = await Canary.filter().using(other).values_list("id", "name")
        assert [tuple(row) for row in found] == [(1, "tweet")]
        assert await Person.filter().using(other).values_list("name", flat=True) == ["Ada"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_is_no_sql(
    name: str, people: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever stands for a name, it is refused, or quoted and finds nothing that it should not."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "canary").touch()
    for text in TEXTS:
        answer = await attacked(people, NAMES[name], text)
        assert isinstance(answer, OrmError | TypeError | ValueError | list | dict | type(None))
        if isinstance(answer, list):
            assert "tweet" not in repr(answer)
        assert not people.in_transaction
        assert people.in_use == 0
    assert (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    "name",
    ["keyword of filter", "order", "values", "only", "group", "column of an update", "lock"],
)
async def test_an_unknown_name_is_an_error(name: str, people: Database) -> None:
    """It tells the model and the name."""

    answer = await attacked(people, NAMES[name], "nothing")
    assert isinstance(answer, QueryError)
    assert "nothing" in str(answer)


WITHOUT_NUL = [text for text in TEXTS if "\x00" not in text]


async def test_a_value_is_a_value(people: Database) -> None:
    """Every text comes back as it went, and is found by what it is and by nothing else."""

    texts = WITHOUT_NUL
    made = [await Person.create(name=text, data={text: text, "a": [text]}) for text in texts]
    found = dict(await Person.filter(Person.id > 1).values_list(Person.id, Person.name))
    assert found == {person.id: person.name for person in made}
    for person, text in zip(made, texts, strict=True):
        for query in (
            Person.filter(Person.name == text),
            Person.filter(name=text),
            Person.filter(Person.name.in_([text, "nobody"])),
            Person.filter(coalesce(Person.name, text) == text),
            Person.filter(Person.name.between(text, text)),
            Person.filter(Person.data[text] == text),
            Person.filter(Person.data[text].as_type(str) == text),
            Person.filter(data__a__0=text),
        ):
            ids = await query.values_list("id", flat=True)
            assert ids == [person.id], (text, query)
        containing = [each.id for each in made if text in each.name]
        if text != "":
            query = Person.filter(Person.name.contains(text)).order("id")
            assert await query.values_list("id", flat=True) == containing, text
        assert await people.sql("SELECT name AS n FROM people WHERE name = $1", text) == [
            {"n": text}
        ]
        other = f"{text} changed"
        changed = await Person.filter(Person.name == text).update(name=other)
        assert changed == 1
        await person.refresh()
        assert person.name == other
        person.name = text
        await person.save()
    await Person.filter(Person.id > 1).delete()


async def test_a_nul_is_kept_or_refused(people: Database, kind: str) -> None:
    """PostgreSQL has no text with it, and says so before a transaction suffers; SQLite keeps it."""

    if kind == "postgresql":
        with pytest.raises(WrongValue):
            await Person.create(name="a\x00b")
        return
    made = await Person.create(name="a\x00b")
    assert (await Person.get(Person.name == "a\x00b")).id == made.id
    await made.delete()


async def test_patterns_are_patterns_only_in_like(people: Database) -> None:
    """``%`` and ``_`` mean themselves in contains, startswith and endswith."""

    names = ["100%", "100x", "a_b", "axb", "a\\b", "%", "\\%", "_"]
    await Person.insert_many([{"name": name} for name in names])
    query = Person.filter(Person.id > 1).order("id")

    async def found(condition: Any) -> list[str]:
        return list(await query.filter(condition).values_list("name", flat=True))

    for part in names:
        assert await found(Person.name.contains(part)) == [n for n in names if part in n]
        assert await found(Person.name.startswith(part)) == [n for n in names if n.startswith(part)]
        assert await found(Person.name.endswith(part)) == [n for n in names if n.endswith(part)]
        assert await found(Person.name.iexact(part.upper())) == [part]
    assert await found(Person.name.like("100_")) == ["100%", "100x"]
    assert await found(Person.name.like("a\\_b")) == ["a_b"]
    await Person.filter(Person.id > 1).delete()


async def test_tables_and_columns_may_have_any_name(people: Database) -> None:
    """Names of the database are quoted, and what they hold is what was put there."""

    class Odd(Model, table='odd"; DROP TABLE canary; --'):
        id: Col[int] = pk(name='ke"y')
        text: Col[str] = col(name="'; DELETE FROM canary; --", unique=True)
        select: Col[int] = col(name='a.b" $1 ?', index=True, default=0)

    people.bind(Odd)
    await people.create_all(Odd)
    try:
        odd = await Odd.create(text="x", select=3)
        odd.select = 4
        await odd.save()
        assert await Odd.filter(Odd.select == 4).values_list("text", flat=True) == ["x"]
        assert await Odd.insert_many([{"text": "x", "select": 5}], on_conflict=Odd.text) == [odd.id]
        assert (await Odd.get(odd.id)).select == 5
        assert await Odd.filter().update(select=Odd.select + 1) == 1
        assert await Odd.filter().order(-Odd.select).delete() == 1
    finally:
        await people.drop_all(Odd)


@pytest.mark.parametrize("text", TEXTS)
def test_fields_are_named_by_identifiers(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no identifier is refused when the model is made, before any code is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "canary").touch()
    namespace = {"__module__": __name__, "__qualname__": "Made"}
    annotations = {"id": Col[int], text: Col[int]}
    with pytest.raises((ModelError, TypeError, ValueError)):
        type(Model)("Made", (Model,), {**namespace, "__annotations__": annotations}, table="made")
    assert (tmp_path / "canary").exists()
