"""The chat page in a real browser, as a citizen meets it."""

import re
import threading

import pytest

from assistant.chain import Assistant
from assistant.reply import Reply, Resolved
from assistant.types import Delta
from knowledge.base import KnowledgeBase
from knowledge.settings import load_settings
from knowledge.types import Document
from tests.browsing import barriers, serving

pytestmark = pytest.mark.browser

QUESTION = "青湖公园停车怎么收费"
NOTICE = Document(
    "parking",
    "青湖公园停车收费标准",
    "# 青湖公园停车收费标准\n\n## 收费\n\n停车首小时免费，之后每小时收费3元，每天最多收20元。\n\n"
    "## 几点开门\n\n停车场每天早上六点开门，晚上十点关门。\n\n" + "其他规定见公告。\n\n" * 80,
    "/docs/parking.md",
    {"issuer": "青湖公园管理处", "document_number": "青园〔2024〕5号", "date": "2024-05-06"},
)
CARD = Document(
    "card",
    "公交卡怎么办理",
    "# 公交卡怎么办理\n\n公交卡在客运站一楼的服务窗口办理，带上身份证，当场可取。\n",
    "/docs/card.md",
)


SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    shifts.push([entry.value, entry.sources.map(({node}) => node?.id || node?.className)]);
  }
}).observe({type: "layout-shift", buffered: true});
"""
HELD = threading.Event()  # lets go of the answers to questions that ask for patience


class Patient(Assistant):
    """Stops after the first words where it is asked to take its time."""

    def ask(self, question, history=(), **more):
        reply = super().ask(question, history, **more)
        return Reply(held(reply)) if question.endswith("？！") else reply


def held(reply):
    """Yield what a reply's run yields, and wait in the middle of its words."""
    yield reply.understood()
    for delta in reply:
        yield Delta(delta.text[:4])
        HELD.wait(30)
        yield Delta(delta.text[4:])
    return Resolved(reply.answer(), reply.hits, reply.evidence)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("browser")
    with KnowledgeBase(load_settings(home=home)) as base:
        for document in (NOTICE, CARD):
            base.add(document)
    return home


@pytest.fixture(scope="module")
def served(home, chromium):
    with serving(load_settings(home=home), Patient) as address:
        yield address


def ask(page, question=QUESTION):
    before = page.locator(".xq-exchange .xq-actions").count()
    page.fill("#xq-box textarea", question)
    page.keyboard.press("Enter")
    page.wait_for_function(
        f"document.querySelectorAll('.xq-exchange .xq-actions').length > {before}"
    )


def questions(page):
    return page.locator(".xq-said").all_inner_texts()


def test_from_the_first_visit_to_the_quoted_words(visit):
    page = visit()
    page.click(f".xq-hello button:has-text('{CARD.title}')")
    page.wait_for_selector(".xq-exchange .xq-actions")
    ask(page)
    answer = page.locator(".xq-exchange").last
    assert "每小时收费3元" in answer.inner_text()
    answer.locator(".xq-cite").first.click()
    source = page.locator("#xq-source")
    source.locator("mark").first.wait_for()
    shown = source.inner_text()
    for fact in (NOTICE.title, "青湖公园管理处", "青园〔2024〕5号", "2024-05-06", "收费"):
        assert fact in shown
    quoted = "".join(source.locator("mark").all_inner_texts())
    assert "每小时收费3元" in quoted
    assert quoted in answer.locator(".xq-answer").inner_text().replace("\n", "")
    source.get_by_text("阅读全文").click()
    source.locator(".xq-whole mark").first.wait_for()
    assert "十点关门" in source.inner_text()
    page.keyboard.press("Escape")
    assert source.is_hidden()
    assert page.evaluate("document.activeElement.dataset.do") == "source"


@pytest.mark.parametrize(("path", "panel"), [("/", "#xq-source"), ("/kiosk", "#source")])
def test_no_other_document_stands_there_as_the_source(chromium, served, path, panel):
    context = chromium.new_context(locale="zh-CN")  # not visit(): a browser complains of a 500
    page, held = context.new_page(), []
    page.goto(served + path)
    for question in (QUESTION, CARD.title):
        page.fill("#xq-box textarea, #question", question)
        page.keyboard.press("Enter")
        page.wait_for_selector(f".xq-exchange[data-question='{question}'] .xq-sources")
    page.click(".xq-exchange >> nth=0 >> .xq-cite >> nth=0")
    page.wait_for_selector(f"{panel} mark")

    def hold(route):
        held.append(route)

    page.route("**/page/source*", hold)

    def open_source(exchange):
        page.eval_on_selector_all(
            ".xq-exchange", f"all => all[{exchange}].querySelector('.xq-cite').click()"
        )

    open_source(1)
    page.wait_for_function("document.querySelector('.xq-content .xq-note')")
    assert NOTICE.title not in page.inner_text(panel)
    held.pop().fulfill(status=500, json={"error": "服务内部出错。"})
    page.wait_for_selector(f"{panel}:has-text('服务内部出错')")

    open_source(0)
    open_source(1)
    page.wait_for_function("document.querySelector('.xq-content .xq-note')")
    while len(held) < 2:
        page.wait_for_timeout(50)
    with page.expect_event("requestfinished"):
        held[1].continue_()
    page.wait_for_selector(f"{panel} mark")
    with page.expect_event("requestfinished"):
        held[0].continue_()
    page.wait_for_timeout(300)
    assert CARD.title in page.inner_text(panel)
    assert NOTICE.title not in page.inner_text(panel)
    context.close()


def test_the_conversation_is_there_after_a_reload_and_nobody_else_sees_it(visit):
    page = visit()
    ask(page)
    page.reload()
    page.wait_for_selector(".xq-exchange")
    assert questions(page) == [QUESTION]
    ask(page, "那几点关门呢")
    assert "十点" in page.locator(".xq-exchange").last.inner_text()
    page.click("[data-do=new]")
    page.wait_for_selector(".xq-hello")
    assert questions(page) == []
    page.click("[data-do=conversations]")
    page.click("#xq-list [data-do=resume]")
    page.wait_for_function("document.querySelectorAll('.xq-exchange').length === 2")
    other = visit()
    other.wait_for_selector(".xq-hello")
    other.click("[data-do=conversations]")
    other.wait_for_selector("#xq-none", state="visible")
    assert other.locator("#xq-list li").count() == 0


def test_conversations_are_searched_renamed_exported_and_deleted(visit):
    page = visit()
    ask(page)
    page.click("[data-do=new]")
    page.wait_for_selector(".xq-hello")
    ask(page, "公交卡怎么办理")
    page.click("[data-do=conversations]")
    page.wait_for_function("document.querySelectorAll('#xq-list li').length === 2")
    page.fill("#xq-search", "每小时收费")
    page.wait_for_function("document.querySelectorAll('#xq-list li').length === 1")
    page.click("#xq-list [data-do=rename]")
    page.fill("#xq-dialog input", "停车的事")
    page.click("#xq-dialog [value=yes]")
    page.wait_for_selector("#xq-list .xq-title:has-text('停车的事')")
    with page.expect_download() as saved:
        page.click("#xq-list [data-do=save]")
    assert saved.value.suggested_filename == "停车的事.md"
    assert "每小时收费3元" in saved.value.path().read_text(encoding="utf-8")
    page.click("#xq-list [data-do=remove]")
    page.click("#xq-dialog [value=yes]")
    page.wait_for_function("document.querySelectorAll('#xq-list li').length === 0")
    page.fill("#xq-search", "")
    page.wait_for_function("document.querySelectorAll('#xq-list li').length === 1")


def test_leaving_clears_the_terminal(visit):
    page = visit()
    ask(page)
    page.click("[data-do=leave]")
    page.click("#xq-dialog [value=yes]")
    page.wait_for_selector(".xq-hello")
    page.reload()
    page.wait_for_selector(".xq-hello")
    assert questions(page) == []
    page.click("[data-do=conversations]")
    page.wait_for_selector("#xq-none", state="visible")


def test_a_refusal_offers_a_next_step(visit):
    page = visit()
    ask(page, "月球上的餐馆几点开门营业")
    refusal = page.locator(".xq-refusal")
    assert refusal.locator("a[href='tel:12345']").is_visible()
    refusal.get_by_role("button", name="换个说法再问").click()
    assert page.input_value("#xq-box textarea") == "月球上的餐馆几点开门营业"
    ask_again = page.locator("#xq-box textarea")
    ask_again.fill(QUESTION)
    page.keyboard.press("Enter")
    page.wait_for_selector(".xq-exchange .xq-cite")
    assert questions(page) == [QUESTION]


def test_a_mended_typo_is_told_and_taken_back_with_one_tap(visit):
    page = visit()
    ask(page, "公交卡怎么办里")
    note = page.locator(".xq-understood")
    assert "怎么办理" in note.inner_text()
    note.locator("button").click()
    page.wait_for_function("!document.querySelector('.xq-understood')")
    page.wait_for_selector(".xq-exchange .xq-actions")
    assert questions(page) == ["公交卡怎么办里"]


def test_ask_again_copy_and_go_on(visit):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    ask(page)
    first = page.get_attribute(".xq-exchange", "data-id")
    page.click(".xq-exchange [data-do=retry]")
    page.wait_for_selector(f".xq-exchange:not([data-id='{first}']) .xq-sources")
    assert questions(page) == [QUESTION]
    page.click(".xq-exchange [data-do=copy]")
    page.wait_for_selector("#xq-told:has-text('已复制')")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert QUESTION in copied
    assert re.search(r"每小时收费3元.*\[1\]", copied)
    page.click(".xq-exchange .xq-suggested button")
    page.wait_for_function("document.querySelectorAll('.xq-exchange').length === 2")


def test_an_edited_question_that_fails_loses_nothing_and_can_be_edited_again(visit):
    page = visit()
    ask(page)
    page.click(".xq-exchange [data-do=edit]")
    page.fill("#xq-box textarea", "问" * 2001)
    page.keyboard.press("Enter")
    page.wait_for_selector(".xq-problem")
    assert questions(page)[0] == QUESTION
    page.locator(".xq-exchange [data-do=edit]").last.click()
    page.fill("#xq-box textarea", "公交卡怎么办理")
    page.keyboard.press("Enter")
    page.wait_for_selector("#xq-current .xq-sources")
    assert questions(page) == ["公交卡怎么办理"]


def test_nobody_can_type_before_the_page_listens(visit):
    page, held = visit(), []
    page.wait_for_selector(".xq-hello")  # so that all of the first visit has come

    def hold(route):
        held.append(route)

    page.route("**/static/chat.js", hold)
    page.reload(wait_until="commit")
    page.wait_for_selector("#xq-box textarea", state="attached")
    assert not page.is_visible("#xq-box textarea")
    held[0].continue_()
    ask(page)
    assert "每小时收费3元" in page.inner_text(".xq-exchange")


def test_a_line_that_closes_too_early_is_opened_again(chromium, served):
    closed = []

    def close(route):
        closed.append(route)
        route.fulfill(content_type="text/event-stream", body='data: {"msg": "close_stream"}\n\n')

    context = chromium.new_context(locale="zh-CN")  # not visit(): Gradio may complain of the abort
    page = context.new_page()
    page.route("**/queue/data*", close, times=1)
    page.goto(served)
    ask(page)
    assert closed
    assert "每小时收费3元" in page.inner_text(".xq-exchange")
    context.close()


def test_a_shared_answer_opens_elsewhere_and_others_do_not(visit, served):
    page = visit()
    ask(page)
    mine = page.get_attribute(".xq-exchange", "data-id")
    assert page.request.get(f"{served}/a/{mine}").status == 404
    page.click(".xq-exchange [data-do=share]")
    link = page.input_value("#xq-dialog input")
    other = visit(link.removeprefix(served))
    assert "每小时收费3元" in other.inner_text("main")
    other.click(".xq-cite")
    other.wait_for_selector("mark")
    assert "青园〔2024〕5号" in other.inner_text("main")


def test_what_was_disliked_reaches_the_operator(visit, served):
    page = visit()
    ask(page)
    page.click(".xq-exchange [data-do=down]")
    page.get_by_label("答非所问").check()
    page.fill("#xq-dialog textarea", "想问的是月卡，回电13812345678")
    page.click("#xq-dialog [value=yes]")
    page.wait_for_selector("#xq-told:has-text('改进')")
    assert page.get_attribute(".xq-exchange [data-do=down]", "aria-pressed") == "true"


def test_those_who_listen_to_the_page_are_told_an_answer_once_it_stands(visit):
    page = visit()
    page.wait_for_selector(".xq-hello")
    page.evaluate(
        "const status = document.querySelector('#xq-read-out'); window.told = [];"
        "new MutationObserver(() => told.push(status.textContent))"
        ".observe(status, {childList: true})"
    )
    ask(page)
    page.wait_for_selector(".xq-exchange .xq-suggested")
    (told,) = page.evaluate("told")
    assert "每小时收费3元" in told
    assert "有用" not in told


def test_on_a_phone_and_in_large_letters_nothing_is_torn_or_cut_off(visit):
    page = visit(viewport={"width": 390, "height": 844})
    ask(page)
    up, down = (page.locator(f"[data-do={name}]").bounding_box() for name in ("up", "down"))
    assert up["y"] == down["y"]
    page.click("[data-do=larger]")
    assert page.eval_on_selector("#xq-box textarea", "box => box.scrollHeight <= box.clientHeight")


def test_an_answer_is_stopped(visit):
    page = visit()
    page.fill("#xq-box textarea", f"{QUESTION}？！")
    page.keyboard.press("Enter")
    page.wait_for_selector(".xq-answer")
    page.click("#xq-box .stop-button")
    page.wait_for_selector(".xq-note:has-text('已停止')")
    page.wait_for_selector("#xq-box .submit-button")
    assert page.locator(".xq-exchange [data-do=retry]").is_visible()
    assert page.locator(".xq-exchange .xq-sources").count() == 0
    HELD.set()
    page.click(".xq-exchange [data-do=retry]")
    page.wait_for_selector(".xq-exchange .xq-sources")
    assert "每小时收费3元" in page.locator(".xq-exchange").last.inner_text()


def test_all_can_be_done_with_the_keyboard(visit):
    page = visit()
    page.wait_for_selector("#xq-box textarea:focus")
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    page.wait_for_selector(".xq-exchange .xq-actions")
    page.focus(".xq-exchange .xq-cite")
    page.keyboard.press("Enter")
    page.wait_for_selector("#xq-source mark")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.xq-sources') !== null")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.do") == "down":
            break
    page.keyboard.press("Space")
    page.wait_for_selector("#xq-dialog[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#xq-dialog", state="hidden")


def test_it_speaks_english_and_grows_and_darkens(visit):
    page = visit()
    page.click("[data-do=language]")
    assert page.get_by_role("button", name="New chat").is_visible()
    assert page.get_attribute("html", "lang") == "en"
    assert page.get_attribute("#xq-box textarea", "placeholder") == "Ask your question"
    page.click("[data-do=language]")
    size = "parseFloat(getComputedStyle(document.querySelector('.xq-hello h1')).fontSize)"
    before = page.evaluate(size)
    page.click("[data-do=larger]")
    assert page.evaluate(size) > before * 1.2
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.click("[data-do=theme]")
    assert page.evaluate(ground) != light
    page.reload()
    page.wait_for_selector(".xq-hello")
    assert page.evaluate(ground) != light
    assert page.evaluate(size) > before * 1.2


@pytest.mark.parametrize("size", [(390, 844), (1280, 800), (1080, 1920)])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_no_serious_barrier_and_nothing_sticks_out(visit, size, colours):
    page = visit(viewport={"width": size[0], "height": size[1]}, color_scheme=colours)
    page.wait_for_selector(".xq-hello")
    assert barriers(page) == []
    ask(page)
    ask(page, "月球上的餐馆几点开门营业")
    page.click(".xq-exchange .xq-cite")
    page.wait_for_selector("#xq-source mark")
    assert barriers(page) == []
    page.keyboard.press("Escape")
    page.click("[data-do=conversations]")
    page.wait_for_selector("#xq-list li")
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_nothing_jumps_while_an_answer_is_written(visit):
    page = visit()
    page.evaluate(SHIFTS)
    page.wait_for_selector(".xq-hello")
    for question in (QUESTION, "公交卡怎么办理", "月球上的餐馆几点开门营业"):
        ask(page, question)
    page.wait_for_selector(".xq-suggested")
    shifts = page.evaluate("shifts")
    assert sum(value for value, _ in shifts) < 0.05, shifts
