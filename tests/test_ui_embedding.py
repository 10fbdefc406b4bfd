"""The chat in a frame of another site's page, in a real browser."""

from http.server import BaseHTTPRequestHandler

import pytest

from knowledge.base import KnowledgeBase
from knowledge.settings import load_settings
from knowledge.types import Document
from tests.browsing import serving
from tests.local_http import listening

pytestmark = pytest.mark.browser


class Site(BaseHTTPRequestHandler):
    """A page of somebody else with the documented line in it."""

    def do_GET(self):
        line = f'<iframe src="{self.server.chat}/" title="小泉政策问答"></iframe>'
        page = f"<!doctype html><meta charset=utf-8><title>市政府</title>{line}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    with listening(Site) as server:
        yield server


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("embedding")
    with KnowledgeBase(load_settings(home=home)) as base:
        base.add(Document("card", "公交卡怎么办理", "公交卡在客运站一楼办理。", "/docs/card.md"))
    return home


@pytest.fixture
def page(chromium):
    context = chromium.new_context(locale="zh-CN")
    yield context.new_page()
    context.close()


def address(site):
    return f"http://localhost:{site.server_port}"  # another site than 127.0.0.1


def test_an_allowed_site_shows_the_chat_and_it_answers(home, site, page):
    settings = load_settings(home=home, frame_ancestors=address(site))
    with serving(settings) as site.chat:
        page.goto(address(site))
        frame = page.frame_locator("iframe")
        frame.locator("#xq-box textarea").fill("公交卡怎么办理")
        frame.locator("#xq-box textarea").press("Enter")
        frame.locator(".xq-exchange .xq-actions").wait_for()
        assert "客运站" in frame.locator(".xq-answer").inner_text()


def test_no_other_site_shows_it(home, site, page):
    with serving(load_settings(home=home)) as site.chat:
        with page.expect_console_message(lambda told: "frame-ancestors" in told.text):
            page.goto(address(site))
        assert page.frame_locator("iframe").locator("#xq-box").count() == 0
