"""Where questions are worked on: so many at once, so many waiting, the rest is told to come again.

A reply is composed step by step in threads. What waits for a chat model has threads of its own, so
a slow model holds up nothing that is looked up here; a client that reads slowly holds no thread at
all; and the work for one that has left ends with the step it is in.
"""

import os
from asyncio import CancelledError, Future, wait, wrap_future
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager, suppress
from contextvars import copy_context
from functools import cached_property, partial
from typing import TypeVar

from anyio import CancelScope, CapacityLimiter
from fastapi import Request

from assistant.reply import Reply, Understood
from assistant.types import Answer, Delta
from ui.errors import BusyError, RequestError

T = TypeVar("T")

# Searching keeps a core busy but for what it waits for the disk: more at once are only slower.
THREADS = 2 * (os.cpu_count() or 1)
BUSY = "现在提问的人太多，请稍等几秒再试。"
BUSY_SECONDS = 5


class _Threads:
    """So many threads, which stay: each has its connection to the catalogue, and what that caches.

    anyio ends threads that rest and starts others; the memory of their caches stayed with the
    process, and it grew by a gigabyte in five minutes of 184 terminals.
    """

    def __init__(self, count: int) -> None:
        self._limiter = CapacityLimiter(count)
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="work")

    async def run(self, call: Callable[[], T]) -> T:
        """Run a call to its end, once a thread is free; waiting for one can be cancelled."""
        async with self._limiter:
            return await _to_end(wrap_future(self._pool.submit(copy_context().run, call)))


async def _to_end(running: Future[T]) -> T:
    """Await a thread's work, which nothing stops: a task cancelled meanwhile ends after it.

    The scope keeps off what cancels by scopes (a client that has left), but not what cancels the
    task itself (a server that shuts down).
    """
    with CancelScope(shield=True):
        try:
            await wait([running])
        except CancelledError:
            while not running.done():
                with suppress(CancelledError):
                    await wait([running])
            raise
    return running.result()


class Work:
    """Counts what is under way, and runs it in threads."""

    def __init__(self, limit: int, chat_limit: int = 0) -> None:
        """Allow so many questions at the same time.

        Args:
            limit: How many, those that wait among them.
            chat_limit: How many of them may wait for a chat model; 0 where there is none.
        """
        self._limit = limit
        self._chat_limit = chat_limit
        self.under_way = 0

    # Made when first needed: they belong to the running event loop.
    @cached_property
    def _threads(self) -> _Threads:
        return _Threads(THREADS)

    @cached_property
    def _model_threads(self) -> _Threads:
        # Those beyond the limit are not waiting for words: they are lifted from the passages.
        return _Threads(self._chat_limit + THREADS)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place for one question until its answer is sent.

        Raises:
            BusyError: All are taken.
        """
        if self.under_way >= self._limit:
            raise BusyError(BUSY, BUSY_SECONDS)
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1

    async def run(self, call: Callable[[], T]) -> T:
        """Run what looks something up."""
        return await self._threads.run(call)

    async def deltas(self, reply: Reply, understood: Understood | None) -> AsyncGenerator[Delta]:
        """Yield a reply's pieces; whoever stops listening stops the composing."""
        waits = self._chat_limit and understood is not None and bool(understood.hits)
        threads = self._model_threads if waits else self._threads
        step = partial(next, iter(reply), None)
        try:
            while (delta := await threads.run(step)) is not None:
                yield delta
        finally:
            reply.close()

    async def answer(self, reply: Reply, request: Request) -> Answer:
        """Return the whole answer, or stop where its asker has left.

        Raises:
            RequestError: Nobody waits for it any more.
        """
        understood = await self.run(reply.understood)
        async with aclosing(self.deltas(reply, understood)) as deltas:
            async for _ in deltas:
                if await request.is_disconnected():
                    raise RequestError(499, "提问方已断开连接。")
        return reply.answer()
