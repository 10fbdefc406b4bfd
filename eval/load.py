"""Load on a server over HTTP: terminals that ask at a pace, or all at the same instant."""

import asyncio
import logging
import math
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from eval.errors import QuestionSetError

log = logging.getLogger(__name__)

PATIENCE = 120.0  # seconds that a terminal waits for an answer
_RESIDENT = re.compile(r"^process_resident_memory_bytes (\S+)", re.MULTILINE)


@dataclass(slots=True)
class _Seen:
    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)


def connect(url: str, terminals: int, password: str = "") -> httpx.AsyncClient:
    """Return a client for so many terminals.

    Args:
        url: Where the server is.
        terminals: How many connections it may open.
        password: The operator's, with which no rate is limited and memory is told.

    Raises:
        QuestionSetError: This can be no server's address.
    """
    if not _is_address(url):
        raise QuestionSetError(
            f"--url 的值 {url!r} 不是完整的地址。请连同 http:// 一起写，例如 http://127.0.0.1:7860。"
        )
    limits = httpx.Limits(max_connections=terminals)
    # As bytes: httpx takes text for ASCII.
    headers = {b"Authorization": f"Bearer {password}".encode()} if password else {}
    return httpx.AsyncClient(
        base_url=url, timeout=PATIENCE, limits=limits, headers=headers, trust_env=False
    )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, or a colon in full width
        return False


async def pace(
    client: httpx.AsyncClient,
    questions: Sequence[str],
    terminals: int,
    every: float,
    seconds: float,
) -> dict[str, Any]:
    """Let each of so many terminals ask another question every so many seconds."""
    seen = _Seen()
    before = await memory(client)
    end = time.perf_counter() + seconds

    async def terminal(number: int) -> None:
        at = number * every / terminals  # spread evenly: terminals know nothing of each other
        for turn in range(math.ceil((seconds - at) / every)):
            due = end - seconds + at + turn * every
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await _ask(client, questions[(number + turn * terminals) % len(questions)], seen)

    await asyncio.gather(*map(terminal, range(terminals)))
    return _summary(seen) | _growth(before, await memory(client))


async def burst(
    client: httpx.AsyncClient, questions: Sequence[str], terminals: int, times: int
) -> dict[str, Any]:
    """Let so many terminals ask at the same instant, so many times."""
    seen = _Seen()
    before = await memory(client)
    for turn in range(times):
        asked = [questions[(turn * terminals + n) % len(questions)] for n in range(terminals)]
        await asyncio.gather(*(_ask(client, question, seen) for question in asked))
    return _summary(seen) | _growth(before, await memory(client))


async def memory(client: httpx.AsyncClient) -> float | None:
    """Return the server's resident memory in MB; None where it is not told."""
    try:
        response = await client.get("/metrics")
    except httpx.HTTPError:
        return None
    found = _RESIDENT.search(response.text)
    return float(found[1]) / 1e6 if found else None


def _growth(before: float | None, after: float | None) -> dict[str, Any]:
    if before is None or after is None:
        return {}
    return {"memory before, MB": round(before), "memory after, MB": round(after)}


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
