"""Rules that contradict each other whatever the data: refused when the project loads, with file, line and rule."""

from pathlib import Path

import pytest

from zhiji_etl.catalogue import catalogue
from zhiji_etl.errors import ProjectError
from zhiji_etl.project import tables_of

SCHEMA = '''
import zhiji_etl as zj


class Company(zj.Table):
    """One company."""

    a: float = zj.Quantity("vehicle", ge=0)
    b: float = zj.Quantity("vehicle", ge=0, le=100)
    c: float = zj.Quantity("vehicle", ge=0)
    share: float = zj.Quantity("percent", ge=0, le=100)
'''


def with_rules(folder: Path, *returned: str) -> Path:
    rules = [f"    @zj.rule\n    def rule_{n}(m):\n        return {text}\n" for n, text in enumerate(returned)]
    (folder / "company.py").write_text("\n".join([SCHEMA, *rules]), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("returned", "named"),
    [
        (("m.a > m.b", "m.a < m.b"), (0, 1)),
        (("m.a > m.b", "m.b > m.c", "m.c > m.a"), (0, 1, 2)),
        (("m.a >= m.c + m.b", "m.c > m.a", "m.share <= 1"), (0, 1)),
        (("m.a == 2 * m.b", "m.b == m.c + m.a", "m.c > m.b"), (1, 2)),
        (("m.share == 1.5",), (0,)),
        (("zj.within(m.a - m.b, m.c + m.a + m.b, m.c) ", "m.b > m.a"), (0, 1)),
    ],
)
def test_refused_with_file_line_and_rule(tmp_path: Path, returned: tuple[str, ...], named: tuple[int, ...]):
    with pytest.raises(ProjectError) as caught:
        catalogue(tables_of(with_rules(tmp_path, *returned)))
    assert caught.value.code == "rules_contradict"
    text = (tmp_path / "company.py").read_text(encoding="utf-8").splitlines()
    for number in range(len(returned)):
        line = next(n for n, written in enumerate(text, 1) if f"def rule_{number}(" in written) - 1
        assert (f"company.py line {line}, rule rule_{number}" in str(caught.value)) == (number in named)


@pytest.mark.parametrize(
    "returned",
    [
        ("m.a >= m.b", "m.a <= m.b"),
        ("m.a > m.b", "m.b > m.c"),
        ("zj.either(x=m.a > m.b, y=m.a < m.b)", "m.a < m.b"),
        ("m.share == m.a / m.b", "m.a <= m.b"),
        ("m.a == m.previous.a + m.b", "m.a < m.previous.a + m.c"),
        ("m.a * m.b == m.c * m.c",),
    ],
)
def test_rules_that_some_figures_can_meet(tmp_path: Path, returned: tuple[str, ...]):
    assert len(catalogue(tables_of(with_rules(tmp_path, *returned))).rules) == len(returned)
