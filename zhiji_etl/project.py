"""A project folder: where its raw files and schemas lie, loading it, and making a new one.

    zhiji.toml   what belongs to the project as a whole (every key optional)
    raw/         figures as printed, with a sidecar for each source
    schemas/     tables and rules, in Python: loading a project runs this code, so load only projects that you trust

In: a path. Out: `Project`, with its sources found and its schemas compiled.
"""

from __future__ import annotations

import ast
import importlib.util
import shutil
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

from zhiji_etl.arguments import Least, guarded
from zhiji_etl.choices import EngineName, Language
from zhiji_etl.errors import OutputError, ProjectError
from zhiji_etl.sources.hashes import file_sha256

if TYPE_CHECKING:
    from zhiji_etl.catalogue import Catalogue
    from zhiji_etl.corrections import Correction
    from zhiji_etl.figures import Severity
    from zhiji_etl.pipeline import RunResult
    from zhiji_etl.rates import Rates
    from zhiji_etl.sources import Source
    from zhiji_etl.sources.files import Recall
    from zhiji_etl.stages import Stages
    from zhiji_etl.tables import Table

PARTS = ("raw", "schemas", "zhiji.toml")


@dataclass(frozen=True)
class Project:
    """A project folder; nothing is read before it is asked for."""

    path: Path

    @guarded()
    def __init__(self, path: str | Path = ".") -> None:
        object.__setattr__(self, "path", Path(path))

    def __reduce__(self) -> tuple[type[Project], tuple[Path]]:
        """A project goes to other processes as its path, absolute, and is loaded there anew."""
        return Project, (self.path.resolve(),)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The project file; `ProjectError` (`project_invalid`) names a wrong key or line."""
        from zhiji_etl.settings import read_settings

        return read_settings(self.path / "zhiji.toml")

    @cached_property
    def sources(self) -> list[Source]:
        """The raw files, checked and hashed; `SourceError` where one cannot be read."""
        return self._found()

    def find_sources(self, recall: Recall) -> list[Source]:
        """`sources`, where `recall` may know what earlier runs have found."""
        if "sources" not in self.__dict__:
            self.__dict__["sources"] = self._found(recall)
        return self.sources

    def _found(self, recall: Recall | None = None) -> list[Source]:
        from zhiji_etl.sources import find_sources

        self._require()
        found = find_sources(self.path / "raw", recall)
        for source in found:
            if source.sidecar.fx is not None and source.sidecar.fx.method is not None:
                _check_method(source.sidecar.fx.method, f"The sidecar of {source.name}", "sidecar_invalid")
        return found

    @cached_property
    def catalogue(self) -> Catalogue:
        """The tables and rules of `schemas/`; `ProjectError` with all problems of the schema files."""
        from zhiji_etl.catalogue import catalogue
        from zhiji_etl.rates import USUAL

        self._require()
        _ = self.hashes
        made = catalogue(tables_of(self.path / "schemas"))
        for metric in made.metrics.values():
            if metric.fx not in (None, USUAL):
                _check_method(metric.fx, f"The metric {metric.name}", "schema_invalid")
        return made

    @cached_property
    def corrections(self) -> tuple[Correction, ...]:
        """The slips that `schemas/corrections.toml` declares; `ProjectError` (`corrections_invalid`)."""
        from zhiji_etl.corrections import FILE, read_corrections

        _ = self.hashes
        return read_corrections(self.path / "schemas" / FILE)

    @cached_property
    def rate_files(self) -> dict[str, Rates]:
        """The project's own files of exchange rates by name, in order; `RateError` where one is broken."""
        from zhiji_etl.rates import Rates

        _ = self.hashes
        return {name: Rates.read(self.path / name) for name in self._rate_names()}

    @cached_property
    def hashes(self) -> dict[str, str]:
        """The sha256 of each file beside `raw/` that decides a run, by its path, as it was before it was first used."""
        return self._hashed()

    def schema_hashes(self, *, corrections: bool = True) -> dict[str, str]:
        """The sha256 of each schema file, and of the corrections, for the manifest."""
        from zhiji_etl.corrections import FILE

        folder = "schemas/"
        known = {path.removeprefix(folder): value for path, value in self.hashes.items() if path.startswith(folder)}
        return {name: value for name, value in known.items() if corrections or name != FILE}

    def check_unchanged(self) -> None:
        """Hash every file that decided a run again; `SourceError` (`source_changed`) names those that differ."""
        from zhiji_etl.errors import SourceError
        from zhiji_etl.sources import check_unchanged

        check_unchanged(self.sources)
        now = self._hashed()
        changed = sorted(name for name in {*now, *self.hashes} if now.get(name) != self.hashes.get(name))
        if changed:
            what = f"Changed while the run read it: {', '.join(changed)}."
            raise SourceError("source_changed", what, hint="Run again.")

    @guarded(stages=None)
    def run(
        self,
        out: str | Path | None = None,
        *,
        keep: Annotated[int, Least(1)] = 3,
        stages: Stages | None = None,
        force: bool = False,
        language: Language | str = "en",
        fail_on: Severity | str | None = "error",
        engine: EngineName | str = "local",
        address: str | None = None,
        partitions: Annotated[int, Least(1)] | None = None,
        workers: Annotated[int, Least(1)] = 1,
    ) -> RunResult:
        """Carry the figures the whole way and publish them below `out` (by default the project's `build`).

        The newest `keep` runs stay there, and any that was replaced only minutes ago. A source that has not changed
        since one of them is not read again, but with `force`. `stages` is told how it goes. `language` is that of the
        report: `en` or `zh`. `fail_on` says from which severity findings make the `exit_status` of the manifest 1.

        A large project is run in `partitions` of its entities, by default one for each 8 MB of raw text above 50 MB:
        outputs are then folders of parts, and every source is read. `engine` is `local`, `dask` or `spark`, and
        `address` where it runs; all workers must see the project and the build folder under the same paths. `workers`
        are the processes of the engine `local`: with more than one every project of more than 8 MB is dealt out.
        """
        from zhiji_etl.figures import Severity
        from zhiji_etl.pipeline import run

        failing = None if fail_on is None else Severity(fail_on)
        language = Language(language).value
        number = self._partitions(workers) if partitions is None else partitions
        if engine != "local" or number > 1 or address is not None:
            from zhiji_etl.engines import engine as engine_of
            from zhiji_etl.sharding import SCRATCH, run_in_shards

            build = self.build(out).resolve()
            worker = engine_of(engine, address, build / SCRATCH, workers)
            return run_in_shards(
                self, build, worker, number, keep=keep, stages=stages, language=language, fail_on=failing
            )
        return run(self, self.build(out), keep=keep, stages=stages, force=force, language=language, fail_on=failing)

    @guarded()
    def build(self, out: str | Path | None = None) -> Path:
        """Where runs are published: `out`, or the project's own folder."""
        return self.path / "build" if out is None else Path(out)

    def _partitions(self, workers: int) -> int:
        from zhiji_etl.sharding import partitions_of

        self._require()
        return partitions_of(self.path / "raw", workers)

    def _rate_names(self) -> list[str]:
        names: list[str] = self.settings.get("rates", [])
        return names

    def _hashed(self) -> dict[str, str]:
        from zhiji_etl.corrections import FILE

        schemas = [f"schemas/{path.name}" for path in _schema_files(self.path / "schemas")]
        names = ["zhiji.toml", *schemas, f"schemas/{FILE}", *self._rate_names()]
        found = {name: _sha256(self.path / name) for name in names}
        return {name: value for name, value in found.items() if value is not None}

    def _require(self) -> None:
        if not (self.path / "schemas").is_dir() or not (self.path / "raw").is_dir():
            raise ProjectError(
                "project_missing",
                f"{self.path} is no project: it has no folder raw/ or no folder schemas/.",
                hint="make one: zhiji-etl init DIR",
            )


def tables_of(folder: Path) -> list[type[Table]]:
    """The tables that the files of a schemas folder define, in order of file and definition.

    Each file is loaded under a private name. Raises `ProjectError`: `schema_invalid` (a file that does not load, with
    file and line; a rule that would never be asked), `schema_empty` (no table at all).
    """
    tables: list[type[Table]] = []
    unasked: list[str] = []
    for path in _schema_files(folder):
        found = _tables(_module(path))
        tables += found
        unasked += _unasked(path, found)
    if unasked:
        raise ProjectError("schema_invalid", "\n".join(unasked))
    if not tables:
        raise ProjectError("schema_empty", f"{folder} declares no table.", hint="subclass zj.Table in schemas/NAME.py")
    return tables


def init(folder: Path) -> list[Path]:
    """Copy the reference project into a folder that is new or empty; gives the files made.

    Raises `OutputError` (`output_exists`) where the folder holds anything.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError("output_exists", f"{folder} is not empty.", hint="name a folder that does not exist yet")
    origin = reference()
    try:
        for part in PARTS:
            _copy(origin / part, folder / part)
    except OSError as error:
        raise OutputError("output_unwritable", f"{folder} cannot be written: {error.strerror}.") from error
    return sorted(path for path in folder.rglob("*") if path.is_file())


def reference() -> Path:
    """The reference project: inside the installed package, or the root of the checkout of an editable install."""
    package = Path(__file__).parent
    shipped = package / "_project"
    return shipped if shipped.is_dir() else package.parent


def _sha256(path: Path) -> str | None:
    """The hash of a file, null where it cannot be read: whoever needs it says so in its own words."""
    try:
        return file_sha256(path)
    except OSError:
        return None


def _copy(origin: Path, target: Path) -> None:
    if origin.is_dir():
        shutil.copytree(origin, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(origin, target)


def _check_method(method: str, where: str, code: str) -> None:
    """Refuse a method of conversion that does not exist: it would leave figures without a value."""
    from zhiji_etl.rates import USUAL, RateMethod
    from zhiji_etl.sources.names import nearest

    if method not in list(RateMethod):
        known = [*RateMethod, USUAL] if code == "schema_invalid" else list(RateMethod)
        near = nearest(method, known)
        ending = f", did you mean '{near}'?" if near else "."
        hint = f"known are {', '.join(known)}"
        raise ProjectError(code, f"{where} converts by {method!r}, which is no method{ending}", hint=hint)


def _schema_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))


def _module(path: Path) -> ModuleType:
    """A schema file as a module, under a name that no import statement can reach."""
    name = f"zhiji_schema:{sha256(str(path.resolve()).encode()).hexdigest()[:12]}:{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ProjectError("schema_invalid", _broken(path, error)) from error
    finally:
        sys.dont_write_bytecode = writes
    return module


def _unasked(path: Path, tables: list[type[Table]]) -> Iterator[str]:
    """A sentence for each function that is written as a rule and is none of a table: nothing else would tell of it."""
    bases = {base for table in tables for base in table.__mro__}
    codes = [value.__code__ for base in bases for value in vars(base).values() if hasattr(value, "__zhiji_rule__")]
    asked = {code.co_firstlineno for code in codes if Path(code.co_filename) == path.absolute()}
    tree = ast.parse(path.read_bytes())
    bodies: list[ast.Module | ast.ClassDef] = [
        tree,
        *(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)),
    ]
    for body in bodies:
        functions = [node for node in body.body if isinstance(node, ast.FunctionDef)]
        for at, node in enumerate(functions):
            where = f"schemas/{path.name} line {node.lineno}:"
            if _is_marked(node) and min(one.lineno for one in node.decorator_list) not in asked:
                later = any(other.name == node.name for other in functions[at + 1 :])
                cure = "another one below has its name: rename one" if later else "write it into a class of zj.Table"
                yield f"{where} the rule {node.name} is of no table; {cure}."
            elif _is_of(body, bases) and not node.decorator_list and [one.arg for one in node.args.args] == ["m"]:
                yield f"{where} {node.name} takes m as rules do, and is none; write @zj.rule above it."


def _is_of(body: ast.Module | ast.ClassDef, classes: Collection[type]) -> bool:
    return isinstance(body, ast.ClassDef) and body.name in {one.__name__ for one in classes}


def _is_marked(node: ast.FunctionDef) -> bool:
    """Whether a decorator is `rule`, `zj.rule` or a call of these."""
    called = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
    return any(getattr(one, "attr", getattr(one, "id", None)) == "rule" for one in called)


def _broken(path: Path, error: Exception) -> str:
    lines = [frame.lineno for frame in _frames(error) if Path(frame.filename) == path.absolute()]
    line = getattr(error, "lineno", None) or (lines[-1] if lines else None)
    where = f"schemas/{path.name}" + (f" line {line}" if line else "")
    return f"{where}: {type(error).__name__}: {error}"


def _frames(error: Exception) -> Iterator[Any]:
    import traceback

    yield from traceback.extract_tb(error.__traceback__)


def _tables(module: ModuleType) -> list[type[Table]]:
    from zhiji_etl.tables import Table

    values = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Table)]
    return [table for table in values if table.__module__ == module.__name__]
