"""What the container reports of itself, in a table and as a graph."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from turbostar.di import Container, Inject


class Settings: ...


class Engine:
    def __init__(self, settings: Settings) -> None: ...


class Repo:
    def __init__(self, engine: Engine) -> None: ...


class Mailer:
    def __init__(self, settings: Settings) -> None: ...


class Newsletter:
    def __init__(self, mailer: Mailer) -> None: ...


class FakeEngine(Engine): ...


@pytest.fixture
def di() -> Container:
    container = Container()
    container.value(Settings())
    container.add(FakeEngine, scope="app", provides=Engine)
    container.add(Engine, scope="app", replace=True)
    for each in (Repo, Mailer, Newsletter):
        container.add(each)

    async def show(repo: Inject[Repo]) -> None: ...

    container.inject(show)
    return container


def test_the_state_of_each_provider(di: Container) -> None:
    """Used, reached by no handler, needed by nobody, or shadowed."""
    audit = di.audit()
    found = {(row.by, row.state, row.users) for row in audit.rows}
    assert found == {
        ("Settings", "used", 2),
        ("Engine", "used", 1),
        ("Repo", "used", 1),
        ("Mailer", "unreached", 1),
        ("Newsletter", "unused", 0),
        ("FakeEngine", "shadowed", 0),
    }
    assert [row.provides for row in audit.unused] == ["Mailer", "Newsletter"]
    assert [row.by for row in audit.shadowed] == ["FakeEngine"]


def test_how_wide_each_could_be(di: Container) -> None:
    """Nothing that the Repo needs keeps it from being a singleton."""
    (repo,) = (row for row in di.audit().rows if row.provides == "Repo")
    assert (repo.scope, repo.width) == ("request", "app")
    assert repo.needs == ("Engine",)
    assert repo.where.startswith("test_audit.py:")


def test_mermaid(di: Container) -> None:
    """Handlers are round, everything else has corners."""
    drawn = di.graph("mermaid")
    assert drawn.startswith("graph LR\n")
    assert 'n0(["show"])' in drawn
    assert "n0 --> n1" in drawn
    assert 'n1["Repo"]' in drawn


def test_dot(di: Container) -> None:
    """For Graphviz."""
    drawn = di.graph("dot")
    assert '    "show" [shape=oval];' in drawn
    assert '    "Repo" -> "Engine";' in drawn


def test_svg(di: Container) -> None:
    """Well-formed, with a box for each."""
    di_with_name = Container()
    di_with_name.value("x", name='<"&>')
    for each in (di, di_with_name):
        root = ElementTree.fromstring(each.graph("svg"))
        texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
        assert len(texts) == len({row.provides for row in each.audit().rows}) + len(each.handlers)
    assert texts == ["str named '<\"&>'"]


def test_another_form_is_refused(di: Container) -> None:
    """With those there are."""
    with pytest.raises(ValueError, match="mermaid, dot, svg"):
        di.graph("png")
