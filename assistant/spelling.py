"""The corrector of one knowledge base, built anew when the base changes."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from assistant.matters import NAMES
from assistant.proofreader import Proofreader
from assistant.typos import Corrector
from knowledge.catalogue import Catalogue

# Characters counted at most, spread over all passages: they cost about two seconds, once for
# each state of the knowledge base, and 100 MB; its common words all stand in them.
CHARACTERS = 2_000_000
# Counting rests so many times as long as it took: where documents change every second it would
# keep a core busy, and vocabulary changes slowly.
REST = 20


class Spelling:
    """Mends questions against the knowledge base's own vocabulary; safe to use from many threads.

    The first question waits until that is counted. When the base changes, the old counts serve
    until the new ones, counted in the background after a rest, are there.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        proofreader: Proofreader,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Count the vocabulary of a catalogue; ``clock`` tells seconds."""
        self._catalogue = catalogue
        self._proofreader = proofreader
        self._clock = clock
        self._counting = threading.Lock()
        # One thread that stays: what each of many had allocated stayed with the process.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="spelling")
        self._rests_until = 0.0
        self._known: tuple[int, Corrector] | None = None

    def correct(self, question: str) -> str:
        """Return the question with the typos mended that are beyond doubt."""
        return self._corrector().correct(question).text

    def _corrector(self) -> Corrector:
        version = self._catalogue.version()
        known = self._known
        if known is None:
            with self._counting:
                known = self._known or self._count(version)
        elif (
            known[0] != version
            and self._clock() >= self._rests_until
            and self._counting.acquire(blocking=False)
        ):
            self._worker.submit(self._recount, version)
        return known[1]

    def _recount(self, version: int) -> None:
        try:
            self._count(version)
        finally:
            self._counting.release()

    def _count(self, version: int) -> tuple[int, Corrector]:
        started = self._clock()
        # What people ask any government about is no typo where the documents do not treat it.
        texts = chain(self._catalogue.texts(CHARACTERS), NAMES)
        self._known = version, Corrector(self._proofreader, texts)
        self._rests_until = self._clock() + REST * (self._clock() - started)
        return self._known
