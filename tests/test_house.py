"""The rules of the house, held by the tests: layers, lengths, docstrings, public names, documented codes."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import zhiji_etl as zj

PACKAGE = Path(zj.__file__).parent
ROOT = PACKAGE.parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
MEDIAN_FUNCTION = 7
CODES = [*ROOT.glob("docs/**/codes.md"), *PACKAGE.glob("codes.toml"), *PACKAGE.glob("codes.py")]

is_checkout = pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="holds for a checkout only")


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function's body, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


@is_checkout
def test_imports_go_one_way():
    pytest.importorskip("importlinter")
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module(path: Path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= LONGEST_MODULE
    assert ast.get_docstring(tree) or path.name == "__main__.py"
    undocumented = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        and not any("overload" in ast.dump(mark) for mark in node.decorator_list)
    ]
    assert undocumented == []
    assert [function.name for function in functions(path) if lines(function) > LONGEST_FUNCTION] == []


def test_functions_are_short():
    lengths = sorted(lines(function) for path in MODULES for function in functions(path))
    assert lengths[len(lengths) // 2] <= MEDIAN_FUNCTION


def test_few_public_names():
    assert len(zj.__all__) <= 20
    assert sorted(zj.__all__) == list(zj.__all__)
    for name in zj.__all__:
        assert getattr(zj, name).__doc__


@is_checkout
def test_the_map_names_every_room():
    named = set(re.findall(r"`(\w+)(?:/|\.py)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert {room for room in rooms if not room.startswith("_")} - named == set()


@is_checkout
def test_no_place_of_one_machine_in_the_files():
    places = re.compile(r"/(?:home|Users|root|work)/\w")
    texts = [*MODULES, *ROOT.glob("*.md"), *ROOT.glob("schemas/*.py"), *ROOT.glob("raw/*"), ROOT / "constraints.txt"]
    assert [str(path) for path in texts if path.is_file() and places.search(path.read_text(encoding="utf-8"))] == []
    assert "index-url" not in (ROOT / "constraints.txt").read_text(encoding="utf-8")


@pytest.mark.skipif(not CODES, reason="the codes of rejects and errors have no table yet")
def test_every_code_is_documented():
    """Whatever stands in the place of a parameter or field `code`, so also codes that pass through a helper."""
    table = "\n".join(path.read_text(encoding="utf-8") for path in CODES)
    documented = set(re.findall(r'id="([a-z_]+)"', table)) | {"unfinished"}  # a state of JUnit, no code
    nodes = [node for path in MODULES for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    place = {"_defect": 0}
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            names = [one.arg for one in node.args.args if one.arg not in ("self", "cls")]
        elif isinstance(node, ast.ClassDef):
            fields = [one.target.id for one in node.body if isinstance(one, ast.AnnAssign)]
            names = ["code"] if node.name.endswith("Error") else fields
        else:
            continue
        if "code" in names:
            place[node.name] = names.index("code")
    used = set()
    for call in (node for node in nodes if isinstance(node, ast.Call)):
        at = place.get(getattr(call.func, "id", getattr(call.func, "attr", None)))
        given = [] if at is None else [*call.args[at : at + 1], *(k.value for k in call.keywords if k.arg == "code")]
        texts = (part.value for one in given for part in ast.walk(one) if isinstance(part, ast.Constant))
        used |= {text for text in texts if isinstance(text, str) and re.fullmatch(r"[a-z]+(?:_[a-z]+)*", text)}
    assert len(used) > 100
    assert sorted(used - documented) == []


def test_every_verdict_and_reason_has_its_words():
    from zhiji_etl.figures import Reason, Verdict
    from zhiji_etl.findings import LOUDNESS, REASONS
    from zhiji_etl.terminal.findings import COLOURS

    assert set(REASONS) == {reason.value for reason in Reason}
    assert set(LOUDNESS) == set(COLOURS) == {verdict.value for verdict in Verdict}
