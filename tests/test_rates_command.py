"""`zhiji-etl rates`: the same rate as the library gives, and one sentence where there is none."""

import json

import pytest

import zhiji_etl as zj


def test_a_rate_as_json(command):
    told = command("rates", "USD", "CNY", "2019", "--method", "average", "--json")
    rate = zj.Rates.ecb().rate("USD", "CNY", "2019", "average")
    assert json.loads(told.out) == {
        "base": "USD",
        "quote": "CNY",
        "rate": str(rate.value),
        "low": str(rate.low),
        "high": str(rate.high),
        "method": "average",
        "start": "2019-01-01",
        "end": "2019-12-31",
        "days_used": 365,
        "last_quote": "2019-12-31",
        "origin": "ECB euro foreign exchange reference rates",
    }
    assert (told.code, told.err) == (0, "")


def test_a_rate_as_a_card(command):
    told = command("rates", "usd", "cny", "2019", "--method", "average").out
    for part in ("1 USD = 6.908866 CNY", "6.905374 to 6.909219", "average", "365", "2019-12-31", "ECB euro"):
        assert part in told


@pytest.mark.parametrize(
    ("when", "method", "days"),
    [("2020-03-31", "period_end", 1), ("2020Q1", "average", 91), ("FY2020", "average", 366)],
)
def test_the_usual_method(command, when: str, method: str, days: int):
    told = json.loads(command("rates", "USD", "CNY", when, "--json").out)
    assert (told["method"], told["days_used"]) == (method, days)


def test_the_rates_of_a_project_come_first(command, project):
    folder = project("A,revenue,2019,RMB2.0 billion\n")
    (folder / "own.csv").write_text("date,base,quote,rate,source\n2019-06-03,USD,TWD,31.50,Bank\n", encoding="utf-8")
    (folder / "zhiji.toml").write_text('rates = ["own.csv"]\n', encoding="utf-8")
    told = json.loads(command("rates", "USD", "TWD", "2019-06-03", "--project", folder, "--json").out)
    assert (told["rate"], told["low"], told["high"], told["origin"]) == ("31.5", "31.495", "31.505", "Bank")
    assert command("rates", "USD", "CNY", "2019", "--project", folder).code == 0


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code", "words"),
    [
        (("USD", "TWD", "2019"), 1, "missing_reference", "no series for TWD"),
        (("USD", "CNZ", "2019"), 1, "missing_reference", "Did you mean"),
        (("USD", "CNY", "1990"), 1, "missing_reference", "quoted from 2005-04-01"),
        (("USD", "CNY", "someday"), 2, "period_unreadable", "Known forms"),
        (("USD", "CNY", "2019", "--method", "mean"), 2, "method_unknown", "sum_of_quarters"),
        (("USD", "CNY", "2019", "--method", "fixed"), 2, "rate_fixed", "belong together"),
        (("USD", "CNY", "2019", "--method", "average", "--rate", "7.1"), 2, "rate_fixed", "belong together"),
        (("USD", "CNY", "2019", "--rate", "7,1"), 2, "rate_fixed", "no rate"),
        (("USD", "CNY", "2019", "--rate", "0.0"), 2, "rate_fixed", "above 0"),
        (("USD", "CNY", "2019-01", "--method", "sum_of_quarters"), 1, "missing_reference", "whole quarters"),
    ],
)
def test_what_is_asked_in_vain(command, arguments, exit_code: int, code: str, words: str):
    told = command("rates", *arguments)
    assert (told.code, told.out) == (exit_code, "")
    assert words in told.err
    assert told.err.startswith("zhiji-etl: ")
    assert told.err.endswith(f"[{code}]\n")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("date,base,quote\n", "rate_columns_missing"),
        ("date,base,quote,rate\n2019-06-03,USD,CNY,many\n", "rate_invalid"),
        (None, "rates_unreadable"),
    ],
)
def test_a_broken_rate_file(command, project, content: str | None, code: str):
    folder = project("A,revenue,2019,RMB2.0 billion\n")
    (folder / "zhiji.toml").write_text('rates = ["own.csv"]\n', encoding="utf-8")
    if content is not None:
        (folder / "own.csv").write_text(content, encoding="utf-8")
    for arguments in (("--project", folder), ("--file", folder / "own.csv")):
        told = command("rates", "USD", "CNY", "2019", *arguments)
        assert (told.code, told.out) == (4, "")
        assert f"[{code}]" in told.err
    assert command("run", folder).code == 4


def test_a_printed_rate(command):
    told = json.loads(command("rates", "USD", "CNY", "2020-03-31", "--rate", "7.0651", "--json").out)
    assert (told["method"], told["rate"], told["low"], told["high"]) == ("fixed", "7.0651", "7.06505", "7.06515")
    assert (told["last_quote"], told["origin"]) == (None, "printed by the source")


def test_files_come_first_in_their_order(command, project, tmp_path):
    folder = project("A,revenue,2019,RMB2.0 billion\n")
    (folder / "zhiji.toml").write_text('rates = ["own.csv"]\n', encoding="utf-8")
    for name, where, day, rate in (
        ("own", folder, 5, "9.0"),
        ("first", tmp_path, 3, "7.1"),
        ("second", tmp_path, 4, "8.1"),
    ):
        text = f"date,base,quote,rate,source\n2019-06-0{day},USD,TWD,{rate},{name}\n"
        (where / f"{name}.csv").write_text(text, encoding="utf-8")
    files = ("--file", tmp_path / "first.csv", "--file", tmp_path / "second.csv", "--project", folder, "--json")
    answers = [json.loads(command("rates", "USD", "TWD", f"2019-06-{day}", *files).out) for day in ("03", "11", "12")]
    # The first file that has a quote of the last seven days is taken, then the second, then the project's own.
    assert [one["origin"] for one in answers] == ["first", "second", "own"]
    assert json.loads(command("rates", "USD", "CNY", "2019", *files).out)["origin"].startswith("ECB")


def test_a_project_that_is_not_there(command, tmp_path):
    assert command("rates", "USD", "CNY", "2019", "--project", tmp_path / "nowhere").code == 3
