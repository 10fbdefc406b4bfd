"""For all tests: one home with the sample, no network, no settings of the machine."""

import os
import socket
from pathlib import Path

import pytest

import knowledge
from assistant.proofreader import Proofreader
from knowledge.base import KnowledgeBase
from knowledge.models import default_model
from knowledge.readers import read_document
from knowledge.settings import load_settings
from tests.browsing import ARGUMENTS, CHROMIUM, Watch
from tests.servers import chroma, postgres  # noqa: F401

SAMPLE = Path(knowledge.__file__).parent / "sample"
_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex


@pytest.fixture(scope="session", autouse=True)
def _model():
    """Fetch the embedding model where it is not at hand yet: the last use of the network."""
    default_model(load_settings().model_cache)


@pytest.fixture(scope="session", autouse=True)
def _own_settings(_model, tmp_path_factory):
    """Forget what the machine has set, but for where the model is kept."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("XIAOQUAN_", "OTEL_")) and name != "XIAOQUAN_MODEL_CACHE":
                patch.delenv(name)
        patch.setenv("XIAOQUAN_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_network(_model):
    """Refuse every connection that would leave the machine."""

    def connect(self, address):
        _refuse_outside(self, address)
        return _connect(self, address)

    def connect_ex(self, address):
        _refuse_outside(self, address)
        return _connect_ex(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket.socket, "connect_ex", connect_ex)
        yield


def _refuse_outside(connecting, address):
    if connecting.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    if not address[0].startswith(("127.", "::1", "localhost")):
        raise ConnectionRefusedError(f"tests may not leave the machine: {address!r}")


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory):
    """A home that holds the bundled sample; not to be changed."""
    home = tmp_path_factory.mktemp("sample-home")
    with KnowledgeBase(load_settings(home=home)) as base:
        for _ in base.add_all(map(read_document, sorted(SAMPLE.glob("*.md")))):
            pass
    return home


@pytest.fixture(scope="session")
def sample_base(sample_home):
    """The knowledge base of the bundled sample; not to be changed."""
    with KnowledgeBase(load_settings(home=sample_home)) as base:
        yield base


@pytest.fixture(scope="session")
def proofreader():
    """What tells the characters that were meant."""
    return Proofreader(lambda: default_model(load_settings().model_cache))


@pytest.fixture(scope="session")
def playwright_():
    """Playwright, where there is a Chromium for it."""
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}: make test-browser installs it")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright_):
    """Debian's Chromium, driven by Playwright."""
    browser = playwright_.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture
def visit(chromium, served):
    """Open pages as another citizen each time; none may complain or ask another host."""
    watch, contexts = Watch(served), []

    def open_page(path="/", **context):
        contexts.append(chromium.new_context(locale="zh-CN", **context))
        page = contexts[-1].new_page()
        watch.follow(page)
        page.goto(served + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert watch.problems == []
