"""Schemas in the formats of others, and tables that others open with their units."""

import json
import shutil
from pathlib import Path

import jsonschema
import pandera.polars as pa
import polars as pl
import pytest

import zhiji_etl as zj
from zhiji_etl.catalogue import catalogue
from zhiji_etl.export import Form, contract, not_held
from zhiji_etl.outputs import latest

UNITS = {"vehicle_sales": "vehicle", "share": "percent", "revenue": "CNY"}


class MakerYear(zj.Table):
    """One maker,
    one year."""

    code: str = zj.Identifier(str_matches="[0-9]+", unique=True)
    vehicle_sales: float = zj.Quantity("vehicle", ge=0, nullable=False, description="Vehicles sold")
    share: float = zj.Quantity("percent", gt=0, le=100, in_range={"min_value": -5, "max_value": 90})
    revenue: float = zj.Quantity("CNY", isin=[1.0, 2.0])

    @pa.check("revenue")
    def even(cls, data):
        return data.lazyframe.select(pl.col("revenue") % 2 == 0)

    @zj.rule(severity="warning", material=0.1)
    def price(m):
        """A vehicle costs something."""
        return zj.either(low=m.revenue >= 0 * m.revenue, high=m.share <= 2 * m.share)


@pytest.fixture(scope="module")
def made():
    return catalogue([MakerYear])


def fields(made, form: Form) -> dict[str, dict]:
    document = contract(made, form, "p")
    if form is Form.TABLE_SCHEMA:
        return {one["name"]: one for one in document["resources"][0]["schema"]["fields"]}
    if form is Form.ODCS:
        return {one["name"]: one for one in document["schema"][0]["properties"]}
    return document["$defs"]["maker_year"]["properties"]


@pytest.mark.parametrize("form", Form)
def test_columns_keep_their_order_and_the_document_is_json(made, form: Form):
    assert list(fields(made, form)) == list(MakerYear.to_schema().columns)
    assert json.loads(json.dumps(contract(made, form, "p"), allow_nan=False)) == contract(made, form, "p")


def test_a_table_schema(made):
    document = contract(made, Form.TABLE_SCHEMA, "p")
    schema = document["resources"][0]["schema"]
    assert schema["primaryKey"] == ["entity", "period_start", "period_end"]
    found = fields(made, Form.TABLE_SCHEMA)
    assert found["vehicle_sales"] == {
        "name": "vehicle_sales",
        "type": "number",
        "description": "Vehicles sold",
        "unit": "vehicle",
        "constraints": {"required": True, "minimum": 0},
    }
    assert found["share"]["constraints"] == {"exclusiveMinimum": 0, "maximum": 90}
    assert found["code"]["constraints"] == {"unique": True, "pattern": "^(?:[0-9]+)"}
    assert found["revenue"]["constraints"] == {"enum": [1.0, 2.0]}
    assert found["period_start"]["type"] == "date"
    assert schema["rules"] == [
        {
            "name": "price",
            "description": "A vehicle costs something.",
            "formulas": ["low: revenue >= 0 * revenue", "high: share <= 2 * share"],
            "severity": "warning",
            "material": 0.1,
        }
    ]


NUMBER_OPTIONS = {
    "minimum": "number",
    "maximum": "number",
    "exclusiveMinimum": "boolean",
    "exclusiveMaximum": "boolean",
}
ODCS = {
    "type": "object",
    "required": ["version", "apiVersion", "kind", "id", "status"],
    "properties": {
        "kind": {"const": "DataContract"},
        "apiVersion": {"enum": ["v3.0.0", "v3.0.1", "v3.0.2"]},
        "schema": {
            "type": "array",
            "items": {
                "required": ["name"],
                "properties": {
                    "logicalType": {"const": "object"},
                    "properties": {
                        "items": {
                            "required": ["name"],
                            "properties": {
                                "logicalType": {"enum": ["string", "date", "number", "integer", "boolean"]},
                                "primaryKeyPosition": {"type": "integer", "minimum": 1},
                                "primaryKey": {"type": "boolean"},
                                "required": {"type": "boolean"},
                                "logicalTypeOptions": {
                                    "properties": {
                                        **{key: {"type": kind} for key, kind in NUMBER_OPTIONS.items()},
                                        "pattern": {"type": "string"},
                                    },
                                    "additionalProperties": False,
                                },
                            },
                        }
                    },
                    "quality": {
                        "items": {
                            "required": ["type", "engine", "implementation"],
                            "properties": {
                                "type": {"const": "custom"},
                                "implementation": {"type": ["string", "object"]},
                                "dimension": {"enum": ["accuracy", "consistency"]},
                            },
                        }
                    },
                },
            },
        },
    },
}
"""What the standard (3.0.2) asks of the parts that are written here."""


def test_a_data_contract(made):
    document = contract(made, Form.ODCS, "p")
    jsonschema.validate(document, ODCS)
    found = fields(made, Form.ODCS)
    assert found["share"]["logicalTypeOptions"] == {"minimum": 0, "exclusiveMinimum": True, "maximum": 90}
    assert found["share"]["customProperties"] == [{"property": "unit", "value": "percent"}]
    assert [found[name]["primaryKeyPosition"] for name in ("entity", "period_start", "period_end")] == [1, 2, 3]
    assert document["schema"][0]["quality"][0]["severity"] == "warning"


ROW = {"entity": "A", "period": "2020", "period_start": "2020-01-01", "period_end": "2020-12-31"}


@pytest.mark.parametrize(
    ("values", "valid"),
    [
        ({"code": "12", "vehicle_sales": 0, "share": 90, "revenue": 2.0}, True),
        ({"code": None, "vehicle_sales": 5, "share": None, "revenue": None}, True),
        ({"code": "x", "vehicle_sales": 5, "share": None, "revenue": None}, False),
        ({"code": None, "vehicle_sales": None, "share": None, "revenue": None}, False),
        ({"code": None, "vehicle_sales": -1, "share": None, "revenue": None}, False),
        ({"code": None, "vehicle_sales": 5, "share": 0, "revenue": None}, False),
        ({"code": None, "vehicle_sales": 5, "share": 91, "revenue": None}, False),
        ({"code": None, "vehicle_sales": 5, "share": 5, "revenue": 3.0}, False),
        ({"code": None, "vehicle_sales": 5, "share": 5}, False),
    ],
)
def test_a_json_schema_judges_rows_as_pandera_does(made, values: dict, valid: bool):
    document = contract(made, Form.JSON_SCHEMA, "p")
    jsonschema.Draft202012Validator.check_schema(document)
    validator = jsonschema.Draft202012Validator(document["$defs"]["maker_year"])
    assert validator.is_valid({**ROW, **values}) == valid


@pytest.mark.parametrize(
    ("form", "parts"),
    [
        (Form.TABLE_SCHEMA, ["revenue: the check even", "units stand", "only zhiji_etl checks them: price"]),
        (Form.ODCS, ["revenue: the check isin(1.0, 2.0)", "revenue: the check even"]),
        (Form.JSON_SCHEMA, ["code: the check unique", "revenue: the check even"]),
    ],
)
def test_what_a_format_cannot_hold_is_told(made, form: Form, parts: list[str]):
    told = "\n".join(not_held(made, form))
    assert [part for part in parts if part not in told] == []


@pytest.mark.parametrize("form", Form)
def test_the_command_prints_one_document(command, reference: Path, form: Form):
    told = command("export", reference, "--to", form.value)
    assert told.code == 0
    assert "company_year" in json.dumps(json.loads(told.out))
    assert "only zhiji_etl checks them: share_vs_sales" in told.err


@pytest.mark.parametrize(
    "arguments", [(), ("--to", "avro"), ("--to", "odcs", "--format", "delta"), ("--format", "delta")]
)
def test_usage(command, reference: Path, arguments: tuple[str, ...]):
    assert command("export", reference, *arguments).code == 2


# ------------------------------------------------------------------------------------------------ tables with units


@pytest.fixture(scope="module")
def table(reference_result) -> Path:
    return reference_result.path / "company_year.parquet"


def test_pyarrow_sees_units(table: Path):
    import pyarrow.parquet as pq

    schema = pq.read_schema(table)
    assert schema.field("vehicle_sales").metadata == {b"unit": b"vehicle"}
    assert pq.read_table(table).schema.field("revenue").metadata[b"unit"] == b"USD"


def test_pandas_sees_units(table: Path):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.read_parquet(table)
    assert frame.attrs["units"]["vehicle_sales"] == "vehicle"
    assert frame.loc[frame["entity"] == "SAIC Motor", "vehicle_sales"].max() == 6_238_000


def test_duckdb_sees_units(table: Path):
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    text = duckdb.sql(
        f"SELECT decode(value)::VARCHAR FROM parquet_kv_metadata('{table}') WHERE decode(key) = 'units'"
    ).fetchall()[0]
    assert json.loads(text[0])["market_share"] == "percent"
    rows = duckdb.sql(f"SELECT max(vehicle_sales) FROM '{table}' WHERE entity = 'SAIC Motor'").fetchall()[0]
    assert rows == (6_238_000.0,)


def test_delta_tables_have_units_and_versions(command, reference: Path, tmp_path: Path):
    deltalake = pytest.importorskip("deltalake", reason="the extra delta is not installed")
    command("run", reference)
    for version in range(2):
        told = command("export", reference, "--format", "delta", "--out", tmp_path / "lake")
        assert (told.code, "company_year" in told.out) == (0, True)
        written = deltalake.DeltaTable(tmp_path / "lake" / "company_year")
        assert written.version() == version
    units = {field.name: (field.metadata or {}).get("unit") for field in written.schema().fields}
    assert units["vehicle_sales"] == "vehicle"
    parquet = pl.read_parquet(latest(reference / "build") / "company_year.parquet")
    assert pl.read_delta(str(tmp_path / "lake" / "company_year")).equals(parquet)
    shutil.rmtree(tmp_path / "lake")
    (tmp_path / "lake").write_text("a file")
    told = command("export", reference, "--format", "delta", "--out", tmp_path / "lake")
    assert (told.code, "[output_unwritable]" in told.err) == (5, True)
    assert "Traceback" not in told.err


def test_a_table_is_a_plain_pandera_model():
    """To anyone who uses Pandera alone."""
    from datetime import date

    row = {"entity": ["A"], "period": ["2020"], "period_start": [date(2020, 1, 1)], "period_end": [date(2020, 12, 31)]}
    frame = pl.DataFrame({**row, "code": ["1"], "vehicle_sales": [5.0], "share": [5.0], "revenue": [2.0]})
    assert MakerYear.validate(frame).equals(frame)
    with pytest.raises(pa.errors.SchemaError):
        MakerYear.validate(frame.with_columns(vehicle_sales=-1.0))
