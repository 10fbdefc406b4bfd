"""Load on a server over HTTP: terminals that ask at a pace, or all at the same instant."""

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

log = logging.getLogger(__name__)

PATIENCE = 120.0  # seconds that a terminal waits for an answer


@dataclass(slots=True)
class _Seen:
    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)


async def pace(
    url: str, questions: Sequence[str], terminals: int, every: float, seconds: float
) -> dict[str, Any]:
    """Let each of so many terminals ask another question every so many seconds."""
    seen = _Seen()
    async with _client(url, terminals) as client:
        end = time.perf_counter() + seconds

        async def terminal(number: int) -> None:
            at = number * every / terminals  # spread evenly: terminals know nothing of each other
            await asyncio.sleep(at)
            for turn in range(math.ceil((seconds - at) / every)):
                due = end - seconds + at + turn * every
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                await _ask(client, questions[(number + turn * terminals) % len(questions)], seen)

        await asyncio.gather(*map(terminal, range(terminals)))
    return _summary(seen)


async def burst(url: str, questions: Sequence[str], terminals: int, times: int) -> dict[str, Any]:
    """Let so many terminals ask at the same instant, so many times."""
    seen = _Seen()
    async with _client(url, terminals) as client:
        for turn in range(times):
            asked = [questions[(turn * terminals + n) % len(questions)] for n in range(terminals)]
            await asyncio.gather(*(_ask(client, question, seen) for question in asked))
    return _summary(seen)


def _client(url: str, terminals: int) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=terminals)
    return httpx.AsyncClient(base_url=url, timeout=PATIENCE, limits=limits, trust_env=False)


async def _ask(client: httpx.AsyncClient, question: str, seen: _Seen) -> None:
    started = time.perf_counter()
    try:
        response = await client.post("/api/ask", json={"question": question})
    except httpx.HTTPError as error:
        seen.statuses["lost"] += 1
        log.warning("question was lost: %r", error)
        return
    busy = response.status_code == 503 and "Retry-After" in response.headers
    kind = "answered" if response.status_code == 200 else "told to come again" if busy else "error"
    seen.statuses[kind] += 1
    if kind == "answered":
        seen.seconds.append(time.perf_counter() - started)


def _summary(seen: _Seen) -> dict[str, Any]:
    names = ("answered", "told to come again", "error", "lost")
    counts: dict[str, Any] = {name: seen.statuses[name] for name in names}
    times = sorted(seen.seconds) or [0.0]
    for share in (50, 95, 99, 100):
        counts[f"p{share}"] = round(times[math.ceil(len(times) * share / 100) - 1], 3)
    return counts
