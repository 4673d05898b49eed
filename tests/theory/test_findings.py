"""README's table of findings: its numbers are those of the committed figures, its links lead somewhere."""

import json

import pytest

from theory.ledger.statements import statement_of
from theory.start_here.findings import END, FIGURES, FINDINGS, README, START, page, table


def test_the_readme_holds_todays_table():
    readme = README.read_text(encoding="utf-8")
    assert readme.split(START)[1].split(END)[0].strip() == table()


def test_a_changed_number_changes_the_table(tmp_path):
    for finding in FINDINGS:
        text = (FIGURES / f"{finding.figure}.json").read_text(encoding="utf-8")
        (tmp_path / f"{finding.figure}.json").write_text(text, encoding="utf-8")
    record = json.loads((tmp_path / "sequence-error-calls.json").read_text(encoding="utf-8"))
    record["data"]["curves"][0]["exact_calls"][-1] = 3
    (tmp_path / "sequence-error-calls.json").write_text(json.dumps(record), encoding="utf-8")
    assert table(tmp_path) != table()
    record["claims"] = ["another"]
    (tmp_path / "sequence-error-calls.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(ValueError, match="figure sequence-error-calls shows"):
        table(tmp_path)


def test_every_row_has_a_theorem_and_a_picture():
    assert len(FINDINGS) == 8
    for finding in FINDINGS:
        assert statement_of(finding.topic, finding.claim)
        assert (FIGURES / f"{finding.figure}.png").is_file()


def test_the_text_around_the_table_stays():
    assert page(f"a\n{START}\nold\n{END}\nb\n") == f"a\n{START}\n{table()}\n{END}\nb\n"
    with pytest.raises(ValueError, match="the README has no"):
        page("no markers")
