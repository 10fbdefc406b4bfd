"""How often, and how large: rates for each key and address, sizes of bodies."""

import math
import time
from collections.abc import Mapping
from typing import Literal

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.errors import RequestError, failed

# A wrong key or password; one that is no key, from who asks too often: a placeholder or a guess.
Failure = Literal["wrong", "refused"]
WRONG_KEYS = 10  # a minute from one address: guessing is hopeless
LARGEST_BODY = 1_000_000  # bytes, of everything but uploads
_SLACK = 100_000  # bytes that a form adds to the file in it
_TOO_OFTEN = "请求太频繁：每分钟最多 {limit} 次。请 {seconds} 秒后再试。"
_GUESSING: Mapping[Failure, str] = {
    "wrong": "密钥错误次数太多。请 {seconds} 秒后再试。",
    "refused": "请求太频繁。请 {seconds} 秒后再试。",
}
_TOO_LARGE = "请求太大：最多 {limit} 字节。"


class Limits:
    """Counts requests in moving windows of a minute, in this process."""

    def __init__(self, per_minute: int) -> None:
        """Allow so many requests a minute from one address; 0 for any number."""
        self._per_minute = per_minute
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._wrong_keys = RateLimitItemPerMinute(WRONG_KEYS)

    def count(self, name: str, address: str, per_minute: int | None) -> None:
        """Count a request of a caller; the machine itself (no address) has no limit.

        Raises:
            RequestError: It is one too many.
        """
        limit = self._per_minute if per_minute is None else per_minute
        who = name or address
        if not (limit and who):
            return
        item = RateLimitItemPerMinute(limit)
        if not self._windows.hit(item, who):
            raise self._too_often(_TOO_OFTEN, item, who)

    def count_failure(self, failure: Failure, address: str) -> None:
        """Count a wrong key or password, or what may be one."""
        self._windows.hit(self._wrong_keys, failure, address)

    def check_failures(self, failure: Failure, address: str) -> None:
        """Refuse whoever guesses.

        Raises:
            RequestError: There were too many such failures from this address.
        """
        if not self._windows.test(self._wrong_keys, failure, address):
            raise self._too_often(_GUESSING[failure], self._wrong_keys, failure, address)

    def _too_often(self, message: str, item: RateLimitItem, *who: str) -> RequestError:
        reset = self._windows.get_window_stats(item, *who).reset_time
        seconds = max(1, math.ceil(reset - time.time()))
        told = message.format(limit=item.amount, seconds=seconds)
        return RequestError(429, told, {"Retry-After": str(seconds)})


class BodyLimit:
    """ASGI middleware: refuses bodies that are too large, before they are read whole."""

    def __init__(self, app: ASGIApp, upload_megabytes: int) -> None:
        self._app = app
        self._largest_upload = upload_megabytes * 1_000_000 + _SLACK

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        limit = self._largest_upload if _is_upload(scope) else LARGEST_BODY
        error = RequestError(413, _TOO_LARGE.format(limit=limit), {"Connection": "close"})
        if _announced(scope) > limit:
            return await failed(scope["path"], error)(scope, receive, send)
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise error
            return message

        async def unless_too_large(message: Message) -> None:
            if seen <= limit:
                await send(message)

        await self._app(scope, counted, unless_too_large)
        if seen > limit:  # whatever the framework has made of the error
            await failed(scope["path"], error)(scope, receive, send)
        return None


def _is_upload(scope: Scope) -> bool:
    return scope["method"] in {"POST", "PUT"} and scope["path"].startswith("/api/documents")


def _announced(scope: Scope) -> int:
    value = dict(scope["headers"]).get(b"content-length", b"0")
    return int(value) if value.isdigit() else 0
