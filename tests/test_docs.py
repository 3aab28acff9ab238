"""Every page of docs/ is run as it stands, from a copy of the reference project.

- A ```python block runs in the one namespace of its page, in order. A ```text block right after it is what it prints.
- In a ```console block each line `$ zhiji-etl ...` runs (with `> FILE` where it has one), and the lines below it are
  what it prints, stdout and stderr; without such lines only its exit code is held. An exit code that is not 0 is shown
  by a following `$ echo $?`. Other commands (`make`, `pip`) are not run.
- What differs from run to run is masked on both sides: see `MASKS`. A line `...` stands for any number of lines.
"""

import contextlib
import io
import re
import shlex
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```[ ]*$", re.MULTILINE | re.DOTALL)
MASKS = (
    (re.compile(r"\d{8}T\d{6,12}Z?-[0-9a-f]{6}"), "RUN"),
    (re.compile(r"(?:/[\w.-]+)+/(?=build/|raw/|demo)"), ""),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:\+\d\d:\d\d|Z)?"), "MOMENT"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:s|ms|seconds)\b"), "TIME"),
    (re.compile(r"(?<=\S)  +"), "  "),
)
"""Ids of runs, what stands before the project in a path, moments, durations, and the widths of columns these have."""


@dataclass(frozen=True)
class Block:
    """One fenced block of a page, and whether nothing but blank lines stands between it and the block before."""

    language: str
    text: str
    line: int
    follows: bool


def blocks(page: str) -> Iterator[Block]:
    end = None
    for match in FENCE.finditer(page):
        follows = end is not None and not page[end : match.start()].strip()
        yield Block(match[1], match[2], page.count("\n", 0, match.start()) + 2, follows)
        end = match.end()


def masked(text: str) -> list[str]:
    """The lines of a text without what differs from run to run."""
    for pattern, name in MASKS:
        text = pattern.sub(name, text)
    return [line.rstrip() for line in text.strip("\n").splitlines()]


def agrees(printed: list[str], shown: list[str]) -> bool:
    """Whether printed lines are those shown, where `...` is any number of lines."""
    pattern = "".join("(?:.*\n)*?" if line == "..." else re.escape(line) + "\n" for line in shown)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None


def expect(printed: str, shown: str, place: str) -> None:
    left, right = masked(printed), masked(shown)
    if not agrees(left, right):
        assert left == right, f"{place}: what is printed is not what the page shows"


class Page:
    """A page on its way: its namespace, and the exit code of the last command."""

    def __init__(self, path: Path, command: Callable) -> None:
        self.name = path.name
        self.command = command
        self.module = types.ModuleType(f"docs_{path.stem}")
        self.executed = 0
        self.code = 0

    def run(self, text: str) -> None:
        found = list(blocks(text))
        for block, after in zip_longest(found, found[1:]):
            place = f"{self.name}:{block.line}"
            if block.language == "python":
                shown = after.text if after and after.follows and after.language == "text" else None
                self.python(block.text, shown, place)
            elif block.language == "console":
                self.console(block.text, place)

    def python(self, text: str, shown: str | None, place: str) -> None:
        first = int(place.rpartition(":")[2])
        code = compile("\n" * (first - 1) + text, self.name, "exec")
        with contextlib.redirect_stdout(io.StringIO()) as stream:
            exec(code, self.module.__dict__)
        self.executed += 1
        if shown is not None:
            expect(stream.getvalue(), shown, place)

    def console(self, text: str, place: str) -> None:
        waiting = False
        for line, shown in commands(text):
            if line == "echo $?":
                assert shown == [str(self.code)], f"{place}: the exit code is {self.code}"
                waiting = False
                continue
            assert not waiting, f"{place}: a command fails with {self.code}, and the page does not show it"
            if line.startswith("zhiji-etl "):
                self.called(line, shown, place)
                waiting = self.code != 0
        assert not waiting, f"{place}: a command fails with {self.code}, and the page does not show it"

    def called(self, line: str, shown: list[str], place: str) -> None:
        words = shlex.split(line, comments=True)[1:]
        words, target = (words[:-2], words[-1]) if ">" in words[-2:-1] else (words, None)
        told = self.command(*words)
        self.code = told.code
        self.executed += 1
        if target is not None:
            Path(target).write_text(told.out, encoding="utf-8")
        printed = told.err if target is not None else told.out + told.err
        if shown:
            expect(printed, "\n".join(shown), f"{place}: {line}")


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """The commands of a console block, each with the lines shown below it."""
    current: tuple[str, list[str]] | None = None
    for line in text.splitlines():
        if line.startswith("$ "):
            if current:
                yield current
            current = (line[2:].strip(), [])
        elif current:
            current[1].append(line)
    if current:
        command, shown = current
        yield command, shown


@pytest.mark.skipif(not PAGES, reason="docs/ stands in a checkout only")
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page(path: Path, command: Callable, reference: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(reference)
    page = Page(path, command)
    monkeypatch.setitem(sys.modules, page.module.__name__, page.module)
    text = path.read_text(encoding="utf-8")
    page.run(text)
    assert page.executed or not list(blocks(text)), "nothing on this page is executed"


PROBE = "```python\nprint(1 + 1)\n```\n\n```text\n{}\n```\n"


@pytest.mark.parametrize(
    "text",
    [
        PROBE.format(3),
        "```python\nassert 1 == 2\n```\n",
        "```console\n$ zhiji-etl parse many\n```\n",
        "```console\n$ zhiji-etl parse 5 --json\nsix\n```\n",
    ],
)
def test_a_wrong_page_fails(text: str, command: Callable):
    with pytest.raises(AssertionError):
        Page(Path("probe.md"), command).run(text)


@pytest.mark.parametrize(
    "text",
    [
        PROBE.format(2),
        PROBE.format("..."),
        "```console\n$ zhiji-etl parse many\n...\n$ echo $?\n2\n```\n",
        '```console\n$ zhiji-etl parse 5 --json\n{\n  "text": "5",\n...\n}\n```\n',
    ],
)
def test_a_right_page_passes(text: str, command: Callable):
    page = Page(Path("probe.md"), command)
    page.run(text)
    assert page.executed == 1
