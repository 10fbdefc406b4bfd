"""A chat model that is down or busy: the extractive answer stands at once, until it is back."""

import socket
import threading
from contextlib import closing

import pytest
from scripted import ScriptedModel, hit

from assistant.breaker import BUSY, DOWN, FAILURES, REST, Breaker
from assistant.chain import Assistant
from assistant.composing import finished
from assistant.extractive import ExtractiveComposer
from assistant.generative import SLOW, GenerativeComposer, generative
from knowledge.lexical import terms

SAID = ["每人每月补贴300元[1]。"]
GONE = [ConnectionError("refused")]
HITS = [hit("年满80周岁的老年人，每人每月补贴300元。")]


class _ToldError(Exception):
    def __init__(self, status):
        self.status_code = status


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def composer(model, clock=None, at_once=32):
    return GenerativeComposer(
        model,
        ExtractiveComposer(lambda text: dict.fromkeys(terms(text), 1.0)),
        breaker=Breaker(at_once, clock or Clock()),
    )


def ask(composing):
    return finished(composing.compose("高龄津贴每月多少钱", HITS, ()))


def lifted(composed, problem):
    return composed.mode == "extractive" and "300元" in composed.text and problem in composed.text


def down(composing):
    for _ in range(FAILURES):
        assert lifted(ask(composing), DOWN)


def test_a_model_that_is_down_is_asked_again_only_after_a_rest():
    model, clock = ScriptedModel(script=GONE), Clock()
    composing = composer(model, clock)
    down(composing)
    model.script = SAID
    clock.now = REST - 1
    assert lifted(ask(composing), DOWN)
    assert len(model.seen) == FAILURES
    clock.now = REST
    assert ask(composing).mode == "generative"
    assert ask(composing).mode == "generative"


def test_one_question_alone_tries_whether_it_is_back():
    clock, go_on = Clock(), threading.Event()
    model = ScriptedModel(script=GONE)
    composing = composer(model, clock)
    down(composing)
    clock.now = REST
    model.script = [*SAID, "每人", go_on, "每月补贴300元[1]。"]
    trying = composing.compose("高龄津贴每月多少钱", HITS, ())
    next(trying)
    assert lifted(ask(composing), DOWN)
    trying.close()  # its asker has left: that tells nothing, and the next one tries
    go_on.set()
    clock.now += REST
    model.script = GONE
    assert lifted(ask(composing), DOWN)
    assert lifted(ask(composing), DOWN)
    assert len(model.seen) == FAILURES + 2


def test_failures_that_are_not_in_a_row_are_none():
    model = ScriptedModel(script=GONE)
    composing = composer(model)
    for _ in range(FAILURES):
        model.script = GONE
        assert lifted(ask(composing), DOWN)
        model.script = SAID
        assert ask(composing).mode == "generative"


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_question_that_the_service_will_not_take_says_nothing_about_it(status):
    model = ScriptedModel(script=[_ToldError(status)])
    composing = composer(model)
    for _ in range(FAILURES + 1):
        assert lifted(ask(composing), DOWN)
    assert len(model.seen) == FAILURES + 1


def test_what_does_not_hold_says_nothing_about_it_either():
    model = ScriptedModel(script=["每人每月补贴9999元[1]。"])
    composing = composer(model)
    for _ in range(FAILURES + 1):
        ask(composing)
    assert len(model.seen) == FAILURES + 1


def test_beyond_as_many_as_it_may_be_asked_nobody_waits():
    go_on = threading.Event()
    model = ScriptedModel(script=[*SAID, "每人", go_on, "每月补贴300元[1]。"])
    composing = composer(model, at_once=1)
    first = composing.compose("高龄津贴每月多少钱", HITS, ())
    next(first)
    assert lifted(ask(composing), BUSY)
    go_on.set()
    assert finished(first).mode == "generative"
    assert ask(composing).mode == "generative"


def test_a_host_that_hangs_is_waited_for_no_more_than_a_few_times(sample_base):
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:  # takes all, says nothing
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        settings = sample_base.settings.model_copy(
            update={"chat_model": "openai:m", "chat_base_url": url, "chat_timeout": 0.05}
        )
        assistant = Assistant(sample_base, settings)
        notes = [assistant.ask("公积金什么情况下可以提取").answer().answer for _ in range(4)]
    assert [SLOW in note for note in notes] == [True] * FAILURES + [False]
    assert DOWN in notes[-1]


def test_a_closed_port_is_tried_no_more_than_a_few_times(sample_base, monkeypatch):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    settings = sample_base.settings.model_copy(
        update={"chat_model": "openai:m", "chat_base_url": f"http://127.0.0.1:{port}/v1"}
    )
    tried, connect = [], socket.create_connection

    def counted(address, *given, **more):
        tried.append(address)
        return connect(address, *given, **more)

    monkeypatch.setattr(socket, "create_connection", counted)
    composing = generative(settings, sample_base, ExtractiveComposer(sample_base.term_weights))
    for _ in range(FAILURES + 3):
        assert lifted(ask(composing), DOWN)
    assert tried == [("127.0.0.1", port)] * FAILURES
