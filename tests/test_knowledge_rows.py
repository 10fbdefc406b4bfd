"""A table read again takes the place of what it held before, row by row."""

from dataclasses import replace

import pytest

from knowledge.base import KnowledgeBase
from knowledge.settings import load_settings
from knowledge.tables import csv_sheets
from knowledge.types import Document
from ui.jobs import Jobs

ROWS = "title,text\n甲,甲事项三日办结\n乙,乙事项五日办结\n丙,丙事项七日办结\n"


@pytest.fixture
def base(tmp_path):
    with KnowledgeBase(load_settings(home=tmp_path / "home")) as base:
        yield base


@pytest.fixture
def upload(base, tmp_path):
    jobs = Jobs(base)

    def upload(name, content):
        file = tmp_path / f".given{name[name.index('.') :]}"
        file.write_text(content)
        job = jobs.upload(file, name)
        job.ended.result(60)
        return job

    return upload


def titles(base):
    return sorted(record.title for record in base.documents())


def test_rows_that_a_table_has_no_more_are_not_answered_from(base, upload):
    base.add(Document("other", "丁", "丁事项。", "又一份事项.csv#3"))
    upload("事项.csv", ROWS)
    upload("事项.csv", ROWS[: ROWS.index("丙")])
    assert titles(base) == ["丁", "乙", "甲"]
    assert all("丙" not in hit.passage.text for hit in base.search("丙事项几日办结"))


def test_while_a_row_cannot_be_read_none_is_taken_away(base, upload):
    upload("事项.jsonl", '{"id": "a", "text": "甲事项"}\n{"id": "b", "text": "乙事项"}\n')
    job = upload("事项.jsonl", '{"id": "a", "text": "甲事项"}\n{"id": "b", "text": 5}\n')
    assert len(job.failed) == 1
    assert titles(base) == ["乙事项", "甲事项"]


def test_a_table_that_becomes_one_document_and_back_leaves_nothing_of_before(base, upload):
    upload("事项.csv", ROWS)
    upload("事项.csv", "名称,期限\n甲,三日\n")
    assert titles(base) == ["事项"]
    upload("事项.csv", ROWS)
    assert titles(base) == ["丙", "乙", "甲"]


def test_only_documents_of_this_very_file_are_removed(base):
    sources = ["/a.csv#1", "/a.csv#2", "/a.csv", "/a.csv.md", "/b/a.csv#1", "/A.csv#1"]
    for number, source in enumerate(sources):
        base.add(Document(str(number), f"第{number}号", "内容。", source))
    assert base.remove_others_from("/a.csv", {"/a.csv#1"}) == 2
    assert [record.source for record in base.documents()] == ["/a.csv#1", *sources[3:]]


def test_a_correction_stays_with_its_row_when_rows_are_put_above_it(base, upload):
    upload("事项.csv", ROWS)
    (first,) = (record for record in base.documents() if record.title == "甲")
    row = base.document(first.id)
    base.correct(replace(row, metadata={**row.metadata, "status": "repealed"}))
    upload("事项.csv", ROWS.replace("甲,", "新,新事项一日办结\n甲,", 1))
    assert titles(base) == sorted(["新", "甲", "乙", "丙"])
    repealed = [one.title for one in base.documents() if one.metadata.get("status")]
    assert repealed == ["甲"]


def test_rows_of_one_title_are_all_kept(base, upload):
    upload("事项.csv", "title,text\n甲,第一条\n甲,第二条\n甲,第三条\n")
    assert titles(base) == ["甲", "甲", "甲"]


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("2024年补贴标准\n名称;每月\n甲;1,5\n乙;2,5\n", ("甲", "1,5")),
        ("2024年补贴标准\n\n名称,每月\n甲,15\n", ("甲", "15")),
        ("名称;每月,按人,按季\n甲;15\n乙;16\n", ("甲", "15")),
        ("名称,说明\n甲,一;二;三\n乙,四;五;六\n", ("甲", "一;二;三")),
        ("名称,说明,类别\n甲,一;二,子\n乙,四;五\n丙,六;七\n", ("丙", "六;七")),
        ("名称\t说明\n甲\t一,二\n", ("甲", "一,二")),
        ('名称,说明\n甲,"一;\n二;\n三;"\n', ("甲", "一;\n二;\n三;")),
    ],
)
def test_what_parts_the_cells_is_told_by_more_than_the_first_line(tmp_path, text, cells):
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())
    (sheet,) = csv_sheets(path)
    assert cells in [row for _, row in sheet.rows]
