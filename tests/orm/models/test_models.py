"""Models: columns of all types, defaults, keys, instances, and what a wrong declaration says."""

from __future__ import annotations

import copy
import datetime as dt
import enum
import pickle
import uuid
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, NewType

import msgspec
import pytest
from msgspec import UNSET

from turbostar.orm import (
    Check,
    CheckViolation,
    Col,
    Database,
    Index,
    Model,
    ModelError,
    NotFound,
    NotNullViolation,
    OrmError,
    QueryError,
    Ref,
    Unique,
    UniqueViolation,
    WrongValue,
    col,
    date_of,
    date_part,
    fk,
    now,
    pk,
    raw,
    scope,
    scope_with,
    sum as sum_of,
    today,
    trunc,
)
from turbostar.orm.expressions.functions import PARTS

pytestmark = pytest.mark.anyio


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Point(msgspec.Struct):
    x: int
    y: int = 0


UserId = NewType("UserId", int)


class Spelled(Model, table="spelled"):
    id: Col[int] = pk()
    word: Col[Literal["a", "b"]]
    small: Col[Annotated[int, msgspec.Meta(gt=0)]]
    named: Col[UserId]
    either: Col[list[int | str]]


class Everything(Model, table="everything"):
    id: Col[int] = pk()
    number: Col[int]
    real: Col[float]
    text: Col[str]
    raw: Col[bytes]
    flag: Col[bool]
    money: Col[Decimal]
    exact: Col[Decimal] = col(precision=8, scale=2)
    moment: Col[dt.datetime]
    day: Col[dt.date]
    clock: Col[dt.time]
    span: Col[dt.timedelta]
    key: Col[uuid.UUID] = col(default_factory=uuid.uuid4)
    colour: Col[Colour] = Colour.RED
    level: Col[Level] = Level.HIGH
    point: Col[Point]
    tags: Col[list[str]] = []
    data: Col[dict[str, Any]] = col(default_factory=dict)
    maybe: Col[Point | None] = None


def whole(**changes: Any) -> dict[str, Any]:
    values = {
        "number": -(2**63),
        "real": 1.5,
        "text": "é'\"%\\ü\n",
        "raw": b"\x00\xff",
        "flag": False,
        "money": Decimal("12.34"),
        "exact": Decimal("5.50"),
        "moment": dt.datetime(2026, 1, 2, 3, 4, 5, 6, dt.timezone(dt.timedelta(hours=2))),
        "day": dt.date(2026, 1, 2),
        "clock": dt.time(3, 4, 5, 6),
        "span": dt.timedelta(days=-3, microseconds=7),
        "key": uuid.UUID(int=7),
        "colour": Colour.BLUE,
        "level": Level.LOW,
        "point": Point(1, 2),
        "tags": ["a", "b'"],
        "data": {"a": [1, {"b": None}]},
        "maybe": Point(3),
    }
    return {**values, **changes}


async def test_values_of_all_types_come_back(db: Database) -> None:
    """What is written is read: same value, same type."""
    await db.create_all(Everything)
    values = whole()
    made = await Everything.create(**values)
    found = await Everything.get(made.id)
    for name, value in values.items():
        assert getattr(found, name) == value, name
        assert type(getattr(found, name)) is type(value) or name == "key", name
    assert found == made
    assert str(found.exact) == "5.50"


@pytest.mark.parametrize("name", [n for n in whole() if n not in ("tags", "data", "maybe")])
async def test_every_type_can_be_looked_for(db: Database, name: str) -> None:
    """Each value finds its row, alone and in a list."""
    await db.create_all(Everything)
    made = await Everything.create(**whole())
    value = whole()[name]
    column = getattr(Everything, name)
    assert [e.id for e in await Everything.filter(column == value)] == [made.id]
    if name != "point":
        assert [e.id for e in await Everything.filter(column.in_([value]))] == [made.id]
    assert await Everything.filter(column != value).count() == 0


async def test_json_paths_and_arrays(db: Database) -> None:
    """Into JSON and arrays."""
    await db.create_all(Everything)
    await Everything.create(**whole(data={"a": {"b": 5, "c": "x"}, "l": [1, 2]}))
    await Everything.create(**whole(data={"a": {"b": 10}}, tags=["z"]))
    assert await Everything.filter(Everything.data["a"]["b"] == 5).count() == 1
    assert await Everything.filter(data__a__c="x").count() == 1
    assert await Everything.filter(data__a__b__gt=6).count() == 1
    assert await Everything.filter(Everything.data["a"]["c"] == None).count() == 1  # noqa: E711
    assert await Everything.filter(Everything.data["l"][1].as_type(int) == 2).count() == 1
    assert await Everything.filter(Everything.tags.contains("z")).count() == 1
    parts = Everything.order("id").values_list(Everything.data["a"], Everything.tags[0])
    assert await parts == [({"b": 5, "c": "x"}, "a"), ({"b": 10}, "z")]


async def test_other_spellings_of_types(db: Database) -> None:
    """Literals, constrained and named types are kept as what they are made of."""
    await db.create_all(Spelled)
    made = await Spelled.create(word="a", small=3, named=UserId(7), either=[1, "x"])
    found = await Spelled.get(made.id)
    assert (found.word, found.small, found.named, found.either) == ("a", 3, 7, [1, "x"])
    assert await Spelled.filter(Spelled.word.in_(["a"]), Spelled.named == UserId(7)).count() == 1
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"word":"c","small":3,"named":1,"either":[]}', type=Spelled)
    types = {name: field.type.kind for name, field in Spelled.__turbostar_table__.fields.items()}
    assert types == {"id": "int", "word": "str", "small": "int", "named": "int", "either": "json"}


async def test_sums_of_decimals_are_exact(db: Database) -> None:
    """0.1 + 0.2 is 0.3 in both databases."""
    await db.create_all(Everything)
    await Everything.create(**whole(money=Decimal("0.1")))
    await Everything.create(**whole(money=Decimal("0.2")))
    assert await Everything.aggregate(s=sum_of(Everything.money)) == {"s": Decimal("0.3")}
    if db.kind == "sqlite":
        with pytest.raises(WrongValue, match="SQLite keeps 15 digits"):
            await Everything.create(**whole(money=Decimal("1.234567890123456789")))


@pytest.mark.parametrize("key", ["it's", 'a"b', "a.b", "$", "[0]", "\\", "é", ""])
async def test_any_name_in_json_is_found(db: Database, key: str) -> None:
    """Names in JSON are names, whatever is in them."""
    await db.create_all(Everything)
    await Everything.create(**whole(data={key: 1, "other": {key: "x"}}))
    assert await Everything.filter(Everything.data[key] == 1).count() == 1
    assert await Everything.filter(Everything.data["other"][key].as_type(str) == "x").count() == 1
    assert await Everything.filter(Everything.data[key + "-"] == 1).count() == 0
    with pytest.raises(QueryError, match="text without NUL"):
        _ = Everything.data["a\0" + "0\0"]


async def test_parts_of_dates(db: Database) -> None:
    """Parts, days and beginnings of moments are those of UTC, whatever zone they came in."""
    await db.create_all(Everything)
    zone = dt.timezone(dt.timedelta(hours=2))
    moment = dt.datetime(2027, 1, 1, 1, 30, 5, tzinfo=zone)  # in UTC it is the year before
    await Everything.create(**whole(moment=moment, day=dt.date(2027, 1, 3)))
    (row,) = await Everything.values(
        **{part: date_part(part, Everything.moment) for part in PARTS},
        day_of=date_of(Everything.moment),
        month_start=trunc("month", Everything.moment),
        of_day=trunc("month", Everything.day),
        sunday=date_part("weekday", Everything.day),
        today=today(),
    )
    utc = moment.astimezone(dt.UTC)
    assert [row[part] for part in PARTS] == [2026, 12, 31, 23, 30, 5, 53, 3, 4]
    assert row["day_of"] == utc.date()
    assert row["month_start"] == dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
    assert row["of_day"] == dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    assert row["sunday"] == 6
    assert abs(row["today"] - dt.datetime.now(dt.UTC).date()) <= dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", "1"), ("number", 1.5), ("real", "1"), ("text", 1), ("raw", "x"), ("flag", 1),
        ("money", 1.5), ("moment", dt.datetime(2026, 1, 1)), ("moment", "2026-01-01"),
        ("day", dt.datetime(2026, 1, 1, tzinfo=dt.UTC)), ("clock", "x"), ("span", 5),
        ("key", "x"), ("colour", "green"), ("tags", "abc"), ("tags", [1]), ("data", {"a": {1j}}),
    ],
)  # fmt: skip
async def test_wrong_values_are_refused_alike(db: Database, name: str, value: Any) -> None:
    """A value of the wrong type is named, before anything is sent."""
    await db.create_all(Everything)
    with pytest.raises(WrongValue, match=f"Everything.{name} takes"):
        await Everything.create(**whole(**{name: value}))
    assert await Everything.count() == 0


class Timestamps(Model, abstract=True, indexes=(Index("created"),)):
    created: Col[dt.datetime] = col(default=now())
    updated: Col[dt.datetime] = col(
        default_factory=lambda: dt.datetime.now(dt.UTC), on_update=lambda: dt.datetime.now(dt.UTC)
    )


class Named(Model, abstract=True):
    name: Col[str]

    def shout(self) -> str:
        return self.name.upper()


class Thing(
    Timestamps,
    Named,
    table="things",
    indexes=(Index("name", "-size"), Index("size", where="size > 3", unique=True)),
    constraints=(Unique("name", "size"), Check(lambda m: m.size >= 0, name="positive")),
):
    id: Col[int] = pk()
    size: Col[int] = col(default=1, check="size < 1000")
    double: Col[int] = col(generated="size * 2")
    origin: Col[str] = col(default=raw("'here'"))
    kind: ClassVar[str] = "thing"

    big = scope(lambda query: query.filter(Thing.size > 5))
    larger = scope_with(lambda query, size: query.filter(Thing.size > size))


async def test_the_database_fills_in(db: Database) -> None:
    """Ids, server defaults and generated columns come back from insert and update."""
    await db.create_all(Thing)
    thing = Thing(name="a")
    assert thing.is_new
    assert thing.id is UNSET
    assert thing.created is UNSET
    await thing.save()
    assert (thing.id, thing.double, thing.origin, thing.size) == (1, 2, "here", 1)
    assert not thing.is_new
    before = thing.updated
    await thing.update(size=4)
    assert thing.double == 8
    assert thing.updated > before
    assert await Thing.get(1) == thing
    assert thing.shout() == "A"


async def test_constraints_hold(db: Database) -> None:
    """Checks, unique keys and partial indexes of a model are in its table, and named."""
    await db.create_all(Thing)
    await Thing.create(name="a", size=4)
    with pytest.raises(UniqueViolation) as duplicate:
        await Thing.create(name="a", size=4)
    assert duplicate.value.table == "things"
    with pytest.raises(CheckViolation) as check:
        await Thing.create(name="a", size=-1)
    assert check.value.constraint == "positive"
    with pytest.raises(CheckViolation):
        await Thing.create(name="a", size=1000)
    await Thing.create(name="b", size=2)
    await Thing.create(name="c", size=2)
    with pytest.raises(UniqueViolation):
        await Thing.create(name="c", size=4)
    with pytest.raises(NotNullViolation):
        await Thing.filter(Thing.size == 2).update(name=None)


async def test_scopes(db: Database) -> None:
    """Named queries, with arguments and without, compose."""
    await db.create_all(Thing)
    await Thing.insert_many([{"name": str(n), "size": n * 4} for n in range(4)])
    assert [thing.size for thing in await Thing.big.order("size")] == [8, 12]
    assert [t.size for t in await Thing.filter(Thing.size < 12).big] == [8]
    assert [t.size for t in await Thing.larger(8)] == [12]
    assert [t.size for t in await Thing.order("size").larger(3).big.limit(1)] == [8]


class Draft(Model, table="drafts"):
    id: Col[int] = pk()
    gone: Col[bool] = False
    there = scope(lambda query: query.filter(Draft.gone == False), default=True)  # noqa: E712


async def test_a_default_scope_holds_everywhere(db: Database) -> None:
    """Soft delete: what is gone is not found, counted, changed or got, unless asked for."""
    await db.create_all(Draft)
    kept, gone = await Draft.create(), await Draft.create(gone=True)
    assert await Draft.all() == [kept]
    assert await Draft.filter(Draft.id > 0) == [kept]
    assert await Draft.count() == 1
    assert await Draft.get_or_none(gone.id) is None
    assert await Draft.filter().update(gone=True) == 1
    assert await Draft.unscoped().count() == 2


class Pair(Model, table="pairs"):
    left: Col[int] = col(primary_key=True)
    right: Col[str] = col(primary_key=True)
    value: Col[int] = 0


class Child(Model, table="children"):
    id: Col[int] = pk()
    left: Col[int]
    right: Col[str]
    pair: Ref[Pair] = fk(column=("left", "right"), on_delete="cascade")


async def test_composite_keys(db: Database) -> None:
    """Keys of two columns: get, save, change of the key, delete, foreign keys to them."""
    await db.create_all(Pair, Child)
    pair = await Pair.create(left=1, right="a")
    await Pair.create(left=1, right="b", value=5)
    assert await Pair.get(1, "a") == pair
    assert (await Pair.get((1, "b"))).value == 5
    pair.value = 3
    await pair.save()
    assert (await Pair.get(1, "a")).value == 3
    child = await Child.create(pair=pair)
    assert (child.left, child.right) == (1, "a")
    (loaded,) = await Child.load(Child.pair)
    assert loaded.pair == pair
    assert await Child.filter(Child.pair == pair).count() == 1
    assert await Child.filter(Child.pair.value == 3).count() == 1
    assert await Pair.order("right").limit(1).delete() == 1
    assert await Child.count() == 0
    assert [each.right for each in await Pair.all()] == ["b"]


async def test_only_what_was_changed_is_written(db: Database) -> None:
    """Dirty fields: a column changed by another meanwhile stays as it is."""
    await db.create_all(Thing)
    await Thing.create(name="a", size=1)
    first, second = await Thing.get(1), await Thing.get(1)
    assert first.changed == frozenset()
    first.size = 7
    second.name = "b"
    assert first.changed == {"size"}
    await first.save()
    await second.save()
    assert first.changed == frozenset()
    found = await Thing.get(1)
    assert (found.name, found.size) == ("b", 7)
    with db.expect(max_queries=0):
        await found.save()


async def test_copies_are_saved_as_the_object_would_be(db: Database) -> None:
    """Copied or pickled, an object keeps what was changed, and that it has a row."""
    await db.create_all(Thing)
    thing = await Thing.create(name="a", size=1)
    assert not copy.copy(thing).is_new
    thing.size = 5
    for each in (copy.copy(thing), copy.deepcopy(thing), pickle.loads(pickle.dumps(thing))):
        assert each.changed == {"size"}
        each.name = "n"
        assert thing.changed == {"size"}
        await each.save()
        assert (await Thing.get(1)).size == 5
        await Thing.all().update(size=1)


async def test_explicit_keys_are_new_until_saved(db: Database) -> None:
    """An object with a key of its own is inserted; one from the database is updated."""
    await db.create_all(Thing)
    thing = Thing(id=77, name="a")
    await thing.save()
    with pytest.raises(UniqueViolation):
        await Thing(id=77, name="b").save()
    decoded = msgspec.json.decode(b'{"id":78,"name":"c"}', type=Thing)
    assert decoded.is_new
    await decoded.save()
    assert await Thing.count() == 2


async def test_the_key_can_change(db: Database) -> None:
    """A changed key is written where the old one was."""
    await db.create_all(Thing)
    thing = await Thing.create(name="a")
    thing.id = 50
    await thing.save()
    assert [each.id for each in await Thing.all()] == [50]
    assert (await thing.refresh()).id == 50


async def test_refresh_and_delete(db: Database) -> None:
    """refresh forgets what was not saved; rows that are gone say so."""
    await db.create_all(Thing)
    thing = await Thing.create(name="a")
    other = await Thing.get(1)
    await other.update(name="b")
    thing.size = 9
    await thing.refresh()
    assert (thing.name, thing.size, thing.changed) == ("b", 1, frozenset())
    await other.delete()
    assert other.is_new
    thing.name = "x"
    for work in (thing.save, thing.refresh, thing.delete):
        with pytest.raises(NotFound, match=r"the row of this Thing \(id=1\) is no longer there"):
            await work()
    with pytest.raises(OrmError, match="no row to delete"):
        await Thing(name="q").delete()
    await other.save()
    assert await Thing.count() == 1


async def test_update_with_expressions_reads_back(db: Database) -> None:
    """obj.update(size=Thing.size + 1) counts in the database."""
    await db.create_all(Thing)
    thing = await Thing.create(name="a", size=1)
    await Thing.filter(Thing.id == 1).update(size=10)
    await thing.update(size=Thing.size + 1, name="n")
    assert (thing.size, thing.name, thing.changed) == (11, "n", frozenset())


calls: list[str] = []


class Hooked(Model, table="hooked"):
    id: Col[int] = pk()
    name: Col[str]

    async def before_save(self) -> None:
        calls.append(f"before_save {self.is_new}")
        self.name = self.name.strip()

    async def after_save(self) -> None:
        calls.append("after_save")

    async def before_delete(self) -> None:
        calls.append("before_delete")

    async def after_delete(self) -> None:
        calls.append("after_delete")

    async def after_commit(self) -> None:
        calls.append("after_commit")


async def test_hooks(db: Database) -> None:
    """Before and after save and delete, and once the transaction is committed."""
    await db.create_all(Hooked)
    calls.clear()
    made = await Hooked.create(name=" a ")
    assert made.name == "a"
    assert calls == ["before_save True", "after_save", "after_commit"]
    calls.clear()
    async with db.transaction():
        made.name = "b"
        await made.save()
        await made.delete()
        assert "after_commit" not in calls
    assert calls == ["before_save False", "after_save", "before_delete", "after_delete",
                     "after_commit", "after_commit"]  # fmt: skip


def test_instances_are_slotted_structs() -> None:
    """Unknown attributes are refused, required columns asked for, and copies are what they copy."""
    thing = Thing(name="a")
    with pytest.raises(AttributeError, match="Thing has no field 'nmae'; did you mean 'name'"):
        thing.nmae = 1  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="missing required field `name`"):
        Thing()  # type: ignore[call-arg]
    assert copy.copy(thing) == thing == pickle.loads(pickle.dumps(thing))
    assert thing != Thing(name="b")
    assert Pair(left=1, right="a") in {Pair(left=1, right="a")}
    with pytest.raises(TypeError, match="without a key cannot be hashed"):
        hash(thing)
    assert repr(Pair(left=1, right="x")) == "Pair(left=1, right='x', value=0)"
    assert Thing.kind == "thing"
    left, other = Everything(**whole(tags=[])), Everything(**whole())
    assert left.tags is not other.tags


def test_input_from_outside_is_validated() -> None:
    """msgspec checks types and required columns; what rows hold inside cannot be sent."""
    made = msgspec.json.decode(b'{"name":"a","size":3}', type=Thing)
    assert (made.name, made.size) == ("a", 3)
    for wrong in (b'{"size":3}', b'{"name":5}', b'{"name":"a","_new":5}'):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(wrong, type=Thing)
    schema = msgspec.json.schema(Thing)["$defs"]["Thing"]
    assert schema["required"] == ["name"]
    assert "_new" not in schema["properties"]
    assert list(schema["properties"])[:3] == ["name", "created", "updated"]
    assert msgspec.json.decode(msgspec.json.encode(made), type=Thing) == made
    assert b"_new" not in msgspec.json.encode(made)


Stamps = NewType("Stamps", list[dt.datetime])


class Moments(Model, table="moments"):
    id: Col[int] = pk()
    at: Col[dt.datetime]
    until: Col[Annotated[dt.datetime, msgspec.Meta(description="x")] | None] = col(default=None)
    seen: Col[list[dt.datetime]] = col(default_factory=list)
    clock: Col[dt.time | None] = col(default=None)
    stamps: Col[Stamps | None] = col(default=None)


@pytest.mark.parametrize(
    ("name", "given", "fault"),
    [
        ("at", "2026-05-06T12:00:00", "with a timezone component - at `$.at`"),
        ("until", "2026-05-06T12:00:00", "with a timezone component - at `$.until`"),
        ("seen", ["2026-05-06T12:00:00"], "with a timezone component - at `$.seen[0]`"),
        ("clock", "12:00:00Z", "with no timezone component - at `$.clock`"),
    ],
)
async def test_a_moment_from_outside_needs_its_zone(
    db: Database, name: str, given: Any, fault: str
) -> None:
    """What no column takes is refused where it comes in, and not when it is saved."""
    await db.create_all(Moments)
    body: dict[str, Any] = {"at": "2026-05-06T12:00:00Z"}
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert({**body, name: given}, Moments)
    assert str(refused.value).endswith(fault)
    body |= {"until": "2026-05-06T14:00:00+02:00", "seen": [body["at"]], "clock": "12:00:00"}
    made = msgspec.convert(body, Moments)
    assert made.until == made.at == made.seen[0]
    await made.save()
    assert await Moments.get(made.id) == made


async def test_what_msgspec_makes_of_an_object_is_its_columns(db: Database) -> None:
    await db.create_all(Moments)
    made = Moments(at=dt.datetime(2026, 5, 6, tzinfo=dt.UTC))
    plain = {"at": "2026-05-06T00:00:00Z", "until": None, "seen": [], "clock": None, "stamps": None}
    for expected in (plain, {"id": 1, **plain}):
        assert msgspec.to_builtins(made) == expected
        assert msgspec.json.decode(msgspec.json.encode(made)) == expected
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(made)).keys() == expected.keys()
        await made.save()
    assert "_new" not in [field.name for field in msgspec.structs.fields(made)]


def wrong_models() -> list[tuple[Any, str]]:
    def no_key() -> None:
        class Bad(Model, table="bad"):
            name: Col[str]

    def plain() -> None:
        class Bad(Model, table="bad"):
            id: int

    def taken() -> None:
        class Bad(Model, table="bad"):
            id: Col[int] = pk()
            filter: Col[str]

    def no_table() -> None:
        class Bad(Model):
            id: Col[int] = pk()

    def heir() -> None:
        class Bad(Thing, table="bad"):
            more: Col[int]

    def mixed() -> None:
        class Mixed(enum.Enum):
            A = 1
            B = "b"

        class Bad(Model, table="bad"):
            id: Col[int] = pk()
            mixed: Col[Mixed]

    def unknown() -> None:
        class Bad(Model, table="bad"):
            id: Col[int] = pk()
            x: Col[Nothing]  # type: ignore[name-defined]  # noqa: F821

    def no_spec() -> None:
        class Bad(Model, table="bad"):
            id: Col[int] = pk()
            thing: Ref[Thing]

    return [
        (no_key, "Bad has no primary key: say id"),
        (plain, r"Bad.id: int is no column; write Col\[int\]"),
        (taken, "Bad.filter: the name is taken by Model.filter"),
        (no_table, r'say class Bad\(Model, table="..."\)'),
        (heir, "Thing has a table of its own"),
        (mixed, "must be all int or all str"),
        (unknown, "there is no name 'Nothing'"),
        (no_spec, r"say thing: .*Ref.* = fk\(\)"),
    ]


@pytest.mark.parametrize(("define", "message"), wrong_models())
def test_wrong_declarations_are_explained(define: Any, message: str) -> None:
    """Each names model, field and repair."""
    with pytest.raises(ModelError, match=message):
        define()


def test_abstract_models_have_no_columns_of_their_own() -> None:
    """Their columns are those of their subclasses."""
    with pytest.raises(AttributeError, match="Timestamps is abstract"):
        _ = Timestamps.created


def test_models_without_future_annotations() -> None:
    """Annotations that are no text are read as well."""
    namespace: dict[str, Any] = {"Col": Col, "Model": Model, "pk": pk, "Ref": Ref, "fk": fk}
    source = (
        'class Node(Model, table="nodes"):\n'
        "    id: Col[int] = pk()\n"
        "    name: Col[str | None] = None\n"
        '    parent: Ref["Node | None"] = fk()\n'
    )
    exec(compile(source, "nodes", "exec", dont_inherit=True), namespace)
    node = namespace["Node"]
    assert node.parent.parent.name.field is node.__turbostar_table__.fields["name"]
    assert node.__turbostar_table__.fields["parent_id"].nullable
