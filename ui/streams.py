"""Answers as server-sent events."""

import json
from collections.abc import AsyncIterator, Callable

from fastapi.responses import StreamingResponse


def event(data: object, name: str = "") -> str:
    """Return one server-sent event: https://html.spec.whatwg.org/multipage/server-sent-events."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n"


async def stream(
    events: AsyncIterator[str], failure: Callable[[Exception], str]
) -> StreamingResponse:
    """Return events as they come; what fails before the first still gets its own status."""
    first = await anext(events)

    async def all_events() -> AsyncIterator[str]:
        yield first
        try:
            async for one in events:
                yield one
        except Exception as error:  # the status is sent already: the stream has to tell
            yield failure(error)

    # nginx would hold the pieces back without the second header.
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(all_events(), media_type="text/event-stream", headers=headers)
