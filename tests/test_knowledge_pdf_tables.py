"""Tables whose lines a PDF draws are read row by row; what can't be told for sure stays text."""

import pytest

from knowledge.readers import read_document

_FONT = (
    "/Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts"
    " [<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry"
    " (Adobe) /Ordering (GB1) /Supplement 2 >> /FontDescriptor << /Type /FontDescriptor /FontName"
    " /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 /Ascent 880 /Descent -120"
    " /CapHeight 880 /StemV 93 >> >>]"
)


def words(left, baseline, *lines):
    return "".join(
        f"BT /F1 12 Tf {left} {baseline - 14 * n} Td <{line.encode('utf-16-be').hex()}> Tj ET\n"
        for n, line in enumerate(lines)
    )


def line(x1, y1, x2, y2):
    return f"{x1} {y1} m {x2} {y2} l S\n"


def grid(xs, ys):
    across = "".join(line(xs[0], y, xs[-1], y) for y in ys)
    return across + "".join(line(x, ys[0], x, ys[-1]) for x in xs)


def read(folder, *pages):
    """Read a PDF with these drawings on its pages."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        f"<< {_FONT} >>",
    ]
    for drawn in pages:
        objects += [
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R"
            f" >> >> /Contents {len(objects) + 2} 0 R >>",
            f"<< /Length {len(drawn)} >>\nstream\n{drawn}endstream",
        ]
    out, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n"
    out += "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    (folder / "标准.pdf").write_text(out, encoding="ascii")
    document = read_document(folder / "标准.pdf")
    return [one for one in document.text.split("\n") if one]


HEAD = words(55, 680, "地段") + words(155, 680, "标准")
ROW = words(55, 655, "中心区") + words(155, 655, "每小时五元，一天", "最多五十元")
TABLE = grid([50, 150, 300], [700, 670, 630]) + HEAD + ROW
READ = ["| 地段 | 标准 |", "| --- | --- |", "| 中心区 | 每小时五元，一天最多五十元 |"]


def test_a_row_whose_cells_take_several_lines_is_one_row(tmp_path):
    drawn = words(50, 750, "停车收费如下。") + TABLE + words(50, 600, "以上由窗口收取。")
    assert read(tmp_path, drawn) == ["停车收费如下。", *READ, "以上由窗口收取。"]


def test_lines_drawn_as_thin_boxes_cell_by_cell_are_lines(tmp_path):
    boxes = "".join(
        f"{x} {y} 0.7 {height} re f {x} {y} {width} 0.7 re f {x + width} {y} 0.7 {height} re f"
        f" {x} {y + height} {width} 0.7 re f\n"
        for x, width in [(50, 100), (150, 150)]
        for y, height in [(670, 30), (630, 40)]
    )
    assert read(tmp_path, boxes + HEAD + ROW) == READ


def test_cells_merged_over_rows_and_columns_are_read_as_in_other_tables(tmp_path):
    lines = [line(50, y, 350, y) for y in (700, 640, 580)]
    lines += [line(150, 670, 350, 670), line(150, 610, 350, 610)]
    lines += [line(x, 700, x, 580) for x in (50, 150, 350)] + [line(250, 670, 250, 580)]
    cells = [(55, 665, "事项"), (155, 680, "收费"), (155, 650, "首次"), (255, 650, "补发")]
    cells += [(55, 605, "身份证"), (155, 620, "免费"), (255, 620, "四十元")]
    cells += [(155, 590, "减半"), (255, 590, "二十元")]
    drawn = "".join(lines) + "".join(words(*cell) for cell in cells)
    assert read(tmp_path, drawn) == [
        "| 事项 | 收费/首次 | 收费/补发 |",
        "| --- | --- | --- |",
        "| 身份证 | 免费 | 四十元 |",
        "| 身份证 | 减半 | 二十元 |",
    ]


def test_a_table_that_goes_on_on_the_next_page_is_one_table(tmp_path):
    second = grid([50, 150, 300], [700, 670, 630]) + HEAD
    second += words(55, 655, "郊区") + words(155, 655, "每小时二元")
    pages = [TABLE + words(280, 30, "- 1 -"), second + words(280, 30, "- 2 -")]
    assert read(tmp_path, *pages) == [*READ, "| 郊区 | 每小时二元 |"]


@pytest.mark.parametrize(
    "drawn",
    [
        TABLE + words(400, 655, "旁注"),
        grid([50, 150, 300], [700, 670, 630]) + HEAD + words(120, 655, "越过竖线的字"),
        grid([40, 400], [800, 600]) + HEAD + ROW,
        "".join(line(50, y, 300, y) for y in (700, 670, 630)) + HEAD + ROW,
    ],
)
def test_words_that_fit_no_cell_are_kept_and_no_table_is_made_up(tmp_path, drawn):
    told = "".join(read(tmp_path, drawn))
    assert "|" not in told
    assert "地段" in told


def test_sentences_beside_a_large_table_are_still_made_whole(tmp_path):
    prose = [
        "服务中心设有八个窗口，每个窗口都",
        "有工作人员为群众解答问题，遇到不",
        "清楚的事情可以随时询问。办理证件",
        "收取工本费，标准由物价部门核定公",
        "布。",
    ]
    ys = list(range(650, 430, -20))
    rows = "".join(
        words(55, y - 15, f"第{y}类停车场及其周边的道路")
        + words(305, y - 15, "每小时收取五元人民币")
        for y in ys[:-1]
    )
    told = read(tmp_path, words(50, 750, *prose) + grid([50, 300, 550], ys) + rows)
    assert told[0] == "".join(prose)
    assert len(told) == len(ys) + 1
