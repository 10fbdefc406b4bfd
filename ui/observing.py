"""Every request seen: a number that goes through all its log lines, one line at its end, counts.

Lines are JSON, and personal numbers in them masked. Addresses with their queries, bodies and
answers are in none of them.
"""

import json
import logging
import re
import secrets
import sys
import time
from contextvars import ContextVar
from datetime import UTC, datetime

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.privacy import mask
from ui.metrics import Metrics
from ui.tracing import describe, request_span

log = logging.getLogger(__name__)

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_OURS = ("ui", "eval", "assistant", "knowledge")
_GOOD_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_TOLD = ("method", "route", "status", "ms", "caller")


class Observer:
    """ASGI middleware, the outermost."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        given = Headers(scope=scope).get("x-request-id", "")
        number = given if _GOOD_ID.fullmatch(given) else secrets.token_hex(8)
        token = _request_id.set(number)
        started, status = time.perf_counter(), 499

        async def with_number(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = number
            await send(message)

        with request_span(self._metrics.tracer, scope) as span:
            try:
                return await self._app(scope, receive, with_number)
            finally:
                route = _route(scope)
                describe(span, scope["method"], route, status, number)
                self._note(scope, route, status, time.perf_counter() - started)
                _request_id.reset(token)

    def _note(self, scope: Scope, route: str, status: int, seconds: float) -> None:
        self._metrics.requests.labels(route, status).inc()
        self._metrics.request_seconds.labels(route).observe(seconds)
        caller = scope.get("state", {}).get("caller")
        told = (scope["method"], route, status, round(seconds * 1000), caller and caller.name)
        log.info("request", extra=dict(zip(_TOLD, told, strict=True)))


def _route(scope: Scope) -> str:
    """Return the route's pattern, not the address: it names no document and no conversation."""
    return getattr(scope.get("route"), "path_format", "page")


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's line."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": mask(record.getMessage()),
            "request_id": _request_id.get(),
        }
        fields |= {name: getattr(record, name) for name in _TOLD if hasattr(record, name)}
        if record.exc_info:
            fields["error"] = mask(self.formatException(record.exc_info))
        return json.dumps(fields, ensure_ascii=False)


def log_lines(level: str) -> None:
    """Write our own logs from a level on, and everybody's warnings, to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in _OURS:
        logging.getLogger(name).setLevel(level.upper())
