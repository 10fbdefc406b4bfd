"""Whether a question would be answered now."""

import time

from anyio import Lock, to_thread

from knowledge.base import KnowledgeBase

STANDS = 1.0  # seconds for which an outcome is told again


class Probe:
    """Searches to see whether it can, once a second however many ask: nobody needs a key for it."""

    def __init__(self, base: KnowledgeBase) -> None:
        self._base = base
        self._one = Lock()
        self._until = 0.0
        self._outcome: tuple[int, int] | Exception = (0, 0)

    async def count(self) -> tuple[int, int]:
        """Return how many documents and passages can be searched.

        Raises:
            KnowledgeError: They can't be, and why.
        """
        async with self._one:
            if time.monotonic() >= self._until:
                self._outcome = await to_thread.run_sync(self._search)
                self._until = time.monotonic() + STANDS
        if isinstance(self._outcome, Exception):
            raise self._outcome.with_traceback(None)
        return self._outcome

    def _search(self) -> tuple[int, int] | Exception:
        try:
            self._base.search("办事", limit=1)
            return self._base.catalogue.count()
        except Exception as error:  # each of those who asked meanwhile is told of it
            return error
