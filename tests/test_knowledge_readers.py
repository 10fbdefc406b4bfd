"""Files of every kind in, documents or clear failures out."""

import itertools
import json
import os
import tracemalloc
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.errors import UnreadableDocumentError
from knowledge.plaintext import clean, decode, first_title, short_title
from knowledge.readers import ReadFailure, find_files, read_document, read_documents
from knowledge.tables import markdown_table
from knowledge.word import chinese_number

NOTICE = """示例市教育局关于做好入学登记工作的通知
示教〔2031〕7号
各学校：
现就入学登记的有关事项通知如下。
一、登记时间
登记从三月一日开始，到三月十日为止。
示例市教育局
2031年2月3日
"""


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def pdf(*pages, extra_trailer=""):
    """A small PDF by hand; each page is a list of lines, in a font that viewers bring along."""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "",
        "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H"
        " /DescendantFonts [4 0 R] >>",
        "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /FontDescriptor 5 0 R"
        " /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> >>",
        "<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880]"
        " /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
    ]
    kids = []
    for lines in pages:
        drawn = "".join(
            f"BT /F1 12 Tf 50 {800 - 20 * row} Td <{line.encode('utf-16-be').hex()}> Tj ET\n"
            for row, line in enumerate(lines)
        )
        objects.append(f"<< /Length {len(drawn)} >>\nstream\n{drawn}endstream")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects)} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    out, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {extra_trailer}>>\n"
    return (out + f"startxref\n{start}\n%%EOF\n").encode("ascii")


def docx_file(path, build):
    import docx

    document = docx.Document()
    build(document)
    document.save(str(path))
    return path


def xlsx_file(path, **sheets):
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


# --- plain text ---------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-32"])
def test_a_text_reads_the_same_in_every_encoding_that_offices_use(tmp_path, encoding):
    document = read_document(write(tmp_path, "通知.txt", NOTICE.encode(encoding)))
    assert document.title == "示例市教育局关于做好入学登记工作的通知"
    assert document.text == NOTICE.strip()
    assert document.metadata["document_number"] == "示教〔2031〕7号"
    assert document.metadata["issuer"] == "示例市教育局"
    assert document.metadata["date"] == "2031-02-03"


def test_a_document_is_known_again_by_its_path_and_says_where_it_is(tmp_path):
    path = write(tmp_path, "办事 指南 😀.txt", "先取号，再到窗口办理。")
    document = read_document(path)
    assert document.source == str(path)
    assert document.title == "办事 指南 😀"
    assert len(document.id) == 12
    path.write_text("改过的内容。", encoding="utf-8")
    assert read_document(path).id == document.id


def test_characters_that_nobody_sees_are_gone_and_punctuation_stays(tmp_path):
    hidden = (
        "\ufeff请\u200b带\u202e身\U000e0041份证\x07，（原件）：１２３\r\n\u3000\u3000到窗口\u00ad。"
    )
    document = read_document(write(tmp_path, "a.md", hidden))
    assert document.text == "请带身份证，（原件）：１２３\n到窗口。"


def test_the_date_in_a_law_files_name_counts_where_the_text_gives_none(tmp_path):
    text = "# 示例管理条例\n\n<!-- INFO END -->\n\n第一条 为了示例，制定本条例。"
    document = read_document(write(tmp_path, "示例条例(2023-12-29).md", text))
    assert document.title == "示例管理条例"
    assert document.metadata["date"] == "2023-12-29"
    assert "INFO" not in document.text


def test_a_part_of_a_code_keeps_both_of_its_titles(tmp_path):
    text = "# 示例法典\n\n# 合同编\n\n## 第一章 一般规定\n\n第一条 内容。"
    assert read_document(write(tmp_path, "合同编.md", text)).title == "示例法典 合同编"


def test_front_matter_of_markdown_is_metadata_not_text(tmp_path):
    text = (
        "---\ntitle: 停车指南\nissuer: 示例市公安局\ndate: 2031年5月6日\n---\n# 停车\n\n先看标牌。"
    )
    document = read_document(write(tmp_path, "a.md", text))
    assert (document.title, document.text) == ("停车指南", "# 停车\n\n先看标牌。")
    assert document.metadata["issuer"] == "示例市公安局"
    assert document.metadata["date"] == "2031-05-06"


def test_markdown_keeps_the_indents_of_nested_lists(tmp_path):
    text = "# 材料\n\n- 证件\n  - 身份证\n  - 户口簿"
    assert read_document(write(tmp_path, "a.md", text)).text == text


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.txt", b"", "没有文字"),
        ("blank.md", " \n\u3000\n\t".encode(), "没有文字"),
        ("picture.txt", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "二进制"),
        ("noise.txt", bytes(range(1, 32)) * 20 + b"\x81\x30", "不是文本|编码"),
        ("odd.txt", b"\xfd\x81\xff\xff\x20", "编码"),
        ("cut.txt", "中文".encode() + b"\xe4\xff", "编码"),
        ("empty.html", b"  ", "空的"),
        ("only-script.html", b"<html><script>var a=1;</script></html>", "没有文字"),
        ("empty.jsonl", b"\n\n", "没有一行"),
        ("binary.jsonl", b"\x00\x01\x02", "二进制"),
        ("empty.csv", b"", "没有文字"),
        ("binary.csv", b"PK\x00\x00", "二进制"),
        ("broken.docx", b"PK\x03\x04broken", "损坏"),
        ("text.docx", "这不是 Word 文件".encode(), "损坏"),
        ("broken.xlsx", b"PK\x03\x04broken", "损坏"),
        ("locked.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "密码"),
        ("broken.pdf", b"%PDF-1.4 nothing more", "损坏"),
        ("empty.pdf", b"", "损坏"),
        ("scan.pdf", pdf([]), "OCR"),
        (
            "locked.pdf",
            pdf(
                ["x"],
                extra_trailer=f"/ID [<{'61' * 16}> <{'61' * 16}>] /Encrypt << /Filter /Standard"
                f" /V 1 /R 2 /P -4 /O <{'62' * 32}> /U <{'63' * 32}> >> ",
            ),
            "密码",
        ),
        ("notes.doc", b"x", "不支持"),
    ],
)
def test_what_cannot_be_read_says_so_and_what_to_do(tmp_path, name, content, says):
    path = write(tmp_path, name, content)
    with pytest.raises(UnreadableDocumentError, match=says) as caught:
        list(read_documents(path))
    assert repr(str(path)) in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_file_that_went_away_is_a_failure_with_its_path(tmp_path):
    with pytest.raises(UnreadableDocumentError, match=r"gone\.txt"):
        read_document(tmp_path / "gone.txt")


@given(st.text())
@settings(max_examples=200)
def test_cleaning_twice_changes_nothing_more_and_leaves_nothing_hidden(text):
    once = clean(text)
    assert clean(once) == once
    assert not set(once) & set("\x00\r\u200b\ufeff\u202e\u2066\ud800")
    once.encode("utf-8")


@given(st.text(st.characters(codec="gb18030", categories=["L", "N", "P", "Zs"]), min_size=1))
def test_decoding_brings_back_utf8_and_never_fails_otherwise_than_by_saying_so(text):
    assert decode(text.encode("utf-8")).lstrip("\ufeff") == text.lstrip("\ufeff")


@given(st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_behind_any_suffix_are_a_document_or_a_clear_failure(tmp_path, data):
    for suffix in (".txt", ".md", ".html", ".csv", ".jsonl", ".pdf", ".docx", ".xlsx"):
        path = write(tmp_path, f"a{suffix}", data)
        try:
            for found in read_documents(path):
                assert isinstance(found, ReadFailure) or (found.title and found.text.strip())
        except UnreadableDocumentError:
            pass


def test_a_file_of_one_very_long_line_is_read_without_memory_running_away(tmp_path):
    size = 2_000_000
    path = write(tmp_path, "long.txt", "（" + "一般规定，" * (size // 5))
    tracemalloc.start()
    document = read_document(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(document.text) > size - 5
    assert peak < 60 * size


def test_a_file_of_200_mb_is_refused_at_once_and_says_what_to_do(tmp_path):
    path = tmp_path / "all.txt"
    with path.open("wb") as file:
        file.truncate(200 << 20)
    with pytest.raises(UnreadableDocumentError, match=r"200 MB.*拆成几个文件"):
        read_document(path)


def test_a_text_far_too_long_is_refused_in_any_format(tmp_path, monkeypatch):
    monkeypatch.setattr("knowledge.readers._MOST_CHARS", 20)
    rows = '{"text": "停车三元。"}\n{"text": "%s"}\n' % ("很长的内容。" * 10)
    first, second = read_documents(write(tmp_path, "rows.jsonl", rows))
    assert first.text == "停车三元。"
    assert "拆成几个文件" in second.error
    with pytest.raises(UnreadableDocumentError, match="拆成几个文件"):
        read_document(write(tmp_path, "a.csv", "甲,乙\n" * 10))


# --- titles -------------------------------------------------------------------------------------


def test_a_title_broken_over_lines_is_put_together():
    text = "示例市人民政府办公室关于印发\n停车管理若干措施的通知\n示政办〔2031〕3号\n各单位："
    assert first_title(text, "x") == "示例市人民政府办公室关于印发停车管理若干措施的通知"


def test_a_text_that_begins_with_a_sentence_takes_the_files_name(tmp_path):
    path = write(tmp_path, "停车须知.txt", "车辆应当停在划定的车位里。\n不得占用盲道。")
    assert read_document(path).title == "停车须知"


@given(st.text(min_size=1).filter(lambda text: text.strip()))
def test_a_title_made_from_a_text_is_short_and_one_line(text):
    assert len(short_title(clean(text))) <= 40
    assert "\n" not in short_title(clean(text))


# --- web pages ----------------------------------------------------------------------------------

PAGE = """<!DOCTYPE html><html><head><meta charset="utf-8">
<title>关于发放示例补贴的通知_示例市人民政府门户网站</title>
<meta name="PubDate" content="2031-07-29 10:11"><meta name="ContentSource" content="示例市财政局">
<script>var secret = "脚本里的话";</script></head><body>
<div class="nav"><a href="/">首页</a><a href="/a">政务公开</a><a href="/b">互动</a></div>
<div class="article"><h1>关于发放示例补贴的通知</h1>
<p>各街道办事处、各有关单位：为了帮助困难家庭，现就发放示例补贴的事项通知如下。</p>
<h2>一、补贴标准</h2><p>补贴按照家庭人口计算，<strong>每人每月一百元</strong>。</p>
<table><tr><th>家庭人口</th><th>标准</th></tr><tr><td>两人</td><td>二百元</td></tr></table>
<ul><li>身份证</li><li>户口簿</li></ul>
<p>申请人可以到所在街道的服务窗口办理，也可以在网上办理，办理时间为十个工作日。</p>
<script>document.write("脚本里的话")</script></div>
<div class="footer">版权所有：示例市人民政府办公室</div></body></html>"""


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_government_page_gives_its_content_with_structure_and_facts(tmp_path, encoding):
    document = read_document(write(tmp_path, "a.html", PAGE.encode(encoding)))
    assert document.title == "关于发放示例补贴的通知"
    assert document.metadata["date"] == "2031-07-29"
    assert document.metadata["issuer"] == "示例市财政局"
    assert "## 一、补贴标准" in document.text
    assert "每人每月一百元。" in document.text
    assert "| 两人 | 二百元 |" in document.text
    assert "- 身份证" in document.text
    assert "脚本里的话" not in document.text
    assert "政务公开" not in document.text


def test_the_article_title_of_the_page_wins_and_a_site_name_is_cut_off(tmp_path):
    meta = '<meta name="ArticleTitle" content="真正的标题">'
    page = "<html><head>%s<title>%s</title></head><body><p>%s</p></body></html>"
    with_meta = write(tmp_path, "a.html", page % (meta, "栏目 - 某网", "内容有一句话。"))
    without = write(tmp_path, "b.htm", page % ("", "补贴怎么领 - 示例市政府网", "内容有一句话。"))
    assert read_document(with_meta).title == "真正的标题"
    assert read_document(without).title == "补贴怎么领"
    assert "内容有一句话。" in read_document(without).text


def test_what_a_page_strikes_out_is_not_read(tmp_path):
    struck = (
        "每月<del>100元</del><s>120元</s><span style='text-decoration: line-through'>130元</span>"
    )
    page = f"<html><body><p>{struck}150元，<ins>可以</ins>按<u>季度</u>付。</p></body></html>"
    assert read_document(write(tmp_path, "a.html", page)).text == "每月150元，可以按季度付。"


def test_raised_and_lowered_characters_of_a_page_are_read_without_tags(tmp_path):
    words = "面积在30m<sup>2</sup>以上，每年排放CO<sub>2</sub>在10<sup><i>5</i></sup>克以内。"
    page = f"<html><body><p>{words}</p></body></html>"
    text = read_document(write(tmp_path, "a.html", page)).text
    assert text == "面积在30m²以上，每年排放CO2在10⁵克以内。"


def test_what_cells_of_a_page_merged_downwards_say_every_row_says(tmp_path):
    rows = [
        "<th rowspan=2>事项</th><th colspan=2>收费</th><th rowspan='2'>备注</th>",
        "<th>首次</th><th>补发</th>",
        f"<td rowspan=2>身份证</td><td>免费</td><td>40元</td><td rowspan=2>{'说明' * 150}</td>",
        "<td>减半</td><td>20元</td>",
    ]
    table = f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
    page = f"<html><body><p>各项收费的标准如下，请知悉。</p>{table}</body></html>"
    lines = read_document(write(tmp_path, "a.html", page)).text.split("\n")[2:]
    cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines]
    assert cells[0] == ["事项", "收费", "", "备注"]
    assert cells[2] == ["事项", "首次", "补发", "备注"]
    assert cells[3][:3] == ["身份证", "免费", "40元"]
    assert cells[4] == ["身份证", "减半", "20元"]


# --- Word ---------------------------------------------------------------------------------------


def test_a_word_file_gives_headings_and_tables_in_their_order(tmp_path):
    def build(document):
        document.add_heading("办理示例证的指南", 0)
        document.add_heading("一、条件", 1)
        document.add_paragraph("年满十八周岁。")
        table = document.add_table(rows=3, cols=2)
        for row, cells in enumerate(
            [("项目", "费用"), ("首次|补发", "十元\n二十元"), ("", "三十元")]
        ):
            for column, words in enumerate(cells):
                table.cell(row, column).text = words
        table.cell(1, 0).merge(table.cell(2, 0))
        document.add_paragraph("以上费用由窗口收取。")

    document = read_document(docx_file(tmp_path / "指南.docx", build))
    assert document.title == "办理示例证的指南"
    assert document.text.split("\n\n") == [
        "# 办理示例证的指南",
        "## 一、条件",
        "年满十八周岁。",
        "| 项目 | 费用 |\n| --- | --- |\n| 首次\\|补发 | 十元 二十元 |\n| 首次\\|补发 | 三十元 |",
        "以上费用由窗口收取。",
    ]


def test_numbers_that_word_counts_itself_are_written_out(tmp_path):
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    def build(document):
        numbering = document.part.numbering_part.element
        levels = "".join(
            f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="{fmt}"/>'
            f'<w:lvlText w:val="{label}"/></w:lvl>'
            for depth, (fmt, label) in enumerate(
                [("chineseCounting", "第%1条"), ("chineseCounting", "（%2）"), ("decimal", "%3.")]
            )
        )
        ns = nsdecls("w")
        abstract = f'<w:abstractNum {ns} w:abstractNumId="77">{levels}</w:abstractNum>'
        numbering.insert(0, parse_xml(abstract))
        numbering.append(
            parse_xml(f'<w:num {ns} w:numId="77"><w:abstractNumId w:val="77"/></w:num>')
        )
        for depth, words in [
            (0, "目的。"),
            (1, "甲。"),
            (1, "乙。"),
            (0, "范围。"),
            (1, "丙。"),
            (2, "丁。"),
        ]:
            paragraph = document.add_paragraph(words)
            paragraph._p.get_or_add_pPr().append(
                parse_xml(f'<w:numPr {ns}><w:ilvl w:val="{depth}"/><w:numId w:val="77"/></w:numPr>')
            )

    text = read_document(docx_file(tmp_path / "办法.docx", build)).text
    assert text.split("\n\n") == [
        "第一条 目的。", "（一）甲。", "（二）乙。", "第二条 范围。", "（一）丙。", "1. 丁。",
    ]  # fmt: skip


def test_a_list_that_starts_again_is_counted_anew(tmp_path):
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    ns = nsdecls("w")

    def build(document):
        numbering = document.part.numbering_part.element
        numbering.insert(
            0,
            parse_xml(
                f'<w:abstractNum {ns} w:abstractNumId="77"><w:lvl w:ilvl="0"><w:start w:val="1"/>'
                '<w:numFmt w:val="decimal"/><w:lvlText w:val="%1、"/></w:lvl></w:abstractNum>'
            ),
        )
        again = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
        for id_, override in [(77, ""), (78, again), (79, "")]:
            number = f'<w:num {ns} w:numId="{id_}"><w:abstractNumId w:val="77"/>{override}</w:num>'
            numbering.append(parse_xml(number))
        for id_, words in [(77, "甲"), (77, "乙"), (78, "丙"), (78, "丁"), (79, "戊")]:
            of = f'<w:numPr {ns}><w:ilvl w:val="0"/><w:numId w:val="{id_}"/></w:numPr>'
            document.add_paragraph(words)._p.get_or_add_pPr().append(parse_xml(of))

    text = read_document(docx_file(tmp_path / "办法.docx", build)).text
    assert text.split("\n\n") == ["1、甲", "2、乙", "1、丙", "2、丁", "3、戊"]


@pytest.mark.parametrize("mark", ["vanish", "strike", "dstrike"])
def test_only_what_is_hidden_or_struck_out_is_passed_over(tmp_path, mark):
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    def build(document):
        paragraph = document.add_paragraph("")
        for words, value in [("明", ' w:val="0"'), ("白", ' w:val="false"'), ("暗", "")]:
            hidden = f"<w:rPr><w:{mark}{value}/></w:rPr>"
            run = f"<w:r {nsdecls('w')}>{hidden}<w:t>{words}</w:t></w:r>"
            paragraph._p.append(parse_xml(run))

    assert read_document(docx_file(tmp_path / "a.docx", build)).text == "明白"


def word_xml(tmp_path, body):
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    def build(document):
        for element in parse_xml(f"<w:body {nsdecls('w')}>{body}</w:body>"):
            document.element.body.insert_element_before(element, "w:sectPr")

    return read_document(docx_file(tmp_path / "a.docx", build)).text


def paragraph(words):
    return f"<w:p><w:r><w:t>{words}</w:t></w:r></w:p>"


def table(*rows):
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"


def cell(content):
    return f"<w:tc>{content}</w:tc>"


def test_a_text_box_is_not_glued_to_the_text_around_it(tmp_path):
    box = f"<w:pict><w:txbxContent>{paragraph('电话 0595-22500011')}</w:txbxContent></w:pict>"
    body = f"<w:p><w:r><w:t>咨询</w:t></w:r><w:r>{box}<w:t>2024年5月1日起受理</w:t></w:r></w:p>"
    assert word_xml(tmp_path, body).split("\n") == [
        "咨询",
        "电话 0595-22500011",
        "2024年5月1日起受理",
    ]


def test_a_table_in_a_frame_of_one_cell_is_a_table(tmp_path):
    cells = [cell(paragraph(words)) for words in ("项目", "费用", "补发", "十元")]
    fees = table("".join(cells[:2]), "".join(cells[2:]))
    framed = table(cell(paragraph("收费标准") + fees + paragraph("由窗口收取。")))
    assert word_xml(tmp_path, framed).split("\n\n") == [
        "收费标准",
        "| 项目 | 费用 |\n| --- | --- |\n| 补发 | 十元 |",
        "由窗口收取。",
    ]


def test_a_row_that_begins_further_right_stays_below_its_heads(tmp_path):
    cells = {words: cell(paragraph(words)) for words in ("项目", "费用", "补发", "十元", "八元")}
    indent = '<w:trPr><w:gridBefore w:val="1"/></w:trPr>'
    body = table(
        cells["项目"] + cells["费用"], cells["补发"] + cells["十元"], indent + cells["八元"]
    )
    assert word_xml(tmp_path, body).split("\n")[2:] == ["| 补发 | 十元 |", "|  | 八元 |"]


def test_inserted_text_is_read_and_deleted_text_is_not(tmp_path):
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    def build(document):
        paragraph = document.add_paragraph("费用为")
        for tag, inner in [("del", "<w:delText>十元</w:delText>"), ("ins", "<w:t>二十元</w:t>")]:
            paragraph._p.append(
                parse_xml(
                    f'<w:{tag} {nsdecls("w")} w:id="1" w:author="a"><w:r>{inner}</w:r></w:{tag}>'
                )
            )

    assert read_document(docx_file(tmp_path / "a.docx", build)).text == "费用为二十元"


def test_an_outline_level_makes_a_heading_without_a_style(tmp_path):
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    def build(document):
        paragraph = document.add_paragraph("二、办理流程")
        paragraph._p.get_or_add_pPr().append(parse_xml(f'<w:outlineLvl {nsdecls("w")} w:val="1"/>'))
        document.add_paragraph("先取号。")

    assert read_document(docx_file(tmp_path / "a.docx", build)).text.startswith("## 二、办理流程")


@pytest.mark.parametrize(
    ("number", "written"),
    [(1, "一"), (10, "十"), (12, "十二"), (20, "二十"), (105, "一百零五"), (110, "一百一十")],
)
def test_articles_are_numbered_as_laws_number_them(number, written):
    assert chinese_number(number) == written


# --- PDF ----------------------------------------------------------------------------------------


def test_a_pdf_loses_its_line_ends_page_numbers_and_running_heads(tmp_path):
    head = "示例市便民服务手册"
    pages = [
        [
            head,
            "关于示例市便民服务的说明",
            "服务中心设有八个窗口，每个窗口都有工作人",
            "员为群众解答问题，遇到不清楚的事情可以随时询",
            "- 1 -",
        ],
        [
            head,
            "问。节假日照常开放，开放时间由服务中心另行公",
            "布在门口的公告栏里，并同时在网上公布以便查",
            "询。",
            "- 2 -",
        ],
        [head, "办理时请带身份证。", "- 3 -"],
    ]
    document = read_document(write(tmp_path, "手册.pdf", pdf(*pages)))
    assert document.title == "关于示例市便民服务的说明"
    assert document.text.split("\n") == [
        "关于示例市便民服务的说明",
        "服务中心设有八个窗口，每个窗口都有工作人员为群众解答问题，遇到不清楚的事情可以随时询问。"
        "节假日照常开放，开放时间由服务中心另行公布在门口的公告栏里，并同时在网上公布以便查询。",
        "办理时请带身份证。",
    ]


@pytest.mark.parametrize(
    "pages",
    [
        [["养老金补差标准", "1950"]],
        [["首页", "800", "900"], ["停车费每月", "1200"]],
        [["甲事项收费", "20"], ["乙事项收费", "20"], ["丙事项收费", "20"]],
        [["甲区合计 1950"], ["乙区合计 800"], ["丙区合计 1200"]],
        [["2024", "年度收费标准"], ["甲事项收费", "30"]],
        [
            ["一等奖奖金", "800", "- 1 -"],
            ["二等奖奖金", "500", "- 2 -"],
            ["三等奖", "300", "3/3页"],
        ],
        [["一等奖奖金", "800", "1"], ["二等奖奖金", "500", "2"], ["三等奖奖金", "300", "3"]],
    ],
)
def test_amounts_at_the_edge_of_a_pdfs_page_are_kept(tmp_path, pages):
    text = read_document(write(tmp_path, "标准.pdf", pdf(*pages))).text
    amounts = [line for lines in pages for line in lines if line not in PAGE_NUMBERS]
    assert text.split("\n") == amounts


PAGE_NUMBERS = {"1", "2", "3", "- 1 -", "- 2 -", "3/3页"}


@pytest.mark.parametrize(
    "footer",
    ["{}", "- {} -", "第{}页", "第 {} 页 共 4 页", "{} / 4", "示例手册 {}", "2024年版 第{}页"],
)
def test_page_numbers_are_left_out_however_they_are_written(tmp_path, footer):
    pages = [[f"{name}事项当场办结。", footer.format(n)] for n, name in enumerate("甲乙丙丁", 1)]
    text = read_document(write(tmp_path, "手册.pdf", pdf(*pages))).text
    assert text.split("\n") == [page[0] for page in pages]


def test_page_numbers_are_left_out_where_they_start_again_and_where_there_is_one_page(tmp_path):
    pages = [["手册", f"{w}事项。", n] for w, n in zip("甲乙丙丁戊", "12312", strict=True)]
    text = read_document(write(tmp_path, "a.pdf", pdf(*pages))).text
    assert text.split("\n") == ["甲事项。", "乙事项。", "丙事项。", "丁事项。", "戊事项。"]
    assert read_document(write(tmp_path, "b.pdf", pdf(["当场办结。", "1"]))).text == "当场办结。"


# --- tables and rows ----------------------------------------------------------------------------


def test_a_workbook_is_one_document_of_tables(tmp_path):
    path = xlsx_file(
        tmp_path / "收费标准.xlsx",
        停车=[["地段", "每小时"], ["中心|老城", 5], ["郊区\n新城", 2.5], [None, None]],
        空表=[],
        公交=[["线路", "票价"], ["1路", 2.0]],
    )
    document = read_document(path)
    assert document.title == "收费标准"
    assert document.text == (
        "# 停车\n\n| 地段 | 每小时 |\n| --- | --- |\n| 中心\\|老城 | 5 |\n| 郊区 新城 | 2.5 |\n\n"
        "# 公交\n\n| 线路 | 票价 |\n| --- | --- |\n| 1路 | 2 |"
    )


@pytest.mark.parametrize(
    ("value", "shown_as", "read"),
    [
        (0.05, "0%", "5%"),
        (0.125, "0.0%;[Red]-0.0%", "12.5%"),
        (1 / 3, "0.00%", "33.33%"),
        (0.03575, "0.000%", "3.575%"),
        (0.0005, "0.000%", "0.05%"),
        (0.03575, "0.0000%", "3.575%"),
        (1.0, "0.00%", "100%"),
        (2, "0%", "200%"),
        (595, "0000", "0595"),
        (350526, "000000", "350526"),
        (2.5, "0.00", "2.5"),
        (100, '0"% 以上"', "100"),
        (1e16, "General", "10000000000000000"),
        (0.00001, "General", "0.00001"),
        (datetime(2024, 5, 1), 'yyyy"年"m"月"', "2024年5月"),
        (datetime(2024, 5, 1), "yyyy", "2024年"),
        (datetime(2024, 5, 1), 'm"月"d"日"', "5月1日"),
        (datetime(2024, 5, 1), "yyyy/m/d", "2024-05-01"),
        (datetime(2024, 5, 1, 9, 30), "h:mm", "2024-05-01 09:30:00"),
    ],
)
def test_a_cell_is_read_as_the_sheet_shows_it(tmp_path, value, shown_as, read):
    def build(sheet):
        sheet.append([value])
        sheet["A1"].number_format = shown_as

    assert workbook(tmp_path, build) == f"# Sheet\n\n| {read} |\n| --- |"


def workbook(folder, build):
    import openpyxl

    book = openpyxl.Workbook()
    build(book.active)
    book.save(folder / "a.xlsx")
    return read_document(folder / "a.xlsx").text


def test_what_cells_merged_downwards_say_every_row_says(tmp_path):
    def build(sheet):
        for row in [
            ["事项", "收费", None, "备注"],
            [None, "首次", "补发", None],
            ["身份证", "免费", 40, "当场办结"],
            ["居住证", "免费", 20],
            [],
            ["注：以上由窗口收取。"],
            [],
        ]:
            sheet.append(row)
        for cells in ("A1:A2", "B1:C1", "D1:D2", "D3:D4", "A6:D7"):
            sheet.merge_cells(cells)

    assert workbook(tmp_path, build).split("\n")[2:] == [
        "| 事项 | 收费/首次 | 收费/补发 | 备注 |",
        "| --- | --- | --- | --- |",
        "| 身份证 | 免费 | 40 | 当场办结 |",
        "| 居住证 | 免费 | 20 | 当场办结 |",
        "| 注：以上由窗口收取。 |  |  |  |",
    ]


def test_a_hidden_sheet_is_not_read(tmp_path):
    def build(sheet):
        sheet.append(["事项", "公开的"])
        for number, state in enumerate(["hidden", "veryHidden"]):
            other = sheet.parent.create_sheet(f"草稿{number}")
            other.append(["事项", "未定的"])
            other.sheet_state = state

    text = workbook(tmp_path, build)
    assert "公开的" in text
    assert "未定的" not in text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_csv_file_without_text_columns_is_one_table(tmp_path, encoding):
    content = '单位,电话\n"示例市,医保局",12345\n'.encode(encoding)
    document = read_document(write(tmp_path, "电话.csv", content))
    assert document.text == "| 单位 | 电话 |\n| --- | --- |\n| 示例市,医保局 | 12345 |"


def test_rows_with_title_and_text_are_documents_in_csv_and_xlsx(tmp_path):
    rows = [
        ["id", "Title", "text", "issuer"],
        ["a1", "甲", "甲的内容。", "甲局"],
        ["", "乙", "", ""],
        ["", "丙", "丙的内容。"],
    ]
    table = "\n".join(",".join(row) for row in rows)
    for path in (write(tmp_path, "a.csv", table), xlsx_file(tmp_path / "a.xlsx", 表=rows)):
        first, bad, last = read_documents(path)
        assert (first.id, first.title, first.text) == ("a1", "甲", "甲的内容。")
        assert first.source == f"{path}#a1"
        assert first.metadata["issuer"] == "甲局"
        assert bad.path == f"{path}:3"
        assert "text" in bad.error
        assert last.title == "丙"
        assert last.source == f"{path}#{last.id}"


def test_one_bad_line_of_many_is_named_and_the_others_are_read(tmp_path):
    lines = [
        json.dumps(
            {
                "_id": 7,
                "title": "甲",
                "text": "\u3000甲的\x00内容。",
                "url": "u",
                "a": {"b": 1},
                "n": 3,
            }
        ),
        "{broken",
        '["a list"]',
        json.dumps({"title": "无内容", "text": "  "}),
        json.dumps({"title": "数字", "text": 5}),
        "[" * 100_000,
        json.dumps({"_id": "7", "title": "重复", "text": "又一个。"}),
        "",
        json.dumps({"title": "", "text": "第一句话说完了。第二句。\ud800"}),
    ]
    path = write(tmp_path, "a.jsonl", "\n".join(lines))
    found = list(read_documents(path))
    good = [item for item in found if not isinstance(item, ReadFailure)]
    bad = [item for item in found if isinstance(item, ReadFailure)]
    assert [item.path for item in bad] == [f"{path}:{line}" for line in (2, 3, 4, 5, 6, 7)]
    assert "第 1 行" in bad[-1].error
    assert [(d.id, d.title, d.text) for d in good[:1]] == [("7", "甲", "甲的内容。")]
    assert good[0].metadata == {"url": "u", "n": "3"}
    assert good[1].title == "第一句话说完了"
    assert good[1].text == "第一句话说完了。第二句。"


def test_rows_in_gb18030_are_read_and_rows_come_one_by_one(tmp_path):
    line = json.dumps({"title": "甲", "text": "内容。"}, ensure_ascii=False)
    path = write(tmp_path, "a.jsonl", f"{line}\n{line}\n".encode("gb18030") + b"\xff\xff\n")
    documents = read_documents(path)
    assert [d.text for d in itertools.islice(documents, 2)] == ["内容。", "内容。"]
    assert next(documents).path.endswith(":3")


def test_facts_given_with_a_row_win_over_those_in_its_text(tmp_path):
    given_facts = {"issuer": "给定的局", "document_number": "（办事指引）", "date": ""}
    row = {"title": "示例市教育局关于做好入学登记工作的通知", "text": NOTICE} | given_facts
    (document,) = read_documents(write(tmp_path, "a.jsonl", json.dumps(row)))
    assert document.metadata["issuer"] == "给定的局"
    assert document.metadata["document_number"] == "（办事指引）"
    assert document.metadata["date"] == "2031-02-03"


def test_a_date_that_is_none_stops_no_row_and_reaches_no_document(tmp_path):
    dates = ["2024", "2024.5.1", "2024/5/1", "2024年5月1日", "很久以前"]
    rows = [f"第{n}号,本办法自发布之日起施行。,{date}" for n, date in enumerate(dates)]
    table = "\n".join(["title,text,date", *rows])
    documents = list(read_documents(write(tmp_path, "a.csv", table)))
    day = "2024-05-01"
    assert [d.metadata.get("date") for d in documents] == [None, day, day, day, None]
    assert [d.metadata.get("effective") for d in documents] == [None, day, day, day, None]


def test_dates_of_front_matter_are_written_as_iso_dates(tmp_path):
    text = "---\nexpires: 2025.1.31\neffective: 长期\n---\n# 示例指南\n内容。\n"
    (document,) = read_documents(write(tmp_path, "a.md", text))
    assert document.metadata == {"expires": "2025-01-31"}


def test_a_date_in_a_files_name_that_does_not_exist_is_none(tmp_path):
    path = write(tmp_path, "办法(2024-13-45).txt", "示例办法\n本办法自发布之日起施行。")
    (document,) = read_documents(path)
    assert "date" not in document.metadata


@given(st.lists(st.lists(st.text(max_size=8), max_size=4), max_size=6))
def test_a_markdown_table_has_one_line_for_each_row_and_equal_columns(rows):
    lines = markdown_table(rows).split("\n")
    if any(rows):
        assert len(lines) == len(rows) + 1
        assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


# --- finding files ------------------------------------------------------------------------------


def test_folders_are_walked_in_order_without_hidden_and_unknown_files(tmp_path):
    for name in [
        "b/二.txt",
        "b/一 份😀.md",
        ".git/x.md",
        "b/.hidden.txt",
        "b/~$a.docx",
        "a.exe",
        "A.TXT",
    ]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("内容", encoding="utf-8")
    found = list(find_files([tmp_path]))
    assert found == [tmp_path / "A.TXT", tmp_path / "b/一 份😀.md", tmp_path / "b/二.txt"]
    assert list(find_files([tmp_path, tmp_path / "A.TXT"])) == found


def test_loops_of_links_end_and_each_folder_is_read_once(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x.txt").write_text("内容", encoding="utf-8")
    (tmp_path / "a/up").symlink_to(tmp_path)
    (tmp_path / "z").symlink_to(tmp_path / "a")
    os.symlink(tmp_path / "self.txt", tmp_path / "self.txt")
    found = list(find_files([tmp_path]))
    assert [path for path in found if isinstance(path, Path)] == [tmp_path / "a/x.txt"]
    assert [item.path for item in found if isinstance(item, ReadFailure)] == [
        str(tmp_path / "self.txt")
    ]


def test_a_path_that_is_missing_or_of_another_kind_is_a_failure_that_helps(tmp_path):
    write(tmp_path, "a.exe", b"x")
    os.mkfifo(tmp_path / "pipe.txt")
    missing, other, pipe = find_files(
        [tmp_path / "没有.txt", tmp_path / "a.exe", tmp_path / "pipe.txt"]
    )
    assert "不存在" in missing.error
    assert missing.path == str(tmp_path / "没有.txt")
    assert ".docx" in other.error
    assert ".exe" in other.error
    assert "不是普通文件" in pipe.error
    assert list(find_files([tmp_path])) == []
