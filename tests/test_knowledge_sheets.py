"""Tables as offices make them: with a title above, and headers of several lines."""

import docx
import openpyxl
import pytest

from knowledge.readers import read_document
from knowledge.splitting import split

ROWS = [
    ["示例市停车收费标准"],
    ["单位：元"],
    ["地段", "小型车", None, "备注"],
    [None, "首小时", "此后每小时"],
    ["中心区", 5, 3, "夜间免费"],
]
READ = [
    "| 地段 | 小型车/首小时 | 小型车/此后每小时 | 备注 |",
    "| --- | --- | --- | --- |",
    "| 中心区 | 5 | 3 | 夜间免费 |",
]


def xlsx(folder, rows, *merged):
    book = openpyxl.Workbook()
    book.active.title = "停车"
    for row in rows:
        book.active.append(row)
    for cells in merged:
        book.active.merge_cells(cells)
    book.save(folder / "收费.xlsx")
    return read_document(folder / "收费.xlsx")


def csv(folder, rows):
    lines = [",".join(str(cell or "") for cell in row) for row in rows]
    (folder / "收费.csv").write_text("\n".join(lines))
    return read_document(folder / "收费.csv")


def word(folder, rows):
    document = docx.Document()
    table = document.add_table(rows=len(rows), cols=4)
    for number, row in enumerate(rows):
        for column, words in enumerate(row):
            table.cell(number, column).text = str(words or "")
    document.save(str(folder / "收费.docx"))
    return read_document(folder / "收费.docx")


def test_a_title_above_a_sheets_table_is_a_heading_and_no_header(tmp_path):
    document = xlsx(tmp_path, ROWS, "A1:D1", "C2:D2", "A3:A4", "B3:C3", "D3:D4")
    heading = ["# 停车", "", "## 示例市停车收费标准 单位：元", ""]
    assert document.text.split("\n") == heading + READ
    assert csv(tmp_path, ROWS).text.split("\n") == ["# 示例市停车收费标准 单位：元", "", *READ]


def test_every_row_of_a_long_sheet_knows_its_title_its_unit_and_both_lines_of_its_header(tmp_path):
    rows = [[f"第{number}停车场及其周边道路的停车位", 5, 3, "夜间免费"] for number in range(60)]
    for passage in split(csv(tmp_path, ROWS[:4] + rows))[1:]:
        assert passage.section == ("示例市停车收费标准 单位：元", READ[0])


def test_long_words_above_a_table_are_a_paragraph_before_it(tmp_path):
    long = "填表说明：本表由各停车场经营单位在每季度末按照实际执行的标准如实填写并加盖公章。" * 2
    assert csv(tmp_path, [[long], *ROWS[2:]]).text.split("\n") == [long, "", *READ]


def test_a_word_tables_title_stands_above_it_and_its_header_is_one(tmp_path):
    text = word(tmp_path, ROWS).text
    assert text.split("\n") == ["示例市停车收费标准", "", "单位：元", "", *READ]


def test_a_header_of_three_lines_is_one(tmp_path):
    rows = [
        ["单位", "收入", "", "", ""],
        ["", "税收", "", "非税", ""],
        ["", "增值税", "所得税", "罚款", "其他"],
        ["甲区", 1, 2, 3, 4],
    ]
    heads = "| 单位 | 收入/税收/增值税 | 收入/税收/所得税 | 收入/非税/罚款 | 收入/非税/其他 |"
    assert csv(tmp_path, rows).text.split("\n")[0] == heads


@pytest.mark.parametrize(
    "rows",
    [
        [["姓名", "", "性别"], ["身份证号", "", "电话"]],  # a form
        [["单位", "联系方式", ""], ["医保局", "张三", "12345"]],
        [["项目", "费用", ""], ["项目", "10", "20"]],
        [["区县", "2023", "2024"], ["", "10", "20"]],
        [["名单"], ["甲"], ["乙"]],
    ],
)
def test_a_first_row_of_data_is_no_second_line_of_the_header(tmp_path, rows):
    lines = csv(tmp_path, rows).text.split("\n")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [cells[0], *cells[2:]] == rows
