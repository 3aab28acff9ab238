"""Projects to test with: the reference project, and small ones made of a few lines of text."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from hypothesis import settings

import zhiji_etl as zj
from zhiji_etl import cli
from zhiji_etl.pipeline import RunResult
from zhiji_etl.project import init

# A busy machine is slow, which is no fault of what is tested.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

HEADER = "entity,metric,period,printed\n"
SCHEMA = '''
"""What a company sells."""

import zhiji_etl as zj


class CompanyYear(zj.Table):
    """One company, one year."""

    stock_code: str = zj.Identifier()
    vehicle_sales: float = zj.Quantity("vehicle", ge=0)
    overseas_sales: float = zj.Quantity("vehicle", ge=0)
    market_share: float = zj.Quantity("percent", ge=0, le=100)
    growth: float = zj.Quantity("percent")
    revenue: float = zj.Quantity("CNY", ge=0, fx="average")
'''


@dataclass(frozen=True)
class Told:
    """What a command gave: its exit code and both streams."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The folder that holds the package, which a subprocess needs on its path."""
    return Path(zj.__file__).parents[1]


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """A copy of the reference project."""
    init(tmp_path / "reference")
    return tmp_path / "reference"


@pytest.fixture(scope="session")
def reference_result(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """One run of the reference project, for all tests that only look at it."""
    folder = tmp_path_factory.mktemp("reference") / "project"
    init(folder)
    return zj.Project(folder).run()


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """A project of one raw file: its rows (with a header, or the plain one is put before them), sidecar and schema."""

    def made(rows: str, sidecar: str = "", schema: str = SCHEMA, name: str = "alpha") -> Path:
        folder = tmp_path / "project"
        for part in ("raw", "schemas"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        text = rows if rows.startswith("entity,") else HEADER + rows
        (folder / "raw" / f"{name}.csv").write_text(text, encoding="utf-8")
        (folder / "raw" / f"{name}.toml").write_text(sidecar, encoding="utf-8")
        (folder / "schemas" / "company_year.py").write_text(schema, encoding="utf-8")
        return folder

    return made


@pytest.fixture
def run(project: Callable[..., Path]) -> Callable[..., RunResult]:
    """The same project, run."""

    def ran(rows: str, sidecar: str = "", schema: str = SCHEMA) -> RunResult:
        return zj.Project(project(rows, sidecar, schema)).run()

    return ran


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Told]:
    """The command line in this process: its arguments in, exit code and text out."""
    # A terminal as narrow as 80 columns would break sentences that tests look for.
    monkeypatch.setenv("COLUMNS", "500")

    def called(*arguments: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["zhiji-etl", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        streams = capsys.readouterr()
        return Told(int(left.value.code or 0), streams.out, streams.err)

    return called


@pytest.fixture
def python(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """A new Python process that runs some code and gives what it printed."""
    monkeypatch.setenv("PYTHONPATH", str(checkout))

    def called(code: str, *arguments: object) -> str:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout

    return called


@pytest.fixture
def found() -> Callable[..., list[dict]]:
    """The findings of one rule, as dictionaries."""

    def rows(result: RunResult, rule: str, kind: str | None = None) -> list[dict]:
        chosen = result.findings.filter(pl.col("rule") == rule).to_dicts()
        return [row for row in chosen if kind in (None, row["kind"])]

    return rows


@pytest.fixture(autouse=True)
def _no_schema_modules_left() -> Iterator[None]:
    """Schema files of other tests are modules under private names: forget them."""
    yield
    for name in [name for name in sys.modules if name.startswith("zhiji_schema:")]:
        del sys.modules[name]
