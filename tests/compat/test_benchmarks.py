"""Benchmarks: the fixture repeats what it is given, and the ratio comes from the passes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import compat
from compat.benchmarks import ratio_of, ratios_as_json, show_ratios
from compat.environments import Interpreter
from compat.parity import Setting
from compat.suites import Suite
from compat.terminal import PlainTerminal


@pytest.fixture
def plugin() -> ModuleType:
    """Return the plugin that is put into the measured processes."""
    path = Path(compat.__file__).parent / "inject" / "benchmark" / "compat_benchmark.py"
    spec = importlib.util.spec_from_file_location("compat_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_function_is_repeated_and_its_result_returned(plugin: ModuleType) -> None:
    """Batches are measured until the time is used up; the last result comes back."""
    calls: list[int] = []

    def add(a: int, b: int) -> int:
        calls.append(a)
        return a + b

    measured = plugin.Benchmark(max_ns=20_000_000)
    assert measured(add, 1, b=2) == 3
    assert len(calls) > measured.batch * len(measured.samples)
    assert all(sample > 0 for sample in measured.samples)


def test_one_slow_call_is_enough(plugin: ModuleType) -> None:
    """A call that takes longer than there is time for is measured once."""
    calls = []
    measured = plugin.Benchmark(max_ns=1)
    measured.pedantic(lambda: calls.append(sum(range(1_000_000))), rounds=50)
    assert len(measured.samples) == 1
    assert len(calls) == measured.batch


def test_setup_and_teardown_surround_every_call(plugin: ModuleType) -> None:
    """Each measured call has a setup before and a teardown after it; setup may give arguments."""
    log: list[str] = []

    def setup() -> tuple[tuple[int], dict[str, int]]:
        log.append("setup")
        return (1,), {"b": 2}

    def call(a: int, b: int) -> int:
        log.append("call")
        return a + b

    def teardown(a: int, b: int) -> None:
        log.append("teardown")

    measured = plugin.Benchmark(max_ns=200_000)
    assert measured.pedantic(call, setup=setup, teardown=teardown) == 3
    assert len(measured.samples) >= plugin.MIN_SINGLE_CALLS
    assert log == ["setup", "call", "teardown"] * len(measured.samples)


def test_an_exception_of_the_function_comes_through(plugin: ModuleType) -> None:
    """A benchmark that fails fails as a test."""
    with pytest.raises(ZeroDivisionError):
        plugin.Benchmark(max_ns=1)(lambda: 1 / 0)


def test_the_ratio_is_the_median_over_the_passes() -> None:
    """Each pass gives a ratio of medians; the reported one is their median, with the extremes."""
    found = ratio_of("t", [[4000, 9000, 3000], [6000], [8000]], [[2000], [2000], [2000]])
    assert (found.ratio, found.low, found.high) == (3.0, 2.0, 4.0)
    assert (found.stock_us, found.turbostar_us, found.rounds) == (6.0, 2.0, 8)


def test_the_geometric_mean_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """Table and JSON carry the mean of the ratios, and what failed is named."""
    ratios = {"swap": [ratio_of("a", [[1000]], [[500]]), ratio_of("b", [[8000]], [[1000]])]}
    show_ratios(ratios, ["swap: c: failed: why"], PlainTerminal())
    written = capsys.readouterr().out
    assert "over 2 benchmarks: 4.00" in written
    assert "failed on swap: c: failed: why" in written
    suite = Suite("s", "1", "0", "1", (), (), (), ("swap",))
    setting = Setting(Interpreter(Path("python"), "3.13.0"), Path(), Path(), 1)
    data = ratios_as_json(ratios, [], suite, setting)
    assert data["modes"]["swap"]["geometric_mean"] == pytest.approx(4.0)
    assert data["modes"]["swap"]["benchmarks"][0]["ratio"] == 2.0
