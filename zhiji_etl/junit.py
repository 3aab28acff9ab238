"""Findings as JUnit XML, which CI systems show as tests: one test case for each finding.

In: findings (FINDING_COLUMNS) and from which severity they fail. Out: the text of the file, and the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import polars as pl

from zhiji_etl.errors import ZhijiError
from zhiji_etl.figures import Severity, Verdict
from zhiji_etl.findings import at_or_above, is_main
from zhiji_etl.outputs.disk import write_whole, writing
from zhiji_etl.sources.names import safe_terminal

NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@contextmanager
def unfinished(path: Path | None) -> Iterator[None]:
    """While the body runs the file says that the run has not finished; an error of the body takes that place.

    So a file of an earlier run is never taken for one of this run, however it ends. The body writes the file itself
    when it is through. Raises `OutputError` (`output_unwritable`) before the body begins.
    """
    if path is None:
        yield
        return
    _write_error(path, "unfinished", "The run has not finished.")
    try:
        yield
    except ZhijiError as error:
        _write_error(path, error.code, str(error))
        raise


def write_junit(path: Path, findings: pl.DataFrame, fail_on: Severity | None) -> None:
    """Write the file whole or not at all; `OutputError` `output_unwritable`."""
    with writing(path):
        write_whole(path, junit(findings, fail_on).encode("utf-8"))


def _write_error(path: Path, code: str, sentence: str) -> None:
    suite = ElementTree.Element("testsuite", name="zhiji_etl")
    case = ElementTree.SubElement(suite, "testcase", classname="zhiji_etl", name="run")
    ElementTree.SubElement(case, "error", message=_text(sentence), type=code)
    with writing(path):
        write_whole(path, _document(suite).encode("utf-8"))


def junit(findings: pl.DataFrame, fail_on: Severity | None) -> str:
    """One test case for each finding that stands for itself: the class is its rule, the name its entity and period.

    Those that make a run fail at `fail_on` (null: none) are failures; what was not checkable is skipped.
    """
    told = findings.filter(is_main())
    failed = set() if fail_on is None else set(at_or_above(told, fail_on).get_column("finding_id"))
    suite = ElementTree.Element("testsuite", name="zhiji_etl")
    for row in told.iter_rows(named=True):
        _case(suite, row, is_failure=row["finding_id"] in failed)
    return _document(suite)


def _document(suite: ElementTree.Element) -> str:
    """The text of a file that holds this suite, with its cases counted."""
    counted = {"tests": "", "failures": "/failure", "skipped": "/skipped", "errors": "/error"}
    for name, path in counted.items():
        suite.set(name, str(len(suite.findall(f"testcase{path}"))))
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, row: Mapping[str, Any], *, is_failure: bool) -> None:
    _, mark, number = row["finding_id"].rpartition("#")
    again = f" #{number}" if mark and number.isdigit() else ""
    subject = " ".join(part for part in (row["entity"], row["period"]) if part) or row["kind"]
    case = ElementTree.SubElement(suite, "testcase", classname=_text(row["rule"]), name=_text(subject) + again)
    message = _text(row["message"])
    if is_failure:
        failure = ElementTree.SubElement(case, "failure", message=message, type=f"{row['verdict']}.{row['severity']}")
        failure.text = f"{_text(row['finding_id'])}\n{message}"
    elif row["verdict"] == Verdict.NOT_CHECKABLE.value:
        ElementTree.SubElement(case, "skipped", message=message)


def _text(text: str | None) -> str:
    """A text that XML can hold: it has no way to write control characters, not even escaped."""
    return NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", safe_terminal(text or ""))
