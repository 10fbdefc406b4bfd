"""The terminal in a real browser."""

import re
import sqlite3
from contextlib import closing

import pytest

from knowledge.base import KnowledgeBase
from knowledge.settings import load_settings
from knowledge.types import Document
from tests.browsing import barriers, serving
from ui.tiles import tiles, with_sounds

SIZES = [(1080, 1920), (1280, 800), (390, 844)]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("kiosk")


@pytest.fixture(scope="module")
def served(home, chromium):
    (home / "kiosk.txt").write_text("停车收费|青湖公园停车怎么收费\n公交卡怎么办理\n", "utf-8")
    with KnowledgeBase(load_settings(home=home)) as base:
        base.add(
            Document("a", "青湖公园停车怎么收费", "停车首小时免费，之后每小时收费3元。", "/a.md")
        )
    with serving(load_settings(home=home, idle_minutes=2)) as address:
        yield address


def test_tiles_are_read_with_their_sounds_and_nothing_of_them_is_html():
    first, second = tiles("停车收费 | 停车怎么收费？\n\n<b>公交卡</b>")
    assert first.question == "停车怎么收费？"
    assert "<ruby>停<rt>tíng</rt></ruby>" in first.name
    assert "<b>" not in second.name
    assert with_sounds("A银行") == "A<ruby>银<rt>yín</rt></ruby><ruby>行<rt>háng</rt></ruby>"


@pytest.mark.browser
@pytest.mark.parametrize("size", SIZES)
def test_a_tile_is_answered_and_taken_along_and_the_next_citizen_sees_nothing(visit, size):
    page = visit("/kiosk", viewport={"width": size[0], "height": size[1]}, color_scheme="light")
    page.clock.install()
    page.reload()
    assert barriers(page) == []
    page.click("[data-ask='青湖公园停车怎么收费']")
    page.wait_for_selector(".xq-sources")
    assert "每小时收费3元" in page.inner_text("#log")
    page.click(".xq-cite")
    page.wait_for_selector("#source mark")
    assert "每小时收费3元" in page.inner_text("#source mark")
    assert barriers(page) == []
    page.click("#close")
    page.click("#code")
    page.wait_for_function("document.querySelector('#take img').naturalWidth > 100")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.clock.fast_forward("01:50")
    assert page.is_visible("#log")
    page.clock.fast_forward("00:20")
    page.wait_for_selector("#start", state="visible")
    assert page.inner_text("#log") == ""
    assert page.is_hidden("#print")


@pytest.mark.browser
def test_the_newest_question_stands_at_the_top_and_the_focus_comes_back(visit):
    page = visit("/kiosk", viewport={"width": 1080, "height": 1920})
    for question in ("停车收费多少钱", "青湖公园停车怎么收费"):
        page.fill("#question", question)
        page.keyboard.press("Enter")
        page.wait_for_selector(f".xq-exchange[data-question='{question}'] .xq-sources")
    page.wait_for_selector("#print", state="visible")
    top = page.locator("main").bounding_box()["y"]
    assert abs(page.locator(".xq-exchange").last.bounding_box()["y"] - top) < 5
    page.locator(".xq-cite").last.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#source mark")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.className") == "xq-cite"


@pytest.mark.browser
def test_the_printed_sheet_is_black_on_white_whatever_the_screen(visit):
    page = visit("/kiosk", color_scheme="dark")
    page.click("[data-ask='青湖公园停车怎么收费']")
    page.wait_for_selector(".xq-sources")
    page.emulate_media(media="print", color_scheme="dark")
    for part in (".xq-said", ".xq-answer", ".xq-sources a"):
        colour = page.eval_on_selector(part, "part => getComputedStyle(part).color")
        assert colour == "rgb(0, 0, 0)", part
    assert page.is_visible("#sheet")
    assert page.is_hidden("footer")


@pytest.mark.browser
def test_a_typed_question_is_refused_politely_and_nothing_leads_away(visit, served):
    page = visit("/kiosk")
    page.fill("#question", "月球上的餐馆几点开门营业")
    page.keyboard.press("Enter")
    page.wait_for_selector(".xq-refusal")
    assert page.is_hidden(".xq-next a")  # a terminal makes no calls
    page.click(".xq-next button")
    assert page.input_value("#question") == "月球上的餐馆几点开门营业"
    assert page.url == f"{served}/kiosk"
    links = page.eval_on_selector_all("a", "all => all.map(one => one.getAttribute('href'))")
    assert not [link for link in links if "admin" in link]
    page.click("#anew")
    assert page.is_visible("#start")


@pytest.mark.browser
def test_what_is_under_way_as_a_citizen_leaves_touches_nothing_of_the_next(visit):
    def ask(question):
        page.fill("#question", question)
        page.keyboard.press("Enter")

    def hold(route):
        held.append(route)

    page, held = visit("/kiosk"), []
    page.route(re.compile("/page/answers/[^/]+$"), hold)
    with page.expect_request("**/page/answers/*"):
        ask("青湖公园停车怎么收费")
    page.route("**/api/ask", hold)
    page.click("#anew")
    ask("月球上的餐馆几点开门营业")
    with page.expect_event("requestfinished"):
        held[0].fulfill(body="<article class=xq-exchange></article>")
    ask("公交卡怎么办理")  # one at a time
    assert page.locator("#log .xq-said").all_inner_texts() == ["月球上的餐馆几点开门营业"]
    assert "正在查找" in page.inner_text("#state")
    assert page.is_hidden("#print")


@pytest.mark.browser
def test_an_answer_that_cannot_be_kept_is_shown(visit, home):
    page = visit("/kiosk")
    with closing(sqlite3.connect(home / "history.sqlite3")) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON exchanges BEGIN SELECT RAISE(FAIL, 'full'); END"
        )
        try:
            page.click("[data-ask='青湖公园停车怎么收费']")
            page.wait_for_selector("#print", state="visible")
        finally:
            database.execute("DROP TRIGGER full")
    assert "每小时收费3元" in page.inner_text("#log")
    assert page.is_hidden("#code")


@pytest.mark.browser
def test_a_chat_that_was_left_alone_is_cleared(visit):
    page = visit()
    page.clock.install()
    page.reload()
    page.fill("#xq-box textarea", "青湖公园停车怎么收费")
    page.keyboard.press("Enter")
    page.wait_for_selector(".xq-exchange .xq-actions")
    page.clock.fast_forward("01:50")
    assert page.is_visible(".xq-exchange")
    page.clock.fast_forward("00:20")
    page.wait_for_selector(".xq-hello")
    assert page.locator(".xq-exchange").count() == 0
    page.click("[data-do=conversations]")
    page.wait_for_selector("#xq-none", state="visible")
