"""A foreign key and the object that it refers to: given as either, they always agree."""

from __future__ import annotations

import msgspec
import pytest

from turbostar.orm import (
    Col,
    Database,
    Many,
    Model,
    NotLoaded,
    One,
    OptionalRef,
    OrmError,
    QueryError,
    Ref,
    fk,
    one,
    pk,
    reverse,
)

pytestmark = pytest.mark.anyio


class Team(Model, table="ref_teams"):
    id: Col[int] = pk()
    name: Col[str] = ""
    players: Many[Player] = reverse("team")


class Player(Model, table="ref_players"):
    id: Col[int] = pk()
    name: Col[str]
    team_id: Col[int]
    team: Ref[Team] = fk()
    mentor_id: Col[int | None] = None
    mentor: OptionalRef[Player] = fk()
    rival: OptionalRef[Player] = fk()
    card: One[Card] = reverse("player")


class Card(Model, table="ref_cards"):
    player_id: Col[int]
    player: Ref[Player] = one(primary_key=True)
    text: Col[str] = ""


@pytest.fixture
async def team(db: Database) -> Team:
    db.bind(Team, Player, Card)
    await db.create_all(Team, Player, Card)
    return await Team.create(name="a")


async def test_an_object_gives_its_key(team: Team) -> None:
    """Whether the key is declared or not, needed or not, it is written and set."""
    ada = await Player.create(name="Ada", team=team)
    bob = await Player.create(name="Bob", team=team, mentor=ada, rival=ada)
    card = await Card.create(player=bob)
    assert (ada.team_id, ada.mentor_id, ada.rival_id) == (team.id, None, None)
    found = await Player.get(bob.id)
    assert (found.team_id, found.mentor_id, found.rival_id) == (team.id, ada.id, ada.id)
    assert bob == found
    assert card.player_id == bob.id
    assert await Card.get(bob.id) == card


async def test_many_objects_give_their_keys(team: Team) -> None:
    """`insert_many` takes the object as well, in dicts and in objects."""
    ada = await Player.create(name="Ada", team=team)
    await Player.insert_many([{"name": "Bob", "team": team, "mentor": ada}])
    await Player.insert_many([Player(name="Eve", team=team, rival=ada)])
    found = await Player.order("id").values_list("team_id", "mentor_id", "rival_id")
    assert [tuple(row) for row in found] == [
        (team.id, None, None),
        (team.id, ada.id, None),
        (team.id, None, ada.id),
    ]


async def test_a_key_that_is_needed_must_come_from_somewhere(team: Team) -> None:
    """The error names the model, the field, and both ways to give it; nothing is sent."""
    with pytest.raises(msgspec.ValidationError, match=r"Player\.team_id .* team_id or team"):
        await Player.create(name="Ada")
    with pytest.raises(OrmError, match=r"Player\.team has not been saved"):
        await Player.create(name="Ada", team=Team(name="new"))
    assert await Player.count() == 0


async def test_the_object_follows_the_key(team: Team) -> None:
    """Another key is another object, which was not loaded; the same key changes nothing."""
    other = await Team.create(name="b")
    ada = await Player.create(name="Ada", team=team)
    assert ada.team is team
    ada.team_id = team.id
    assert ada.team is team
    ada.team_id = other.id
    with pytest.raises(NotLoaded):
        ada.team  # noqa: B018
    await ada.save()
    assert (await Player.filter(Player.team == other).one()).name == "Ada"


async def test_the_key_follows_the_object(team: Team) -> None:
    """Setting the object changes the key, which `save` writes."""
    other = await Team.create(name="b")
    ada = await Player.create(name="Ada", team=team)
    ada.team = other
    assert ada.team_id == other.id
    assert ada.changed == {"team_id"}
    await ada.save()
    assert await Player.filter(team__name="b").count() == 1
    with pytest.raises(TypeError, match="takes a Team"):
        ada.team = ada  # type: ignore[assignment]


async def test_unknown_names_are_told_with_a_likely_one(team: Team) -> None:
    """By `create` and `insert_many` as by queries."""
    with pytest.raises(QueryError, match="Player has no field 'nme'; did you mean 'name'"):
        await Player.create(nme="Ada", team=team)
    with pytest.raises(QueryError, match="Player has no field 'nme'; did you mean 'name'"):
        await Player.insert_many([{"nme": "Ada", "team": team}])
    with pytest.raises(msgspec.ValidationError, match=r"Player\.name has no default"):
        await Player.create(team=team)
