"""Web pages laid out by tables are read as the paragraphs that they show."""

import pytest

from knowledge.webpages import read_page

NOTICE = "各街道办事处：为了帮助困难家庭，现就发放示例补贴的事项通知如下。"
AMOUNT = "补贴按照家庭人口计算，每人每月一百元，由街道发放。"
PARAGRAPHS = f"<p>{NOTICE}</p><p>{AMOUNT}</p>"
DATA = "<table><tr><td>家庭人口</td><td>标准</td></tr><tr><td>两人</td><td>二百元</td></tr></table>"
READ = ["| 家庭人口 | 标准 |", "| 两人 | 二百元 |"]


def lines(body):
    page = read_page(f"<html><head><title>通知</title></head><body>{body}</body></html>")
    return [line.strip() for line in page.text.split("\n") if line.strip()]


def framed(*cells):
    return f"<table><tbody><tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr></tbody></table>"


@pytest.mark.parametrize(
    "body",
    [
        PARAGRAPHS + DATA,
        framed(PARAGRAPHS + DATA),
        framed("<a href=/>首页</a><br><a href=/b>互动</a>", PARAGRAPHS + DATA),
        framed(framed(framed(PARAGRAPHS + DATA))),
        framed(f"{NOTICE}<br>{AMOUNT}{DATA}"),
    ],
)
def test_a_table_around_a_page_is_no_table_and_one_within_it_is(body):
    assert lines(body) == [NOTICE, AMOUNT, *READ]


def test_a_column_beside_a_long_text_makes_no_table_of_it():
    paragraphs = [f"第{n}类家庭，{AMOUNT}逾期不补，可以到街道的服务窗口咨询。" for n in range(40)]
    text = "".join(f"<p>{one}</p>" for one in paragraphs)
    assert lines(framed("<a href=/>首页</a><br><a href=/b>互动</a>", text)) == paragraphs


def test_what_stands_in_one_column_is_kept_line_by_line():
    listed = "<table><tr><td>身份证</td></tr><tr><td>户口簿</td></tr></table>"
    assert lines(PARAGRAPHS + listed) == [NOTICE, AMOUNT, "身份证", "户口簿"]


def test_a_table_with_paragraphs_in_its_cells_or_one_column_of_heads_stays_a_table():
    rows = "<tr><td>流程</td><td><p>申请</p><p>受理</p><p>发证</p></td></tr>"
    heads = "<tr><th>材料</th></tr><tr><td>身份证</td></tr>"
    assert "| 流程 | 申请 受理 发证 |" in lines(f"{PARAGRAPHS}<table>{rows}</table>")
    assert "| 身份证 |" in lines(f"{PARAGRAPHS}<table>{heads}</table>")
