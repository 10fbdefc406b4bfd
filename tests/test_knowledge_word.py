"""What Word keeps apart from the text, such as notes, is read where it belongs."""

import docx
import pytest
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from knowledge.readers import read_document
from knowledge.splitting import sentences

NS = nsdecls("w")


def word_file(path, kind, notes, body):
    """A file with notes of a kind (footnotes, endnotes), as Word writes them.

    In the body, ``[1]`` refers to the first.
    """
    document = docx.Document()
    one = kind.removesuffix("s")
    xml = f'<w:{one} w:type="separator" w:id="-1"><w:p><w:r><w:separator/></w:r></w:p></w:{one}>'
    for number, words in enumerate(notes, 1):
        xml += (
            f'<w:{one} w:id="{number}"><w:p><w:r><w:{one}Ref/></w:r>'
            f"<w:r><w:t> {words}</w:t></w:r></w:p></w:{one}>"
        )
    part = Part(
        PackURI(f"/word/{kind}.xml"),
        f"application/vnd.openxmlformats-officedocument.wordprocessingml.{kind}+xml",
        f"<w:{kind} {NS}>{xml}</w:{kind}>".encode(),
        document.part.package,
    )
    document.part.relate_to(part, getattr(RELATIONSHIP_TYPE, kind.upper()))
    for number in range(1, len(notes) + 1):
        reference = f'</w:t></w:r><w:r><w:{one}Reference w:id="{number}"/></w:r><w:r><w:t>'
        body = body.replace(f"[{number}]", reference)
    for element in parse_xml(f"<w:body {NS}>{body}</w:body>"):
        document.element.body.insert_element_before(element, "w:sectPr")
    document.save(str(path))
    return path


def paragraph(words, style=""):
    look = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{look}<w:r><w:t>{words}</w:t></w:r></w:p>"


@pytest.mark.parametrize("kind", ["footnotes", "endnotes"])
def test_a_note_is_quoted_with_the_sentence_that_it_is_on(tmp_path, kind):
    notes = ["仅限本市户籍。", "指2024年标准"]
    body = paragraph("补贴为每人500元。[1]标准[2]每年公布。")
    text = read_document(word_file(tmp_path / "a.docx", kind, notes, body)).text
    assert [text[start:end] for start, end in sentences(text)] == [
        "补贴为每人500元（注：仅限本市户籍）。",
        "标准（注：指2024年标准）每年公布。",
    ]


def test_a_note_of_several_sentences_stands_below_its_paragraph(tmp_path):
    notes = ["仅限本市户籍。外地户籍减半。"]
    body = paragraph("补贴为每人500元[1]，按月发放。") + paragraph("逾期不补。")
    text = read_document(word_file(tmp_path / "a.docx", "footnotes", notes, body)).text
    assert text.split("\n\n") == [
        "补贴为每人500元，按月发放。",
        "注：仅限本市户籍。外地户籍减半。",
        "逾期不补。",
    ]


def test_a_note_on_a_title_or_heading_is_no_part_of_it(tmp_path):
    notes = ["本办法由示例局解释。", "含试用期"]
    body = paragraph("示例补贴办法[1]") + paragraph("一、条件[2]", "Heading1")
    body += paragraph("年满十八周岁。")
    document = read_document(word_file(tmp_path / "a.docx", "footnotes", notes, body))
    assert document.title == "一、条件"
    assert document.text.split("\n\n") == [
        "示例补贴办法",
        "注：本办法由示例局解释。",
        "# 一、条件",
        "注：含试用期",
        "年满十八周岁。",
    ]


def test_a_note_on_a_tables_cell_stays_in_its_row(tmp_path):
    def row(*cells):
        return f"<w:tr>{''.join(f'<w:tc>{paragraph(words)}</w:tc>' for words in cells)}</w:tr>"

    notes = ["不含押金。押金|另收。"]
    body = f"<w:tbl>{row('项目', '费用')}{row('补发', '10元[1]')}</w:tbl>"
    text = read_document(word_file(tmp_path / "a.docx", "footnotes", notes, body)).text
    assert text.split("\n")[2] == r"| 补发 | 10元（注：不含押金。押金\|另收） |"


def test_a_note_that_is_not_there_or_was_deleted_leaves_nothing_behind(tmp_path):
    run = '<w:r><w:footnoteReference w:id="{}"/></w:r>'
    deleted = f'<w:del w:id="5" w:author="a">{run.format(1)}</w:del>'
    body = f"<w:p><w:r><w:t>免费，</w:t></w:r>{run.format(9)}{deleted}</w:p>"
    body += f"<w:p>{run.format(9)}</w:p>"
    path = word_file(tmp_path / "a.docx", "footnotes", ["旧的说明"], body)
    assert read_document(path).text == "免费，"
