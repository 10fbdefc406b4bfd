"""The operator pages in a real browser: only for operators, and what they change is answered."""

import pytest

from knowledge.base import KnowledgeBase
from knowledge.readers import read_document
from knowledge.settings import load_settings
from knowledge.types import Document
from tests.browsing import barriers, serving

pytestmark = pytest.mark.browser

OPERATOR = {"http_credentials": {"username": "operator", "password": "a long password"}}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("admin")


@pytest.fixture(scope="module")
def served(home, chromium):
    settings = load_settings(home=home, admin_password="a long password")
    with KnowledgeBase(settings) as base:
        base.add(Document("card", "公交卡怎么办理", "公交卡在客运站一楼办理。", "/docs/card.md"))
    with serving(settings) as address:
        yield address


def ask(page, question):
    page.fill("#xq-box textarea", question)
    page.keyboard.press("Enter")
    page.wait_for_selector(".xq-exchange .xq-actions")


def test_nobody_else_gets_in(chromium, served):
    page = chromium.new_context().new_page()
    for path in ("/admin", "/admin/settings", "/admin/passages?document=card"):
        assert page.request.get(served + path).status == 401
    page.context.close()


def test_what_is_uploaded_is_answered_and_what_is_removed_is_not(visit):
    operator = visit("/admin", **OPERATOR)
    operator.wait_for_selector("#list tr")
    file = {
        "name": "停车.md",
        "mimeType": "text/markdown",
        "buffer": "# 青湖公园停车怎么收费\n\n停车首小时免费，之后每小时收费3元。\n".encode(),
    }
    operator.set_input_files("#files", [file])
    operator.wait_for_selector("#jobs li:has-text('完成')")
    row = operator.locator("#list tr", has_text="青湖公园停车")
    row.get_by_text("看分段").click()
    operator.wait_for_selector("#fields pre:has-text('每小时收费3元')")
    operator.keyboard.press("Escape")
    row.get_by_text("修改").click()
    operator.get_by_role("textbox", name="文号", exact=True).fill("青园〔2024〕5号")
    operator.click("#dialog [value=yes]")
    operator.wait_for_selector("#list td:has-text('青园〔2024〕5号')")
    row.get_by_text("标为废止").click()
    operator.wait_for_selector("#list td:has-text('已废止')")
    citizen = visit()
    ask(citizen, "青湖公园停车怎么收费")
    assert "每小时收费3元" in citizen.inner_text(".xq-exchange")
    row.get_by_text("删除").click()
    operator.click("#dialog [value=yes]")
    operator.wait_for_function("document.querySelectorAll('#list tr').length === 1")
    other = visit()
    ask(other, "青湖公园停车怎么收费")
    assert other.locator(".xq-refusal").is_visible()


def test_a_changed_file_is_read_again(visit, home, tmp_path):
    file = tmp_path / "泳馆.md"
    file.write_text("# 青湖泳馆几点开门\n\n泳馆早上七点开门。\n", encoding="utf-8")
    with KnowledgeBase(load_settings(home=home)) as base:
        base.add(read_document(file))
    file.write_text("# 青湖泳馆几点开门\n\n泳馆早上九点开门。\n", encoding="utf-8")
    operator = visit("/admin", **OPERATOR)
    row = operator.locator("#list tr", has_text="青湖泳馆")
    row.get_by_text("重新读取").click()
    operator.wait_for_selector("#jobs li:has-text('完成')")
    citizen = visit()
    ask(citizen, "青湖泳馆几点开门")
    assert "九点" in citizen.inner_text(".xq-exchange")
    row.get_by_text("删除").click()
    operator.click("#dialog [value=yes]")
    row.wait_for(state="detached")


def test_an_operator_who_looks_at_the_chat_has_what_they_ask_there(visit, served):
    page = visit(**OPERATOR)
    ask(page, "公交卡怎么办理")
    page.goto(f"{served}/admin")  # signs in, for all pages
    page.goto(f"{served}/")
    page.wait_for_selector(".xq-hello")
    ask(page, "公交卡在哪里办理")
    page.click("[data-do=conversations]")
    page.wait_for_selector("#xq-list li:has-text('公交卡在哪里办理')")
    page.click("[data-do=share]")
    page.wait_for_selector("#xq-dialog input[readonly]")


def test_what_was_not_answered_is_seen_and_answered(visit):
    citizen = visit()
    ask(citizen, "青湖游泳馆门票多少钱，我电话13812345678")
    citizen.click("[data-do=down]")
    citizen.get_by_label("不够完整").check()
    citizen.click("#xq-dialog [value=yes]")
    citizen.wait_for_selector("#xq-told:has-text('改进')")
    operator = visit("/admin", **OPERATOR)
    operator.click("[data-tab=asked]")
    operator.click("[data-kind=disliked]")
    asked = operator.locator("#questions li", has_text="市民说：不够完整")
    assert "13812345678" not in asked.inner_text()
    asked.get_by_text("补写答案").click()
    operator.get_by_role("textbox", name="问题").fill("青湖游泳馆门票多少钱？")
    operator.get_by_role("textbox", name="答案").fill("青湖游泳馆门票每人20元，儿童半价。")
    operator.click("#dialog [value=yes]")
    operator.wait_for_selector("#told:has-text('现在就能回答')")
    other = visit()
    ask(other, "青湖游泳馆门票多少钱")
    assert "20元" in other.inner_text(".xq-exchange .xq-answer")


def test_a_local_word_is_taught_and_a_slip_is_told(visit, served):
    operator = visit("/admin", **OPERATOR)
    operator.click("[data-tab=synonyms]")
    operator.wait_for_selector("#bundled:has-text('公积金')", state="attached")
    refused = operator.request.put(f"{served}/admin/synonyms", data={"text": "绿皮卡"})
    assert refused.status == 422
    assert "绿皮卡" in refused.json()["error"]
    operator.fill("#words", "绿皮卡 = 公交卡")
    operator.click("#save-words")
    operator.wait_for_selector("#told:has-text('已保存 1 条')")
    operator.reload()
    operator.click("[data-tab=synonyms]")
    operator.wait_for_function("document.querySelector('#words').value === '绿皮卡 = 公交卡'")


def test_a_question_set_is_run_and_its_report_opened(visit):
    operator = visit("/admin", **OPERATOR)
    operator.click("[data-tab=reports]")
    asked = '{"id": "1", "question": "公交卡怎么办理", "facts": ["客运站"], "answerable": true}\n'
    file = {"name": "几道题.jsonl", "mimeType": "application/jsonl", "buffer": asked.encode()}
    operator.set_input_files("#set", [file])
    row = operator.locator("#made tr", has_text="几道题.jsonl")
    row.wait_for()
    operator.wait_for_selector("#run:has-text('做完了')")
    assert "100.0%" in row.inner_text()
    with operator.context.expect_page() as report:
        row.get_by_text("打开").click()
    report.value.wait_for_load_state()
    assert "几道题.jsonl" in report.value.inner_text("body")


@pytest.mark.parametrize("size", [(390, 844), (1280, 800)])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_pages_have_no_serious_barrier_and_show_no_secret(visit, size, colours):
    page = visit(
        "/admin", **OPERATOR, color_scheme=colours,
        viewport={"width": size[0], "height": size[1]},
    )  # fmt: skip
    page.wait_for_selector("#list tr")
    assert barriers(page) == []
    page.click("[data-tab=asked]")
    page.wait_for_selector("#questions li")
    assert barriers(page) == []
    for tab, shown in (("synonyms", "#words"), ("reports", "#set")):
        page.click(f"[data-tab={tab}]")
        page.wait_for_selector(shown, state="attached")
        assert barriers(page) == []
    page.click("[data-tab=settings]")
    page.wait_for_selector("#values tr")
    assert barriers(page) == []
    assert "a long password" not in page.inner_text("main")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
