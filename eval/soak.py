"""Long use in short: terminals ask while documents are replaced, and memory is watched."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from eval.load import memory, pace
from knowledge.errors import KnowledgeError

FRESH = 2.0  # seconds after a replacement within which the answer may still be the old one
LARGEST_GROWTH = 5.0  # per cent of memory
_DOCUMENTS = 10  # are replaced in turn: one each second, each every ten
_SAMPLES = 60  # of memory
_WAIT = {"wait": 60}  # seconds, for a job to be done


@dataclass(slots=True)
class _Watch:
    replaced: int = 0
    not_replaced: int = 0
    stale: int = 0
    ids: set[str] = field(default_factory=set)
    megabytes: list[float | None] = field(default_factory=list)


async def soak(  # noqa: PLR0913 - what pace takes, and one more
    client: httpx.AsyncClient,
    questions: Sequence[str],
    terminals: int,
    every: float,
    seconds: float,
    *,
    fresh: float = FRESH,
) -> dict[str, Any]:
    """Ask at a pace, replace a document every second, see that the new one answers.

    Raises:
        KnowledgeError: The server lets nobody change documents with the password that is set.
    """
    await _check_password(client)
    watch = _Watch()
    try:
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(pace(client, questions, terminals, every, seconds))
            group.create_task(_replace(client, watch, seconds, fresh))
            group.create_task(_weigh(client, watch, seconds))
    finally:
        for id_ in watch.ids:
            await client.delete(f"/api/documents/{id_}", params=_WAIT)
    return asking.result() | {
        "replaced": watch.replaced,
        "not replaced": watch.not_replaced,
        "stale": watch.stale,
        "memory growth, %": growth([each for each in watch.megabytes if each is not None]),
    }


def growth(megabytes: Sequence[float]) -> float | None:
    """Return by how many per cent memory grew; None where too little is known.

    The first tenth is left out, in which caches fill; the second is compared with the last.
    """
    tenth = len(megabytes) // 10
    if not tenth:
        return None
    first = statistics.median(megabytes[tenth : 2 * tenth])
    return round(100 * (statistics.median(megabytes[-tenth:]) / first - 1), 1)


async def _check_password(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/jobs")
    if response.status_code != 200:
        raise KnowledgeError(
            f"{str(client.base_url)!r} 不接受修改资料（{response.status_code}）。"
            "请把 XIAOQUAN_ADMIN_PASSWORD 设成与服务相同的密码。"
        )


async def _replace(client: httpx.AsyncClient, watch: _Watch, seconds: float, fresh: float) -> None:
    end, version = time.perf_counter() + seconds, 0
    async with asyncio.TaskGroup() as checks:
        while (started := time.perf_counter()) < end:
            version += 1
            if await _put(client, watch, version):
                checks.create_task(_check(client, watch, version, fresh))
            await asyncio.sleep(max(0.0, started + 1 - time.perf_counter()))


async def _put(client: httpx.AsyncClient, watch: _Watch, version: int) -> bool:
    name = _name(version)
    text = f"# {name}办理须知\n\n{name}的办结时限是第{version}版规定的{version}个工作日。\n"
    file = {"file": (f"{name}.md", text.encode(), "text/markdown")}
    try:
        response = await client.post("/api/documents", files=file, params=_WAIT)
    except httpx.HTTPError:
        watch.not_replaced += 1
        return False
    if response.status_code != 200:
        watch.not_replaced += 1
        return False
    watch.replaced += 1
    watch.ids.update(response.json()["ids"])
    return True


async def _check(client: httpx.AsyncClient, watch: _Watch, version: int, fresh: float) -> None:
    await asyncio.sleep(fresh)
    question = {"question": f"{_name(version)}的办结时限是多久", "as_typed": True}
    try:
        response = await client.post("/api/ask", json=question)
    except httpx.HTTPError:
        watch.stale += 1
        return
    watch.stale += f"第{version}版" not in response.text


async def _weigh(client: httpx.AsyncClient, watch: _Watch, seconds: float) -> None:
    for _ in range(_SAMPLES):
        watch.megabytes.append(await memory(client))
        await asyncio.sleep(seconds / _SAMPLES)


def _name(version: int) -> str:
    return f"耐久测试事项{'甲乙丙丁戊己庚辛壬癸'[version % _DOCUMENTS]}"
