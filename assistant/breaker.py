"""Keeps questions from waiting for a chat model that is down, or that has its hands full.

Written here because pybreaker holds its lock through a whole call, so that streams would wait for
each other, and circuitbreaker lets everybody try at once whether a service is back.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from assistant.errors import ChatModelDownError, ChatModelError

log = logging.getLogger(__name__)

FAILURES = 3  # in a row: then it is left alone
REST = 30.0  # seconds until one question tries whether it is back
DOWN = "对话模型暂时不可用"
BUSY = "对话模型正忙"


class Breaker:
    """Lets calls of one service through, or not. Safe to use from many threads."""

    def __init__(self, at_once: int = 32, clock: Callable[[], float] = time.monotonic) -> None:
        """Let so many calls through at the same time; ``clock`` tells seconds."""
        self._at_once = at_once
        self._clock = clock
        self._lock = Lock()
        self._under_way = 0
        self._failures = 0  # in a row
        self._rests_until = 0.0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Count a call while it lasts. One that is left early tells nothing about the service.

        Raises:
            ChatModelError: It is not let through.
        """
        self._enter()
        try:
            yield
            self._note(failed=False)
        except ChatModelDownError:
            self._note(failed=True)
            raise
        finally:
            with self._lock:
                self._under_way -= 1

    def _enter(self) -> None:
        with self._lock:
            if self._failures >= FAILURES:
                if self._clock() < self._rests_until:
                    raise ChatModelError(DOWN)
                self._rests_until = self._clock() + REST  # this one tries, the next ones wait
            if self._under_way >= self._at_once:
                raise ChatModelError(BUSY)
            self._under_way += 1

    def _note(self, *, failed: bool) -> None:
        with self._lock:
            before, self._failures = self._failures, self._failures + 1 if failed else 0
            if self._failures >= FAILURES:
                self._rests_until = self._clock() + REST
        if (self._failures >= FAILURES) != (before >= FAILURES):
            log.warning("the chat model is %s", "left alone for a while" if failed else "back")
