"""What Prometheus may know: counts and times, never words."""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from assistant.chain import Assistant
from assistant.reply import Reply, Resolved, Understood
from assistant.types import Answer, Delta, Turn
from knowledge.base import Change, KnowledgeBase
from ui.tracing import make_tracer
from ui.work import Work

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters of one server; several servers in one process share nothing."""

    def __init__(self, base: KnowledgeBase, work: Work) -> None:
        self.tracer = make_tracer()
        self._chat_model = bool(base.settings.chat_model)
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)  # memory, processor time, open files; on Linux
        self.requests = Counter(
            "xiaoquan_http_requests", "HTTP requests.", ("route", "status"), registry=registry
        )
        self.request_seconds = Histogram(
            "xiaoquan_http_request_seconds",
            "To the end.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._questions = Counter(
            "xiaoquan_questions",
            "Questions by what became of them.",
            ("status", "mode"),
            registry=registry,
        )
        self._stages = Histogram(
            "xiaoquan_stage_seconds",
            "understand: to the first step; compose: the rest.",
            ("stage",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._errors = Counter(
            "xiaoquan_question_errors", "Questions that failed.", ("error",), registry=registry
        )
        self._fallbacks = Counter(
            "xiaoquan_chat_model_fallbacks",
            "Answers lifted since the chat model gave none.",
            registry=registry,
        )
        self._changes = Counter(
            "xiaoquan_ingested_documents",
            "Documents changed over HTTP.",
            ("outcome",),
            registry=registry,
        )
        self._passages = Counter(
            "xiaoquan_ingested_passages", "Passages indexed over HTTP.", registry=registry
        )
        waiting = Gauge("xiaoquan_questions_under_way", "Those that wait too.", registry=registry)
        waiting.set_function(lambda: work.under_way)
        for at, name in enumerate(("documents", "passages")):
            gauge = Gauge(f"xiaoquan_{name}", "In the knowledge base.", registry=registry)
            gauge.set_function(lambda at=at: base.catalogue.count()[at])  # type: ignore[misc]

    def page(self) -> bytes:
        """Return everything as Prometheus reads it."""
        return generate_latest(self._registry)

    def changed(self, change: Change) -> None:
        """Count a change to the documents."""
        self._changes.labels(change.outcome).inc()
        self._passages.inc(change.passages)

    def measured(self, reply: Reply) -> Reply:
        """Return the same reply, counted and timed while it is read."""
        return Reply(self._measure(reply))

    def _measure(self, reply: Reply) -> Generator[Delta | Understood, None, Resolved]:
        try:
            with (
                self._stages.labels("understand").time(),
                self.tracer.start_as_current_span("understand", record_exception=False),
            ):
                understood = reply.understood()
            if understood:
                yield understood
            with self._composing():
                yield from reply
            self._count(reply.answer())
            return Resolved(reply.answer(), reply.hits, reply.evidence)
        except Exception as error:
            self._errors.labels(type(error).__name__).inc()
            raise
        finally:
            reply.close()

    @contextmanager
    def _composing(self) -> Iterator[None]:
        """Time what goes on from step to step, each perhaps in another thread."""
        span, started = self.tracer.start_span("compose"), time.perf_counter()
        try:
            yield
            self._stages.labels("compose").observe(time.perf_counter() - started)
        finally:
            span.end()

    def _count(self, answer: Answer) -> None:
        self._questions.labels(answer.status, answer.mode).inc()
        if self._chat_model and not answer.refused and answer.mode == "extractive":
            self._fallbacks.inc()


class MeasuredAssistant(Assistant):
    """An assistant whose answers are counted, whichever way they are asked for."""

    def __init__(self, assistant: Assistant, metrics: Metrics) -> None:
        self._assistant = assistant
        self._metrics = metrics

    def ask(self, question: str, history: Sequence[Turn] = (), *, as_typed: bool = False) -> Reply:
        """Return the reply to a question, measured."""
        return self._metrics.measured(self._assistant.ask(question, history, as_typed=as_typed))

    def warm(self) -> None:
        """Load what the first question would have to wait for."""
        self._assistant.warm()
