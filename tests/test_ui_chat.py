"""The chat page: what it shows, and that nothing in a document can become part of the page."""

import logging
import re
import sqlite3
from base64 import b64encode
from contextlib import closing
from html import unescape
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from assistant.chain import Assistant
from assistant.history import History
from assistant.types import Answer, Citation
from knowledge.base import KnowledgeBase
from knowledge.errors import HomeError
from knowledge.settings import load_settings
from knowledge.types import Document
from ui.chat import make_page, stopped
from ui.conversing import Asked, Desk, answering, opened
from ui.exchanges import Place, answer_html, exchange_html, streamed_html
from ui.keys import Keys
from ui.markup import lines
from ui.markup import marked as marked_html
from ui.server import make_server_app
from ui.sources import reader_html, source_html
from ui.suggesting import Suggester, question_about, questions_from
from ui.theme import theme
from ui.tiles import TILES, asked_most

QUESTION = "青湖公园停车怎么收费"
ME = "a-token-of-one-browser"
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
def desk(base):
    return Desk(base, Assistant(base), History(base.settings), Suggester(base))


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


def made_answer(text, start, end, **other):
    citation = Citation(
        1, "a", "标题", "一、总则", "/docs/a.md", "2024-01-02", text[start:end], start, end
    )
    fields = {
        "question": "问", "corrected_question": "问", "answer": f"{text[start:end]}[1]",
        "status": "answered", "refused": False, "reason": "", "missing": (),
        "citations": (citation,), "mode": "extractive", "seconds": 0.1,
    }  # fmt: skip
    return Answer(**{**fields, **other})


class OneDocument:
    """A knowledge base of one document, as far as a source needs it."""

    def __init__(self, text, **metadata):
        self._document = Document("a", "标题", text, "/docs/a.md", metadata)

    def document(self, document_id):
        return self._document if document_id == "a" else None

    def passages(self, _document_id):
        return []


def place_of(text, start, end):
    return Place.of(made_answer(text, start, end).citations[0])


def marked(html):
    return unescape("".join(re.findall(r"<mark>(.*?)</mark>", html)))


# -- what is shown


def test_a_source_shows_its_facts_and_the_quoted_words_in_their_passage(base, desk):
    answer = desk.assistant.ask(QUESTION).answer()
    html = source_html(base, Place.of(answer.citations[0]))
    shown = Tags(html).text
    for fact in (NOTICE.title, "青湖公园管理处", "青园〔2024〕5号", "2024-05-06"):
        assert fact in shown
    assert "每小时收费3元" in marked(html)


def test_the_reader_says_the_title_once_and_marks_the_same_words(base, desk):
    answer = desk.assistant.ask(QUESTION).answer()
    html = reader_html(base, Place.of(answer.citations[0]))
    assert Tags(html).text.count(NOTICE.title) == 1
    assert "每小时收费3元" in marked(html)


def test_a_document_says_that_it_is_repealed_and_where_its_original_is():
    text = "收费3元。"
    place = place_of(text, 0, 5)
    html = source_html(OneDocument(text, status="repealed", url="https://example.test/a"), place)
    assert "已废止" in html
    assert 'href="https://example.test/a"' in html


def test_a_document_that_was_changed_since_marks_nothing_wrong():
    place = place_of("收费3元。", 0, 5)
    changed = OneDocument("现在收费5元。")
    assert "更新过" in source_html(changed, place)
    assert marked(source_html(changed, place)) == ""
    assert marked(reader_html(changed, place)) == ""


def test_the_mark_in_the_answer_leads_to_its_source():
    answer = made_answer("收费3元。", 0, 5)
    address = unescape(re.search('href="(page/source[^"]+)"', answer_html(answer))[1])
    assert address == Place.of(answer.citations[0]).address("source")


def test_a_number_in_brackets_that_cites_nothing_stays_as_it_was():
    answer = made_answer("收费3元。", 0, 5, answer="见国发[2019]5号。[1]")
    assert "[2019]" in Tags(answer_html(answer)).text


def test_a_refusal_looks_different_has_no_sources_and_offers_a_next_step():
    answer = made_answer(
        "",
        0,
        0,
        answer="资料里没有。\n请拨打12345。",
        refused=True,
        citations=(),
        status="not_found",
    )
    html = answer_html(answer)
    assert "xq-refusal" in html
    assert "xq-sources" not in html
    assert 'href="tel:12345"' in html


def test_a_refusal_that_offers_the_nearest_passage_leads_to_it(sample_base):
    answer = Assistant(sample_base).ask("养老认证一年几次").answer()
    assert answer.refused
    (citation,) = answer.citations
    html = answer_html(answer)
    assert "xq-refusal" in html
    assert "[1]" not in Tags(html).text
    led = re.findall('href="(page/source[^"]+)"', html)
    assert list(map(unescape, led)) == 2 * [Place.of(citation).address("source")]
    assert citation.title in html.partition("xq-sources")[2]


def test_what_was_understood_is_said_only_when_it_differs():
    corrected = made_answer("收费", 0, 2, corrected_question="停车怎么收费")
    assert "停车怎么收费" in answer_html(corrected)
    assert "理解" not in answer_html(made_answer("收费", 0, 2))


def test_a_table_and_headings_are_drawn():
    text = "## 收费标准\n| 时间 | 收费 |\n|---|---|\n| 首小时 | 免费 |\n- 夜间不收费"
    html = answer_html(made_answer(text, 0, len(text)))
    assert "<td>免费</td>" in html
    assert "#" not in Tags(html).text
    assert "|" not in Tags(html).text
    assert "<td><mark> 免费 </mark></td>" in marked_html(text, 0, len(text))


def test_the_head_of_a_table_names_its_columns():
    text = "| 时间 | 收费 |\n|---|---|\n| 首小时 | 免费 |"
    head = "<thead><tr><th>时间</th><th>收费</th></tr></thead>"
    assert head in lines(text)
    assert head in re.sub("</?mark>", "", marked_html(text, 0, len(text))).replace(" ", "")
    assert "<th" not in lines("| 首小时 | 免费 |\n| 夜间 | 免费 |")


def test_parts_of_an_answer_have_headings():
    html = lines(
        "一、停车怎么收费，要押金吗\n首小时免费。[1]\n二、几点开门\n| 夏天 | 六点 |\n"
        "三、其他见公告。\n四、没有了"
    )
    assert "<strong>一、停车怎么收费，要押金吗</strong>" in html
    assert "<strong>二、几点开门</strong>" in html
    assert html.count("<strong>") == 2


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
    place = place_of(text, 0, len(text))
    base = OneDocument(text, issuer=text, validity=text)
    answer = made_answer(text, 0, len(text), answer=f"{text}[1]", question=text)
    for html in (
        exchange_html(text, answer_html(answer)),
        streamed_html(text),
        source_html(base, place),
        reader_html(base, place),
    ):
        seen = Tags(html).seen
        assert {tag for tag, _ in seen} <= {
            "article", "div", "p", "a", "span", "strong", "mark", "h2", "ol", "li", "button",
            "dl", "dt", "dd",
        }  # fmt: skip
        assert not any(name.startswith("on") for _, attributes in seen for name in attributes)
        assert all("javascript" not in (attributes.get("href") or "") for _, attributes in seen)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "/docs/a.md", "file:///etc/passwd"])
def test_only_web_addresses_become_links(address):
    html = source_html(OneDocument("收费", url=address), place_of("收费", 0, 2))
    assert "查看原文" not in html


PIECES = st.lists(
    st.sampled_from(["收费", "\n", "| a | b |", "\n# ", "\n- ", "> ", "<b>", "|", "&", "\ue000"])
)


@given(PIECES.map("".join), st.data())
def test_any_quote_is_highlighted_and_the_tags_nest(text, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    html = marked_html(text, start, end)
    Tags(html)
    signs = r"[\s|#>•\-\ue000□]"
    assert re.sub(signs, "", marked(html)) == re.sub(signs, "", text[start:end])


# -- a conversation


def last(desk, question, conversation, **more):
    return list(answering(desk, Asked(question, ME, conversation, **more)))[-1]


def test_an_answer_streams_and_is_remembered(desk):
    steps = list(answering(desk, Asked(QUESTION, ME, "c1")))
    assert "xq-waiting" in steps[0][1]
    assert "xq-sources" not in steps[1][1]
    assert "xq-sources" in steps[-1][1]
    past, current = last(desk, "那收费多少呢", "c1")
    assert QUESTION in past
    assert "20元" in current
    shown, start = opened(desk, ME, "c1")
    assert shown.count("<article") == 2
    assert start == ""


def test_asking_anew_takes_the_place_of_what_was_asked(desk):
    last(desk, QUESTION, "c2")
    (first,) = desk.history.exchanges(ME, "c2")
    last(desk, QUESTION, "c2", replaces=first.id)
    (second,) = desk.history.exchanges(ME, "c2")
    assert second.id != first.id


@pytest.mark.parametrize("question", ["问" * 2001, "那收费多少呢"])
def test_without_a_new_answer_what_was_to_be_asked_anew_stays(desk, question):
    class Down(Assistant):
        def ask(self, question, history=(), *, as_typed=False):
            if len(question) > 2000:
                return super().ask(question, history)
            raise OSError("Chroma is down")

    broken = Desk(desk.base, Down(desk.base), desk.history, desk.suggester)
    conversation = f"stays-{len(question)}"
    for _ in range(3):
        last(desk, QUESTION, conversation)
    kept = desk.history.exchanges(ME, conversation)
    past, current = last(broken, question, conversation, replaces=kept[1].id)
    assert desk.history.exchanges(ME, conversation) == kept
    assert past.count("<article") == 3
    assert "xq-problem" in current
    # Asked again from there, it takes the old one's place after all.
    (again,) = re.findall('data-replaces="([^"]*)"', current)
    last(desk, QUESTION, conversation, replaces=again)
    first, anew = desk.history.exchanges(ME, conversation)
    assert first == kept[0]
    assert anew not in kept


def test_what_is_asked_anew_does_not_lean_on_what_it_replaces(desk):
    class Listening(Assistant):
        def ask(self, question, history=(), *, as_typed=False):
            leant_on.append([turn.content for turn in history if turn.role == "user"])
            return super().ask(question, history, as_typed=as_typed)

    leant_on = []
    listening = Desk(desk.base, Listening(desk.base), desk.history, desk.suggester)
    for question in (QUESTION, "那每天最多收多少", "首小时呢"):
        last(desk, question, "leaning")
    second = desk.history.exchanges(ME, "leaning")[1]
    past, _ = last(listening, "那收费多少呢", "leaning", replaces=second.id)
    assert leant_on == [[QUESTION]]
    assert past.count("<article") == 1


@pytest.mark.parametrize(("question", "told"), [("  ", "空"), ("问" * 3000, "太长")])
def test_what_cannot_be_asked_is_told_politely_and_not_remembered(desk, question, told):
    _, current = last(desk, question, "c3")
    assert told in current
    assert desk.history.exchanges(ME, "c3") == []


@pytest.mark.parametrize(
    ("error", "told"), [(HomeError("数据文件夹满了。"), "满了"), (OSError("/secret"), "稍后再试")]
)
def test_a_failure_is_a_polite_message(desk, error, told, caplog):
    class Failing:
        def ask(self, question, history=(), **more):
            raise error

    failing = Desk(desk.base, Failing(), desk.history, desk.suggester)
    with caplog.at_level(logging.DEBUG):
        _, current = last(failing, "我的病历", "c4")
    assert told in current
    assert "secret" not in current
    assert "我的病历" not in caplog.text


@pytest.fixture
def forgetful(base):
    """A desk whose database of conversations can be changed under it; it has a file of its own."""
    url = f"sqlite:///{base.home / 'conversations.sqlite3'}"
    history = History(base.settings.model_copy(update={"database_url": url}))
    last(desk := Desk(base, Assistant(base), history, Suggester(base)), QUESTION, "c5")
    yield desk
    history.close()
    for file in base.home.glob("conversations.sqlite3*"):
        file.unlink()


FULL = "CREATE TRIGGER full BEFORE INSERT ON exchanges BEGIN SELECT RAISE(FAIL, 'full'); END"


@pytest.mark.parametrize("damage", ["DROP TABLE exchanges", "DROP TABLE conversations", FULL])
@pytest.mark.parametrize("replaces", ["", "nosuch"])
def test_without_the_database_of_conversations_answers_go_on(forgetful, damage, replaces):
    with closing(sqlite3.connect(forgetful.base.home / "conversations.sqlite3")) as database:
        database.execute(damage)
        database.commit()
    _, current = last(forgetful, QUESTION, "c5", replaces=replaces)
    assert "每小时收费3元" in Tags(current).text
    assert "xq-sources" in current
    offered = {about.get("data-do") for _, about in Tags(current).seen}
    assert offered >= {"copy", "speak", "retry"}
    assert not offered & {"share", "up", "down"}
    past, start = opened(forgetful, ME, "c5")
    assert past or "xq-hello" in start


def test_what_was_written_stays_when_it_is_stopped():
    _, html = stopped(exchange_html("问", streamed_html("一半")))
    assert "一半" in Tags(html).text
    assert "已停止" in Tags(html).text


# -- the start


def test_questions_to_start_with_are_answered_by_the_documents(sample_base):
    suggestions = Suggester(sample_base).to_start()
    titles = " ".join(record.title for record in sample_base.documents())
    assert len(suggestions) == 6
    for question in suggestions:
        assert question in titles
        assert not Assistant(sample_base).ask(question).answer().refused


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig", "utf-16"])
def test_the_operators_tiles_are_read_in_whatever_encoding_they_were_saved(desk, encoding):
    file = desk.base.home / TILES
    file.write_bytes("停车收费|停车怎么收费\n".encode(encoding))
    try:
        assert asked_most(desk) == "停车收费|停车怎么收费\n"
        file.write_bytes(b"\0\1\2")
        with pytest.raises(HomeError, match=TILES):
            asked_most(desk)
    finally:
        file.unlink()


def test_new_documents_are_suggested_and_removed_ones_are_not(tmp_path):
    with KnowledgeBase(load_settings(home=tmp_path)) as base:
        suggester = Suggester(base)
        assert suggester.to_start() == []
        base.add(NOTICE)
        assert suggester.to_start() == [NOTICE.title]
        base.remove([NOTICE.id])
        assert suggester.to_start() == []


def test_what_to_ask_next_is_answered_and_was_not_just_asked(sample_base):
    assistant = Assistant(sample_base)
    answer = assistant.ask("公积金怎么提取").answer()
    found = Suggester(sample_base).to_go_on(answer)
    assert 0 < len(found) <= 3
    assert answer.question not in found
    for question in found:
        assert not assistant.ask(question).answer().refused


def test_what_to_ask_next_is_about_what_was_asked(sample_base):
    answer = Assistant(sample_base).ask("老板欠薪打哪个电话").answer()
    found = Suggester(sample_base).to_go_on(answer)
    assert found
    assert not [question for question in found if "小泉" in question]


def test_titles_become_questions():
    assert questions_from(["低保怎么申请（示例）"]) == ["低保怎么申请"]
    assert questions_from(["《停车办法》"]) == ["《停车办法》讲了什么"]
    assert questions_from(["长" * 40]) == []


@pytest.mark.parametrize(
    ("title", "heading", "asked"),
    [
        ("低保怎么申请、要什么条件", "发多少", "低保，发多少"),
        ("低保怎么申请、要什么条件", "申请条件", "低保的申请条件是什么"),
        ("居住证怎么办理", "谁可以办居住证", "谁可以办居住证"),
        ("《停车办法》", "收费标准", "停车办法的收费标准是什么"),
        ("停车优惠条件", "可以优惠的情形", "停车优惠条件，可以优惠的情形是什么"),
        ("停车办法", "第一章 总则", ""),
        ("怎样提问", "提问的方法", ""),
    ],
)
def test_a_section_is_asked_for_as_one_would_say_it(title, heading, asked):
    assert question_about(title, heading) == asked


# -- the page


def test_the_page_asks_no_other_host_for_anything(base, desk):
    client = TestClient(make_server_app(base, desk.assistant))
    page = client.get("/").text
    assert "小泉" in page
    loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"', page)
    assert loaded
    assert not [address for address in loaded if re.match(r"(https?:)?//", address)]
    assert "https" not in theme()._get_theme_css()
    assert client.get("/api/documents").json()
    assert client.get("/docs").status_code == 200


def test_a_browser_that_is_signed_in_finds_what_it_asked(base, desk):
    signed_in = "browser:" + Keys(base.settings).make("browser", ["ask"])
    headers = {"Authorization": f"Basic {b64encode(signed_in.encode()).decode()}", "X-Owner": ME}
    app = make_server_app(base, desk.assistant, loopback=False)
    with TestClient(app, headers=headers) as client:
        gradio = client.get("/config").json()
        (ask,) = [one["id"] for one in gradio["dependencies"] if one["targets"][0][1] == "ask"]
        event = {"question": QUESTION, "owner": ME, "conversation": "c6"}
        sent = {"data": [], "fn_index": ask, "session_hash": "s", "event_data": event}
        assert client.post("/gradio_api/queue/join", json=sent).status_code == 200
        shown = client.get("/gradio_api/queue/data", params={"session_hash": "s"}).text
        assert "process_completed" in shown
        (found,) = client.get("/api/conversations").json()
        assert found["id"] == "c6"
        client.post("/page/leave")
        assert client.get("/api/conversations").json() == []


def test_gradio_offers_no_functions_to_others_and_reports_nothing(desk):
    page = make_page(desk)
    assert page.analytics_enabled is False
    assert page.get_api_info()["named_endpoints"] == {}
