"""Traces in OpenTelemetry's form, where OTEL_EXPORTER_OTLP_ENDPOINT says whereto; else none.

Spans hold routes, statuses and times, never words: OpenTelemetry's own instrumentation of FastAPI
would send addresses, and in them what is searched for.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.trace import NoOpTracer, Span, SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import Scope

from knowledge.errors import SettingError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def make_tracer() -> Tracer:
    """Return what makes spans; OpenTelemetry's other standard variables hold for it too.

    Raises:
        SettingError: An endpoint is set, and what sends there is not installed.
    """
    if not os.environ.get(ENDPOINT):
        return NoOpTracer()
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider

    named = Resource.create({"service.name": "xiaoquan"}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=named)
    provider.add_span_processor(_processor())
    return provider.get_tracer("xiaoquan")


@contextmanager
def request_span(tracer: Tracer, scope: Scope) -> Iterator[Span]:
    """A span around one HTTP request, part of the trace that the caller names, if any."""
    context = TraceContextTextMapPropagator().extract(Headers(scope=scope))
    with tracer.start_as_current_span(
        scope["method"], context, SpanKind.SERVER, record_exception=False
    ) as span:
        yield span


def describe(span: Span, method: str, route: str, status: int, number: str) -> None:
    """Say what a request was and what became of it."""
    span.update_name(f"{method} {route}")
    span.set_attributes(
        {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
            "xiaoquan.request_id": number,
        }
    )


def _processor() -> "SpanProcessor":
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError:
        raise SettingError(
            f"设置了 {ENDPOINT}={os.environ[ENDPOINT]!r}，但没有装发送跟踪数据的组件。"
            "请运行 pip install 'xiaoquan[otel]'，或取消这项设置。"
        ) from None
    return BatchSpanProcessor(OTLPSpanExporter())
