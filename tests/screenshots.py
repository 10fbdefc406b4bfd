"""Take pictures of every page: ``python tests/screenshots.py`` (make screenshots).

A server over the bundled sample, Debian's Chromium, three sizes, light and dark.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from PIL import Image
from playwright.sync_api import sync_playwright

from knowledge.base import KnowledgeBase
from knowledge.settings import load_settings
from tests.browsing import ARGUMENTS, CHROMIUM, serving
from ui.server import load_sample

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
LOOKED_AT = Path(tempfile.gettempdir()) / "xiaoquan-screenshots"
PASSWORD = "only for pictures"
# Kept in the repository; the rest is only looked at.
KEPT = {
    "start-desktop-light", "source-desktop-light", "chat-phone-dark",
    "kiosk-start-light", "kiosk-answer-light", "admin-desktop-light",
}  # fmt: skip
QUESTION = "身份证丢了多久能拿到新证"


def main():
    for folder in (FOLDER, LOOKED_AT):
        folder.mkdir(exist_ok=True)
    home = Path(tempfile.mkdtemp())
    settings = load_settings(home=home, admin_password=PASSWORD)
    with KnowledgeBase(settings) as base:
        load_sample(base)
    with serving(settings) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for colours in ("light", "dark"):
            shoot(browser, address, colours)
        browser.close()
    print(f"{LOOKED_AT}; in the repository: {FOLDER}")


def shoot(browser, address, colours):
    def page(width, height, path="/"):
        context = browser.new_context(
            locale="zh-CN", color_scheme=colours, viewport={"width": width, "height": height},
            http_credentials={"username": "operator", "password": PASSWORD},
        )  # fmt: skip
        page = context.new_page()
        page.goto(address + path)
        return page

    def save(page, name):
        page.wait_for_load_state("networkidle")
        name = f"{name}-{colours}"
        path = LOOKED_AT / f"{name}.png"
        page.screenshot(path=path)
        if name in KEPT:  # in 128 colours: a third of the size
            Image.open(path).convert("RGB").quantize(128).save(FOLDER / path.name, optimize=True)

    for name, size in (("desktop", (1280, 800)), ("phone", (390, 844))):
        chat = page(*size)
        chat.wait_for_selector(".xq-hello")
        save(chat, f"start-{name}")
        ask(chat, QUESTION)
        chat.click(".xq-exchange .xq-cite")
        chat.wait_for_selector("#xq-source mark")
        save(chat, f"source-{name}")
        chat.keyboard.press("Escape")
        ask(chat, "月球上的餐馆几点开门")
        save(chat, f"chat-{name}")
        admin = page(*size, "/admin")
        admin.wait_for_selector("#list tr")
        save(admin, f"admin-{name}")
    kiosk = page(1080, 1920, "/kiosk")
    save(kiosk, "kiosk-start")
    kiosk.fill("#question", QUESTION)
    kiosk.keyboard.press("Enter")
    kiosk.wait_for_selector(".xq-sources")
    save(kiosk, "kiosk-answer")


def ask(page, question):
    page.fill("#xq-box textarea", question)
    page.keyboard.press("Enter")
    page.wait_for_selector(f".xq-exchange[data-question='{question}'] .xq-suggested")


if __name__ == "__main__":
    main()
