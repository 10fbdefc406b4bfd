"""A real server and a real browser, for the tests of the pages."""

import threading
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from axe_playwright_python.sync_playwright import Axe

from assistant.chain import Assistant
from knowledge.base import KnowledgeBase
from ui.server import make_server_app

CHROMIUM = Path("/usr/bin/chromium")
# Nothing that Chromium does by itself leaves the machine.
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
]  # fmt: skip


class Told(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config):
        super().__init__(config)
        self.listens = threading.Event()

    async def startup(self, sockets=None):
        await super().startup(sockets)
        self.listens.set()


@contextmanager
def serving(settings, make_assistant=Assistant):
    """Serve a home on a free port; yield the address."""
    with KnowledgeBase(settings) as base:
        app = make_server_app(base, make_assistant(base))
        server = Told(
            uvicorn.Config(
                app, host="127.0.0.1", port=0, log_level="warning", timeout_graceful_shutdown=1
            )
        )
        thread = threading.Thread(target=server.run)
        thread.start()
        assert server.listens.wait(60)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()


# Gradio closes its stream as a page is left, and complains of the stream it closed; nobody sees it.
QUIET_WHEN_LEFT = """addEventListener("beforeunload", () => {
    console.error = () => {};
    addEventListener("unhandledrejection", (event) => event.preventDefault());
});"""


class Watch:
    """Notes what a page complains about and whom it asks."""

    def __init__(self, address):
        self.address = address
        self.problems = []

    def follow(self, page):
        page.add_init_script(QUIET_WHEN_LEFT)
        self.listen(page)

    def listen(self, page):
        page.on("console", lambda m: m.type == "error" and self.problems.append(m.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("response", self._answered)
        page.on("request", lambda request: self._asked(request.url))

    def _answered(self, response):
        if response.status >= 400:
            self.problems.append(f"{response.status} {response.request.method} {response.url}")

    def _asked(self, url):
        if not url.startswith((self.address, "data:", "blob:")):
            self.problems.append(f"asked another host: {url}")


def barriers(page):
    """Return what axe-core finds serious, as rule and place."""
    found = Axe().run(page).response["violations"]
    return [
        (one["id"], node["target"], node["html"][:200])
        for one in found
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]
