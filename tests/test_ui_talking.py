"""What is heard becomes a question, and answers are read aloud while they come."""

import asyncio
import io
import json
import math
import os
import struct
import threading
import wave
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest

from knowledge.base import KnowledgeBase
from knowledge.errors import SettingError
from knowledge.settings import load_settings
from knowledge.types import Document
from tests.browsing import ARGUMENTS, CHROMIUM, Watch, barriers, serving
from tests.local_http import listening
from ui.hearing import Whisper, make_hearing

QUESTION = "青湖公园停车怎么收费"
MODEL = os.environ.get("TEST_SPEECH_MODEL", "")


def recording(seconds=2.0, rate=16000):
    """Return syllables of a kind as a WAV file: a steady tone would be taken for noise."""
    wav = io.BytesIO()
    with wave.open(wav, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(
            b"".join(struct.pack("<h", int(_loud(n / rate))) for n in range(int(seconds * rate)))
        )
    return wav.getvalue()


def _loud(at):
    pitch = 140 + 60 * math.sin(7 * at)
    voice = sum(math.sin(2 * math.pi * pitch * k * at) / k for k in range(1, 12))
    return 12000 * voice * max(0, math.sin(2 * math.pi * 3 * at))


class Speech(BaseHTTPRequestHandler):
    """A service in OpenAI's form that hears one question and reads everything as such syllables."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, body))
        if self.path == "/v1/audio/transcriptions":
            answer, kind = json.dumps({"text": QUESTION}).encode(), "application/json"
        else:
            answer, kind = recording(self.server.voice), "audio/wav"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def service():
    with listening(Speech) as server:
        server.asked = []
        server.voice = 0.3  # seconds
        yield server


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("talking")
    with KnowledgeBase(load_settings(home=home)) as base:
        text = "停车首小时免费，之后每小时收费3元。"
        base.add(Document("a", QUESTION, text, "/a.md"))
    return home


@pytest.fixture(scope="module")
def served(home, service):
    url = f"http://127.0.0.1:{service.server_port}/v1"
    with serving(load_settings(home=home, speech_url=url, voice_url=url)) as address:
        yield address


def heard(served, body):
    return httpx.post(f"{served}/page/heard", content=body)


def test_a_recording_becomes_text_and_what_is_asked_most_helps_to_spell_it(served, service):
    service.asked.clear()
    assert heard(served, recording()).json() == {"text": QUESTION}
    ((_, sent),) = service.asked
    assert "公积金缴存证明".encode() in sent


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"no sound", "WAV"),
        (recording(rate=8000), "16 kHz"),
        (recording(0.1), "0.1 秒"),
        (recording(31), "31.0 秒"),
    ],
)
def test_what_is_no_question_is_refused_with_the_reason(served, body, told):
    answer = heard(served, body)
    assert answer.status_code == 422
    assert told in answer.json()["error"]


def test_without_settings_it_is_deaf_and_says_so(home):
    with serving(load_settings(home=home)) as address:
        answer = heard(address, recording())
    assert answer.status_code == 404
    assert "XIAOQUAN_SPEECH_MODEL" in answer.json()["error"]


def test_a_service_that_is_gone_is_told(home):
    gone = "http://127.0.0.1:9/v1"
    with serving(load_settings(home=home, speech_url=gone, voice_url=gone)) as address:
        assert heard(address, recording()).status_code == 502
        answer = httpx.post(f"{address}/page/voice", json={"text": "您好"})
    assert answer.status_code == 502
    assert "朗读服务" in answer.json()["error"]


@pytest.fixture
def hanging():
    """The address of a service that takes what it is sent and answers nothing."""

    class Hanging(BaseHTTPRequestHandler):
        def do_POST(self):
            waiting.release()
            over.wait(150)

        def log_message(self, *_):
            pass

    waiting, over = threading.Semaphore(0), threading.Event()
    with listening(Hanging) as server:
        yield f"http://127.0.0.1:{server.server_port}/v1", waiting, over
        over.set()


def test_however_many_wait_for_a_service_that_hangs_questions_are_answered(
    home, hanging, monkeypatch
):
    monkeypatch.setattr("ui.outside.TIMEOUT", 120)  # longer than anything here takes
    url, waiting, over = hanging
    settings = load_settings(home=home, speech_url=url, voice_url=url)
    with serving(settings) as address, ThreadPoolExecutor(60) as citizens:
        ask = partial(httpx.post, f"{address}/api/ask", json={"question": QUESTION}, timeout=60)
        voice = partial(httpx.post, f"{address}/page/voice", json={"text": "您好"}, timeout=150)
        ask()  # the models are loaded
        asked = [citizens.submit(voice) for _ in range(60)]
        try:
            assert waiting.acquire(timeout=60)
            assert "每小时收费3元" in ask().json()["answer"]
            assert not any(one.done() for one in asked)
        finally:
            over.set()


def test_a_service_that_hangs_is_given_up_with_a_message(home, hanging, monkeypatch):
    monkeypatch.setattr("ui.outside.TIMEOUT", 0.5)
    url, *_ = hanging
    with serving(load_settings(home=home, speech_url=url, voice_url=url)) as address:
        answer = httpx.post(f"{address}/page/voice", json={"text": "您好"}, timeout=20)
        assert (answer.status_code, "没有回应" in answer.json()["error"]) == (502, True)
        answer = httpx.post(f"{address}/page/heard", content=recording(), timeout=20)
        assert (answer.status_code, "没有回应" in answer.json()["error"]) == (502, True)


@pytest.fixture
def proxy(monkeypatch):
    """A proxy that the environment names, with what it was asked for."""

    class Proxy(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    asked = []
    with listening(Proxy) as server:
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
        yield asked


def test_no_proxy_hears_what_stays_on_the_machine(served, proxy):
    with httpx.Client(base_url=served, trust_env=False) as client:
        text = client.post("/page/heard", content=recording())
        voice = client.post("/page/voice", json={"text": "您好"})
    assert text.json() == {"text": QUESTION}
    assert voice.headers["content-type"] == "audio/wav"
    assert proxy == []


def test_a_service_elsewhere_is_reached_by_the_proxy(home, proxy):
    elsewhere = "http://speech.example.test/v1"
    with (
        serving(load_settings(home=home, speech_url=elsewhere, voice_url=elsewhere)) as address,
        httpx.Client(base_url=address, trust_env=False) as client,
    ):
        client.post("/page/heard", content=recording())
        client.post("/page/voice", json={"text": "您好"})
    assert proxy == [f"{elsewhere}/audio/transcriptions", f"{elsewhere}/audio/speech"]


def test_a_model_without_what_runs_it_is_told_at_the_start(monkeypatch):
    monkeypatch.setattr("ui.hearing.find_spec", lambda _: None)
    with pytest.raises(SettingError, match=r"xiaoquan\[speech\]"):
        make_hearing(load_settings(speech_model="/models/whisper"))


def test_the_real_model_hears_no_words_where_there_are_none():
    pytest.importorskip("faster_whisper", reason="pip install 'xiaoquan[speech]'")
    if not Path(MODEL, "model.bin").is_file():
        pytest.skip("no Whisper model: name its folder in TEST_SPEECH_MODEL")
    hearing = Whisper(load_settings(speech_model=MODEL))
    assert asyncio.run(hearing.text(recording(3))) == ""
    expected = "不动产登记证明怎么开。公积金缴存证明怎么打印。"
    assert asyncio.run(hearing.text(recording(3), expected)) == ""


@pytest.fixture
def talkative(playwright_, served, tmp_path):
    """A browser with a question at its microphone."""
    sound = tmp_path / "question.wav"
    sound.write_bytes(recording(2.0, 48000))
    microphone = f"--use-file-for-fake-audio-capture={sound}%noloop"
    browser = playwright_.chromium.launch(
        executable_path=CHROMIUM,
        args=[*ARGUMENTS, microphone, "--autoplay-policy=no-user-gesture-required"],
    )
    watch = Watch(served)

    def visit(path):
        context = browser.new_context(locale="zh-CN", permissions=["microphone"])
        page = context.new_page()
        watch.follow(page)
        page.goto(served + path)
        return page

    yield visit
    browser.close()
    assert watch.problems == []


@pytest.mark.browser
def test_a_spoken_question_is_typed_and_its_answer_read(talkative, service):
    page = talkative("/")
    page.wait_for_selector(".xq-hello")
    page.click("[data-do=aloud]")
    page.click("[data-do=hear]")
    assert barriers(page) == []
    page.wait_for_function(f"document.querySelector('#xq-box textarea').value === '{QUESTION}'")
    service.asked.clear()
    page.evaluate(
        "const bar = document.querySelector('#xq-speech'); window.bar = [];"
        "new MutationObserver(() => window.bar.push(bar.hidden)).observe(bar, {attributes: true})"
    )
    page.keyboard.press("Enter")
    page.wait_for_function("bar.includes(false) && bar.at(-1)")  # shown, and gone again
    read = "".join(json.loads(body)["input"] for _, body in service.asked)
    assert "每小时收费3元" in read
    assert "[1]" not in read


# How many microphones a page has opened, and how many of them are still open.
MICROPHONES = """
window.tracks = [];
const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
    await new Promise((given) => setTimeout(given, 100));
    const stream = await real(wanted);
    tracks.push(...stream.getTracks());
    return stream;
};
0"""
SILENT = "tracks.length && tracks.every((track) => track.readyState === 'ended')"


@pytest.mark.browser
@pytest.mark.parametrize(("path", "button"), [("/", "[data-do=hear]"), ("/kiosk", "#hear")])
def test_a_double_tap_is_one_and_the_microphone_is_closed_again(talkative, path, button):
    page = talkative(path)
    page.evaluate(MICROPHONES)
    page.dblclick(button)
    with page.expect_response("**/page/heard") as heard:
        page.wait_for_function(SILENT, timeout=20_000)
    assert heard.value.json() == {"text": QUESTION}
    assert page.evaluate("tracks.length") == 1


@pytest.mark.browser
def test_who_leaves_while_speaking_is_heard_no_more_and_nothing_of_it_is_typed(talkative, service):
    page = talkative("/")
    page.evaluate(MICROPHONES)
    service.asked.clear()
    page.click("[data-do=hear]")
    page.wait_for_function("tracks.length")
    page.click("[data-do=leave]")
    page.click("dialog [value=yes]")
    page.wait_for_function(SILENT)
    page.wait_for_timeout(500)
    assert page.input_value("#xq-box textarea") == ""
    assert service.asked == []


@pytest.mark.browser
def test_the_terminal_listens_thinks_and_speaks(talkative, service, monkeypatch):
    monkeypatch.setattr(service, "voice", 60)  # it speaks until it is told to stop
    page = talkative("/kiosk")
    page.evaluate(
        "window.states = []; new MutationObserver(() => states.push(document.body.className))"
        ".observe(document.body, {attributes: true})"
    )
    page.click("#hear")
    page.wait_for_selector(".xq-sources")
    page.wait_for_selector("#hush", state="visible")
    page.click("#hush")
    page.wait_for_selector("#hush", state="hidden")
    states = " ".join(page.evaluate("states"))
    assert states.index("listening") < states.index("thinking") < states.index("speaking")
    assert "每小时收费3元" in page.inner_text("#log")


@pytest.mark.browser
def test_what_one_citizen_said_is_not_asked_on_the_next_ones_screen(talkative):
    page = talkative("/kiosk")
    held = []

    def hold(route):
        held.append(route)

    page.route("**/page/heard", hold)
    with page.expect_request("**/page/heard"):
        page.click("#hear")
    page.click("#anew")
    with page.expect_event("requestfinished"):
        held[0].continue_()
    page.fill("#question", "公交卡怎么办理")
    page.keyboard.press("Enter")
    page.wait_for_selector(".xq-reply")
    assert page.locator("#log .xq-said").all_inner_texts() == ["公交卡怎么办理"]


@pytest.mark.browser
def test_a_terminal_that_would_have_read_an_answer_that_failed_is_cleared(talkative):
    page = talkative("/kiosk")
    page.clock.install()
    page.reload()
    failure = 'event: error\ndata: {"error": "模型没有回应。"}\n\n'
    page.route(
        "**/api/ask", lambda route: route.fulfill(body=failure, content_type="text/event-stream")
    )
    page.fill("#question", QUESTION)
    page.keyboard.press("Enter")
    page.wait_for_selector(".xq-problem:has-text('模型没有回应')")
    page.clock.fast_forward("02:10")
    page.wait_for_selector("#start", state="visible")
    assert page.inner_text("#log") == ""
