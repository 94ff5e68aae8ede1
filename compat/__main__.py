"""The command line: ``python -m compat`` from the repository root."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from compat.benchmarks import measure, ratios_as_json, show_ratios
from compat.environments import find_interpreter
from compat.errors import CompatError
from compat.expected import parse_expected
from compat.parity import Setting, check_suites, modes_of
from compat.report import show_verdicts, verdicts_as_json, write_json
from compat.sources import newest_version
from compat.suites import MODES, Suite, load_suites, select_suites
from compat.terminal import Terminal, make_terminal

__all__ = ["main"]

FOLDER = Path(__file__).resolve().parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 parity, 1 differences, 2 an error."""
    options = _parser().parse_args(arguments)
    terminal = make_terminal(not options.no_color)
    try:
        return _run(options, terminal)
    except CompatError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted; nothing is left running\n")
        return 130


def _terminate(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m compat",
        description="Run other projects' tests on stock Starlette and on turbostar, and compare.",
        epilog="Exit status: 0 parity, 1 differences, 2 an error.",
    )
    add = parser.add_argument
    add("--suite", action="append", default=[], metavar="NAME", help="only this one; repeatable")
    add(
        "--mode",
        action="append",
        default=[],
        choices=[*MODES, "all"],
        help="how turbostar comes in; repeatable (default: all that a suite supports; "
        "with --benchmarks: swap)",
    )
    add("--starlette", metavar="VERSION", help='run against this Starlette; "newest" works')
    add("--python", metavar="PATH_OR_VERSION", help="the Python of the tests (default: this one)")
    add(
        "--turbostar",
        type=Path,
        default=FOLDER.parent,
        metavar="PATH",
        help="the folder that holds the turbostar package (default: this repository)",
    )
    add("--jobs", type=_positive, help="runs at a time (default: 2, or 1 on one CPU)")
    add("--keyword", metavar="EXPR", help="only tests matching this, as pytest -k")
    add("--json", type=Path, metavar="FILE", help="default: compat/report.json")
    add("--benchmarks", action="store_true", help="measure the suite's own benchmarks instead")
    add("--passes", type=_positive, default=3, help="with --benchmarks: default 3")
    add(
        "--max-time",
        type=_seconds,
        default=0.6,
        metavar="SECONDS",
        help="with --benchmarks: CPU time of one case on one side over all passes (default 0.6)",
    )
    add("--list", action="store_true", help="list the suites")
    add("--no-color", action="store_true", help="plain text, also on a terminal")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 < number < 3600:
        raise argparse.ArgumentTypeError("must be above 0 and below 3600 seconds")
    return number


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    known = load_suites(FOLDER / "suites")
    if options.list:
        columns = ("suite", "version", "starlette", "modes", "benchmarks")
        terminal.table(columns, [_describe(suite) for suite in known.values()], left=5)
        return 0
    expected = parse_expected((FOLDER / "expected.toml").read_text("utf-8"), known)
    chosen = options.suite or (["starlette"] if options.benchmarks else [])
    suites = select_suites(known, chosen)
    if options.starlette:
        suites = [_at(suite, options.starlette, terminal) for suite in suites]
    setting = Setting(
        interpreter=find_interpreter(options.python),
        turbostar=_turbostar(options.turbostar),
        cache=FOLDER / ".cache",
        jobs=options.jobs or min(2, os.cpu_count() or 1),
        keyword=options.keyword,
    )
    if options.benchmarks:
        return _benchmarks(suites, options, setting, terminal)
    suites = [suite for suite in suites if modes_of(suite, options.mode)]
    if not suites:
        raise CompatError(f"--mode {options.mode[0]}: no chosen suite supports it; see --list")
    verdicts, errors = check_suites(suites, options.mode, expected, setting, terminal)
    data = verdicts_as_json(verdicts, errors, setting)
    show_verdicts(verdicts, setting, terminal)
    for error in errors:
        sys.stderr.write(f"error: {error}\n")
    _write(data, options.json or FOLDER / "report.json", terminal)
    return 2 if errors else 0 if data["parity"] else 1


def _benchmarks(
    suites: list[Suite], options: argparse.Namespace, setting: Setting, terminal: Terminal
) -> int:
    if len(suites) != 1:
        raise CompatError("--benchmarks: measures one suite at a time; give one --suite")
    modes = options.mode or ["swap"]
    ratios, failures = measure(
        suites[0], modes, options.passes, options.max_time, setting, terminal
    )
    show_ratios(ratios, failures, terminal)
    data = ratios_as_json(ratios, failures, suites[0], setting)
    _write(data, options.json or FOLDER / "report-benchmarks.json", terminal)
    return 1 if failures else 0


def _at(suite: Suite, version: str, terminal: Terminal) -> Suite:
    chosen = suite.at_starlette(newest_version("starlette") if version == "newest" else version)
    if chosen.sha256 is None:
        terminal.say(
            f"{suite.name}: taking the tests of {chosen.version}, whose checksum no suite pins"
        )
    return chosen


def _turbostar(path: Path) -> Path:
    if not (path / "turbostar" / "__init__.py").is_file():
        raise CompatError(f"--turbostar {path}: holds no turbostar package; give the folder above")
    return path.resolve()


def _describe(suite: Suite) -> list[str]:
    modes = ", ".join(suite.modes)
    return [suite.name, suite.version, suite.starlette, modes, "yes" if suite.benchmarks else ""]


def _write(data: dict[str, object], path: Path, terminal: Terminal) -> None:
    try:
        write_json(data, path)
    except OSError as error:
        raise CompatError(
            f"--json {path}: cannot be written ({error.strerror}); give another file"
        ) from None
    terminal.say(f"details: {path}")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(main())
