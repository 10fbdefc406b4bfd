"""The chat page: what it shows, and that nothing in a document can become part of the page."""

import logging
import re
from html import unescape
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from assistant.chain import Assistant
from assistant.types import Answer, Citation, Turn
from knowledge.base import KnowledgeBase
from knowledge.errors import HomeError
from knowledge.settings import load_settings
from knowledge.types import Document, Hit, Passage
from ui.chat import answering, make_page, questions_from, suggester
from ui.markup import answer_html, question_html, streamed_html
from ui.server import make_server_app
from ui.theme import theme

QUESTION = "青湖公园停车怎么收费"
NOTICE = Document(
    "parking",
    "青湖公园停车怎么收费",
    "# 青湖公园停车怎么收费\n\n停车首小时免费，之后每小时收费3元，每天最多收20元。\n",
    "/docs/parking.md",
    {"issuer": "青湖公园管理处", "document_number": "青园〔2024〕5号", "date": "2024-05-06"},
)
VOID = {"img", "br"}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    with KnowledgeBase(load_settings(home=tmp_path_factory.mktemp("chat"))) as base:
        base.add(NOTICE)
        yield base


@pytest.fixture(scope="module")
def assistant(base):
    return Assistant(base)


class Tags(HTMLParser):
    """Collects tags with their attributes, and checks that they nest."""

    def __init__(self, html):
        super().__init__()
        self.open, self.seen, self.text = [], [], ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def made_answer(text, start, end, source="/docs/a.md", **other):
    citation = Citation(
        1, "a", "标题", "一、总则", source, "2024-01-02", text[start:end], start, end
    )
    fields = {
        "question": "问", "corrected_question": "问", "answer": f"{text[start:end]}[1]",
        "status": "answered", "refused": False, "reason": "", "missing": (),
        "citations": (citation,), "mode": "extractive", "seconds": 0.1,
    }  # fmt: skip
    return Answer(**{**fields, **other})


def hit_of(text, **metadata):
    document = Document("a", "标题", "", "/docs/a.md", metadata)
    return Hit(1, 1.0, 1.0, 1.0, Passage(text, 0, len(text)), document)


def marked(html):
    return unescape("".join(re.findall(r"<mark>(.*?)</mark>", html)))


# -- what is shown


def test_a_source_shows_its_facts_and_the_quoted_words_in_their_passage():
    text = "第一条 总的规定。第二条 每小时收费3元。第三条 其他。"
    html = answer_html(
        made_answer(text, 9, 22, source="https://example.test/a"),
        [hit_of(text, issuer="管理处", document_number="青园〔2024〕5号", status="repealed")],
        "x",
    )
    shown = Tags(html).text
    for fact in ("标题", "一、总则", "管理处", "青园〔2024〕5号", "2024-01-02", "已废止"):
        assert fact in shown
    assert marked(html) == text[9:22]
    assert text in shown
    assert 'href="https://example.test/a"' in html


def test_the_mark_in_the_answer_leads_to_its_source():
    html = answer_html(made_answer("收费3元。", 0, 5), [hit_of("收费3元。")], "x7")
    assert 'href="#x7-1"' in html
    assert 'id="x7-1"' in html


def test_a_number_in_brackets_that_cites_nothing_stays_as_it_was():
    answer = made_answer("收费3元。", 0, 5, answer="见国发[2019]5号。[1]")
    assert "[2019]" in Tags(answer_html(answer, [], "x")).text


def test_a_refusal_looks_different_and_has_no_sources():
    answer = made_answer(
        "",
        0,
        0,
        answer="资料里没有。\n请拨打12345。",
        refused=True,
        citations=(),
        status="not_found",
    )
    html = answer_html(answer, [], "x")
    assert "xq-refusal" in html
    assert "12345" in html
    assert "xq-sources" not in html


def test_what_was_understood_is_said_only_when_it_differs():
    corrected = made_answer("收费", 0, 2, corrected_question="停车怎么收费")
    assert "停车怎么收费" in answer_html(corrected, [], "x")
    assert "理解" not in answer_html(made_answer("收费", 0, 2), [], "x")


def test_a_table_and_headings_are_drawn():
    text = "## 收费标准\n| 时间 | 收费 |\n|---|---|\n| 首小时 | 免费 |\n- 夜间不收费"
    html = answer_html(made_answer(text, 0, len(text)), [hit_of(text)], "x")
    assert "<td>免费</td>" in html
    assert "<td><mark> 免费 </mark></td>" in html
    assert "#" not in Tags(html).text
    assert "|" not in Tags(html).text


# -- nothing of a document becomes part of the page

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</div></details><iframe src=//x>",
    "`\"' onmouseover=alert(1) x='",
    "\n\n<b>x</b>\n\n# y\n\n[z](javascript:alert(1))",
    "\ue001<b>\ue000",
    "甲\r\r<b>乙</b>\u2028丙",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_text(text):
    answer = made_answer(text, 0, len(text), answer=f"{text}[1]")
    for html in (
        question_html(text),
        streamed_html(text),
        answer_html(answer, [hit_of(text, issuer=text, validity=text)], "x"),
        answer_html(answer, [], "x"),
    ):
        seen = Tags(html).seen
        assert {tag for tag, _ in seen} <= {
            "div", "p", "a", "span", "strong", "mark", "details", "summary", "h2",
        }  # fmt: skip
        assert not any(name.startswith("on") for _, attributes in seen for name in attributes)
        assert all("javascript" not in (attributes.get("href") or "") for _, attributes in seen)
        assert (
            len(html.splitlines()) == 1
        )  # a blank line would hand the rest to the Markdown reader


@pytest.mark.parametrize("source", ["javascript:alert(1)", "/docs/a.md", "file:///etc/passwd"])
def test_only_web_addresses_become_links(source):
    html = answer_html(made_answer("收费", 0, 2, source=source), [hit_of("收费")], "x")
    assert "查看原文" not in html


PIECES = st.lists(
    st.sampled_from(["收费", "\n", "| a | b |", "\n# ", "\n- ", "> ", "<b>", "|", "&", "\ue000"])
)


@given(PIECES.map("".join), st.data())
def test_any_quote_is_highlighted_and_the_tags_nest(text, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    html = answer_html(made_answer(text, start, end), [hit_of(text)], "x")
    Tags(html)
    signs = r"[\s|#>•\-\ue000□]"
    assert re.sub(signs, "", marked(html)) == re.sub(signs, "", text[start:end])


# -- a conversation


def test_an_answer_streams_and_is_remembered(assistant):
    steps = list(answering(assistant, QUESTION, [], []))
    shown = [messages for _, messages, _ in steps]
    assert [message["role"] for message in shown[0]] == ["user"]
    assert "xq-sources" not in shown[1][-1]["content"]
    assert "xq-sources" in shown[-1][-1]["content"]
    assert "青园〔2024〕5号" in shown[-1][-1]["content"]
    history = steps[-1][2]
    assert [turn.role for turn in history] == ["user", "assistant"]
    assert history[0] == Turn("user", QUESTION)
    follow_up = list(answering(assistant, "那收费多少呢", shown[-1], history))[-1]
    assert "20元" in follow_up[1][-1]["content"]
    assert len(follow_up[2]) == 4


def test_an_empty_question_changes_nothing(assistant):
    ((_, messages, history),) = answering(assistant, "  ", [], [])
    assert (messages, history) == ([], [])


def test_a_question_too_long_is_refused_politely_and_not_remembered(assistant):
    _, messages, history = list(answering(assistant, "问" * 3000, [], []))[-1]
    assert "太长" in messages[-1]["content"]
    assert history == []


@pytest.mark.parametrize(
    ("error", "told"), [(HomeError("数据文件夹满了。"), "满了"), (OSError("/secret"), "稍后再试")]
)
def test_a_failure_is_a_polite_message(error, told, caplog):
    class Failing:
        def ask(self, question, history=()):
            raise error

    with caplog.at_level(logging.DEBUG):
        _, messages, _ = list(answering(Failing(), "我的病历", [], []))[-1]
    assert told in messages[-1]["content"]
    assert "secret" not in messages[-1]["content"]
    assert "我的病历" not in caplog.text


# -- the start


def test_questions_to_start_with_are_answered_by_the_documents(sample_base):
    suggestions = suggester(sample_base)()
    titles = " ".join(record.title for record in sample_base.documents())
    assert len(suggestions) == 6
    for question in suggestions:
        assert question in titles
        assert not Assistant(sample_base).ask(question).answer().refused


def test_new_documents_are_suggested_and_removed_ones_are_not(tmp_path):
    with KnowledgeBase(load_settings(home=tmp_path)) as base:
        suggest = suggester(base)
        assert suggest() == []
        base.add(NOTICE)
        assert suggest() == [NOTICE.title]
        base.remove([NOTICE.id])
        assert suggest() == []


def test_titles_become_questions():
    assert questions_from(["低保怎么申请（示例）"]) == ["低保怎么申请"]
    assert questions_from(["《停车办法》"]) == ["《停车办法》讲了什么"]
    assert questions_from(["长" * 40]) == []


# -- the page


def test_the_page_asks_no_other_host_for_anything(base, assistant):
    client = TestClient(make_server_app(base, assistant))
    page = client.get("/").text
    assert "小泉" in page
    loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"', page)
    assert loaded
    assert not [address for address in loaded if re.match(r"(https?:)?//", address)]
    assert "https" not in theme()._get_theme_css()
    assert client.get("/api/documents").json()
    assert client.get("/docs").status_code == 200


def test_gradio_offers_no_functions_to_others_and_reports_nothing(base, assistant):
    page = make_page(base, assistant)
    assert page.analytics_enabled is False
    assert page.get_api_info()["named_endpoints"] == {}
