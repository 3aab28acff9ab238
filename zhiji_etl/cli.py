"""The command line: each command calls one function of the library and turns its outcome into text and an exit code.

Exit codes: 0 clean; 1 findings at or above --fail-on; 2 usage; 3 project or schema broken; 4 input unreadable;
5 output not writable or locked. What is asked for goes to stdout, everything else to stderr.
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zhiji_etl.choices import EngineName, FailOn, Form, Language, Published, Rounding, TableFormat
from zhiji_etl.errors import FigureError, PeriodError, ZhijiError
from zhiji_etl.starting import collect_seldom, keep_loaded, need_polars_alone

if TYPE_CHECKING:
    from rich.console import RenderableType

FINDINGS = 1
USAGE = 2
ASKED_WRONGLY = ("method_unknown", "rate_fixed", "run_unknown")
"""Codes of errors that are in what was asked, not in a project."""
NOT_THERE = ("missing_reference",)
"""Codes of errors where what was asked for does not exist: that is a finding."""
CURRENCY = "The currency of a bare $, ¥ or 元 (ISO 4217)."
HELP_ENDING = """Examples:

zhiji-etl init demo && zhiji-etl run demo

zhiji-etl parse "over 10 billion yuan (US$1.52 billion)"

zhiji-etl find article.html --csv > raw/article.csv
"""

app = typer.Typer(
    name="zhiji-etl",
    help="Printed figures in, typed and unit-checked Parquet out, and which of them cannot all be true.",
    epilog=HELP_ENDING,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line; errors of the library become one sentence on stderr and their exit code."""
    collect_seldom()
    try:
        app()
    except ZhijiError as error:
        _complain(error)
        sys.exit(_exit_code(error))
    finally:
        _forget_logs()


def _exit_code(error: ZhijiError) -> int:
    if error.code in NOT_THERE:
        return FINDINGS
    asked = isinstance(error, FigureError | PeriodError) or error.code in ASKED_WRONGLY
    return USAGE if asked else error.exit_code


def _forget_logs() -> None:
    """Take the handlers of this command away, where it set any."""
    if "zhiji_etl.terminal.logs" in sys.modules:
        sys.modules["zhiji_etl.terminal.logs"].reset()


def _version(asked: bool) -> None:
    if asked:
        from zhiji_etl import __version__

        typer.echo(f"zhiji-etl {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Printed figures in, typed and unit-checked Parquet out, and which of them cannot all be true."""


@app.command(epilog="Example: zhiji-etl run demo --fail-on warning --json")
def run(
    project: Annotated[Path, typer.Argument(help="The project folder, with raw/ and schemas/.")] = Path(),
    out: Annotated[Path | None, typer.Option(help="Where runs are published; by default PROJECT/build.")] = None,
    fail_on: Annotated[FailOn, typer.Option(help="From which severity findings make the exit code 1.")] = FailOn.ERROR,
    keep: Annotated[int, typer.Option(min=1, help="How many runs stay; one that was just replaced stays a while.")] = 3,
    force: Annotated[bool, typer.Option("--force", help="Read each source again, changed or not.")] = False,
    lang: Annotated[Language, typer.Option(help="The language of report.html.")] = Language.EN,
    engine: Annotated[
        EngineName, typer.Option(help="Who does the work of a large project: this process, or a cluster.")
    ] = EngineName.LOCAL,
    address: Annotated[
        str | None,
        typer.Option("--master", "--scheduler", help="Where Spark or Dask runs; by default here."),
    ] = None,
    partitions: Annotated[
        int | None, typer.Option(min=1, help="Shards of entities; by default as many as the raw files are large.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes of this machine for a large project.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
    junit: Annotated[Path | None, typer.Option(help="Write the findings as JUnit XML, for CI systems.")] = None,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log to stderr, one JSON object a line.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log to stderr, in plain lines.")] = False,
) -> None:
    """Carry the figures of a project the whole way, and say which cannot all be true."""
    need_polars_alone((project / "schemas").glob("*.py"))
    from zhiji_etl.figures import Severity
    from zhiji_etl.junit import unfinished, write_junit
    from zhiji_etl.outputs.history import expected
    from zhiji_etl.project import Project
    from zhiji_etl.stages import Stages
    from zhiji_etl.terminal import logs
    from zhiji_etl.terminal.summary import summary, summary_data

    keep_loaded()
    logs.configure(as_json=log_json, verbose=verbose)
    failing = None if fail_on is FailOn.NEVER else Severity(fail_on.value)
    shown = logs.progress(wanted=not (log_json or verbose), expected=expected(Project(project).build(out)))
    with unfinished(junit):
        with shown as bar:
            result = Project(project).run(
                out, keep=keep, stages=Stages(bar), force=force, language=lang.value, fail_on=failing,
                engine=engine.value, address=address, partitions=partitions, workers=workers,
            )  # fmt: skip
        if junit is not None:
            write_junit(junit, result.shown.findings, failing)
    _show(summary_data(result) if as_json else summary(result, _whereabouts(project, out)))
    raise typer.Exit(result.manifest["exit_status"])


@app.command(epilog="Example: zhiji-etl runs demo/build")
def runs(
    build: Annotated[Path, typer.Argument(help="Where runs are published, or the project.")] = Path("build"),
    as_json: Annotated[bool, typer.Option("--json", help="Print them as one JSON object.")] = False,
) -> None:
    """List the runs that are kept, oldest first."""
    from zhiji_etl.outputs.history import history, whereabouts
    from zhiji_etl.terminal.runs import history_table

    told = history(whereabouts(build)[0])
    _show({"runs": told} if as_json else history_table(told))


@app.command(epilog="Example: zhiji-etl verify demo/build")
def verify(
    build: Annotated[Path, typer.Argument(help="Where runs are published, or the project.")] = Path("build"),
    run_id: Annotated[str | None, typer.Option("--run", help="The run, or the beginning of its id; latest.")] = None,
) -> None:
    """Hash every file of a run again: exit code 5, and what differs, where one is not as it was written."""
    from zhiji_etl.outputs.history import verified, whereabouts

    published, named = whereabouts(build)
    typer.echo(verified(published, run_id or named))


@app.command(epilog="Example: zhiji-etl diff --build demo/build --json")
def diff(
    before: Annotated[str | None, typer.Argument(help="A run: its folder, or the beginning of its id.")] = None,
    after: Annotated[str | None, typer.Argument(help="A later run; the published one.")] = None,
    build: Annotated[Path, typer.Option(help="Where runs are published, or the project.")] = Path("build"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the changes as one JSON object.")] = False,
) -> None:
    """Tell what changed between two runs, by default the two newest: figures, and verdicts that flipped."""
    from zhiji_etl.comparison import compared, comparison_data, pair
    from zhiji_etl.outputs.history import whereabouts
    from zhiji_etl.terminal.changes import comparison_text

    comparison = compared(*pair(whereabouts(build)[0], before, after))
    _show(comparison_data(comparison) if as_json else comparison_text(comparison))


@app.command(epilog="Example: zhiji-etl init demo")
def init(folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet, or is empty.")]) -> None:
    """Make a new project: the reference project, to try and to change."""
    from zhiji_etl.project import init as make

    made = make(folder)
    typer.echo(f"{len(made)} files in {folder}. Next: zhiji-etl run {folder}")


# What begins with a minus is a figure, too: -3.2%.
@app.command(epilog='Example: zhiji-etl parse "623.8万辆"', context_settings={"ignore_unknown_options": True})
def parse(
    text: Annotated[str, typer.Argument(help="One printed figure.")],
    currency: Annotated[str | None, typer.Option(help=CURRENCY)] = None,
    scale: Annotated[str | None, typer.Option(help="The scale that the table gives, such as million.")] = None,
    unit: Annotated[str | None, typer.Option(help="The unit that the table gives, such as CNY.")] = None,
    decimals: Annotated[int | None, typer.Option(help="Declared precision: 1 to the tenth, -6 to the million.")] = None,
    rounding: Annotated[Rounding, typer.Option(help="How the source shortens numbers.")] = Rounding.NEAREST,
    decimal_comma: Annotated[bool, typer.Option("--decimal-comma", help="A comma stands before the decimals.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figure as one JSON object.")] = False,
) -> None:
    """Read one printed figure and show what it says, and what each word of it did."""
    from zhiji_etl.reading import parse as read
    from zhiji_etl.terminal.figures import Card, figure_data

    figure = read(
        text, currency=currency, scale=scale, unit=unit, decimals=decimals, rounding=rounding.value,
        decimal_comma=decimal_comma,
    )  # fmt: skip
    _show(figure_data(figure) if as_json else Card(figure, decimal_comma=decimal_comma))


@app.command(epilog="Example: zhiji-etl find article.html --csv > raw/article.csv")
def find(
    file: Annotated[Path, typer.Argument(help="A text, Markdown or HTML file in UTF-8.")],
    currency: Annotated[str | None, typer.Option(help=CURRENCY)] = None,
    decimal_comma: Annotated[bool, typer.Option("--decimal-comma", help="A comma stands before the decimals.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print raw rows to complete: one figure a row.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON list.")] = False,
) -> None:
    """Find the figures of a document and show them in their places."""
    from rich.console import Console

    from zhiji_etl.documents import figures_in, raw_rows, read_document
    from zhiji_etl.terminal.figures import found_data, in_place

    if as_csv and as_json:
        raise typer.BadParameter("Give --csv or --json, not both.")
    document = read_document(file)
    found = figures_in(document, currency=currency, decimal_comma=decimal_comma)
    if as_csv:
        typer.echo(raw_rows(found).write_csv(), nl=False)
    else:
        _show(found_data(found) if as_json else in_place(document, found, marks=not Console().color_system), hang=False)


@app.command(epilog="Example: zhiji-etl sidecar raw/annual_report.xlsx --write")
def sidecar(
    file: Annotated[Path, typer.Argument(help="A raw file: CSV, Excel, HTML, JSON lines or Parquet.")],
    project: Annotated[
        Path | None, typer.Option(help="The project whose metrics are looked for; by default that of the file.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write it beside the file, where there is none yet.")] = False,
) -> None:
    """Draft the sidecar of a raw file by looking at it: layout, units, metrics with near names."""
    from zhiji_etl.drafting import draft, write_draft
    from zhiji_etl.project import Project

    home = project or file.absolute().parent.parent
    known = project is not None or any((home / "schemas").glob("[!_]*.py"))
    text = draft(file, Project(home).catalogue if known else None)
    if not write:
        typer.echo(text, nl=False)
        return
    for path in write_draft(file, text):
        typer.echo(f"written {path}", err=True)


@app.command(epilog="Example: zhiji-etl schema sidecar > sidecar.schema.json")
def schema(
    file: Annotated[Published, typer.Argument(metavar="FILE", help="sidecar, project (zhiji.toml) or run (run.json).")],
) -> None:
    """Print the JSON Schema of a sidecar or the project file, for editors to complete from, or of a run's manifest."""
    from zhiji_etl.settings import schema_text

    typer.echo(schema_text(file), nl=False)


@app.command(epilog="Example: zhiji-etl export demo --to odcs > demo.odcs.yaml")
def export(
    project: Annotated[Path, typer.Argument(help="The project folder.")] = Path(),
    to: Annotated[Form | None, typer.Option(help="Print the schemas in this format.")] = None,
    tables: Annotated[
        TableFormat | None, typer.Option("--format", help="Write the tables of the latest run in this format.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The folder for tables.")] = None,
    build: Annotated[Path | None, typer.Option(help="Where runs are published; by default PROJECT/build.")] = None,
) -> None:
    """Print the schemas for other tools, or write the tables as Delta; stderr says what a format cannot hold."""
    from zhiji_etl.export import contract, not_held, write_delta
    from zhiji_etl.outputs import latest
    from zhiji_etl.project import Project

    if (to is None) == (tables is None) or (tables is None) != (out is None):
        raise typer.BadParameter("Give --to FORMAT, or --format delta --out DIR.")
    home = Project(project)
    if to is not None:
        _show(contract(home.catalogue, to, home.settings.get("name", project.resolve().name)))
        for sentence in not_held(home.catalogue, to):
            typer.echo(sentence, err=True)
    elif out is not None:
        names = write_delta(latest(build or project / "build"), out)
        typer.echo(f"{len(names)} Delta tables in {out}: {', '.join(names)}")


@app.command(epilog="Example: zhiji-etl explain share_vs_sales --project demo")
def explain(
    finding: Annotated[
        str, typer.Argument(help="The finding_id, or a part of it that only one finding has; or a code.")
    ],
    project: Annotated[Path, typer.Option(help="The project folder.")] = Path(),
    out: Annotated[Path | None, typer.Option(help="Where runs are published; by default PROJECT/build.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the finding as one JSON object.")] = False,
) -> None:
    """Tell one finding of the latest run in full, figures, bounds and what would resolve it; or what a code means."""
    from zhiji_etl.terminal.explanation import explained, explained_data

    if as_json:
        _show(explained_data(finding, project, out))
    else:
        _show(explained(finding, project, out, _columns()))


@app.command(epilog="Example: zhiji-etl rates USD CNY 2019 --method average")
def rates(
    base: Annotated[str, typer.Argument(help="The currency of which one unit is priced (ISO 4217).")],
    quote: Annotated[str, typer.Argument(help="The currency in which it is priced.")],
    when: Annotated[str, typer.Argument(help='A period or date: 2019, 2020Q1, "Nov 2020 to Dec 2020", 2020-03-31.')],
    method: Annotated[
        str | None,
        typer.Option(help="spot, average, average_quoted, period_end, sum_of_quarters, fixed; else the usual one."),
    ] = None,
    printed: Annotated[
        str | None, typer.Option("--rate", help="A rate that a source prints, one BASE in QUOTE: the method fixed.")
    ] = None,
    file: Annotated[list[Path] | None, typer.Option(help="A file of rates, which comes first; repeatable.")] = None,
    project: Annotated[Path | None, typer.Option(help="A project, whose own rate files come next.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rate as one JSON object.")] = False,
) -> None:
    """Show a reference rate: value, bounds, days used, last quote and origin; exit code 1 where there is none."""
    from zhiji_etl.terminal.rates import rate_card, rate_data, reference_rate

    rate = reference_rate(base, quote, when, method, files=file or (), project=project, fixed_rate=printed)
    _show(rate_data(rate) if as_json else rate_card(rate))


def _whereabouts(project: Path, out: Path | None) -> str:
    """The options by which another command finds the run of a project, as they are typed."""
    from shlex import quote

    told = {"project": None if project == Path() else project, "out": out}
    return "".join(f" --{name} {quote(str(path))}" for name, path in told.items() if path is not None)


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size((100, 24)).columns


def _show(what: dict[str, Any] | list[dict[str, Any]] | RenderableType, *, hang: bool = True) -> None:
    if isinstance(what, dict | list):
        typer.echo(json.dumps(_finite(what), ensure_ascii=False, allow_nan=False, indent=2, default=str))
        return
    from rich.console import Console

    from zhiji_etl.terminal.printing import print_to

    print_to(Console(), what, hang=hang)


def _finite(told: Any) -> Any:
    """JSON has no infinity: an end that is not bounded is a text, as `parse` writes it. Null stays what is unknown."""
    if isinstance(told, dict):
        return {name: _finite(one) for name, one in told.items()}
    if isinstance(told, list):
        return [_finite(one) for one in told]
    return str(Decimal(told)) if isinstance(told, float) and not isfinite(told) else told


def _complain(error: ZhijiError) -> None:
    from zhiji_etl.sources.names import safe_terminal
    from zhiji_etl.stages import LOGGER
    from zhiji_etl.terminal.logs import speaks_json

    if speaks_json():
        LOGGER.error(str(error), extra={"code": error.code})
        return

    lines = [safe_terminal(line) for line in str(error).splitlines()]
    typer.echo("\n".join([f"zhiji-etl: {lines[0]}", *lines[1:], f"[{error.code}]"]), err=True)
