"""What every endpoint works with, and how it gets at it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from assistant.chain import Assistant
from assistant.history import History
from knowledge.base import KnowledgeBase
from ui.jobs import Jobs
from ui.metrics import Metrics
from ui.work import Work


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of one server."""

    base: KnowledgeBase
    assistant: Assistant
    history: History
    work: Work
    jobs: Jobs
    metrics: Metrics


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Served = Annotated[Service, Depends(_service)]


async def _place(served: Served) -> AsyncIterator[None]:
    """Hold one of the places for questions until the answer is sent."""
    with served.work.place():
        yield


Placed = Depends(_place)
