"""Speech services elsewhere, as OpenAI's API has them.

They may be slow or hang: none of those who wait for one holds a thread that questions need.
"""

import ssl
from functools import cache
from typing import Any

import httpx
from anyio import CapacityLimiter, fail_after

from knowledge.addresses import is_loopback

TIMEOUT = 30.0  # seconds for all of it: for those who came before, and for the whole answer
AT_ONCE = 16  # more at the same time make a service only slower


class Outside:
    """One service: so many ask it at once, and each of them waits so long."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._limiter = CapacityLimiter(AT_ONCE)

    async def post(self, path: str, **sent: Any) -> httpx.Response:  # noqa: ANN401 - as httpx has it
        """Send something, with the key if there is one.

        Raises:
            httpx.HTTPError: It gave no answer, or not the one that was asked for.
            TimeoutError: It did not in time.
        """
        with fail_after(TIMEOUT):
            async with self._limiter, self._client() as client:
                answer = await client.post(f"{self.url}{path}", **sent)
        return answer.raise_for_status()

    def _client(self) -> httpx.AsyncClient:
        # A proxy must not hear what stays on the machine.
        by_proxy = not is_loopback(self.url)
        return httpx.AsyncClient(
            headers=self._headers, timeout=TIMEOUT, trust_env=by_proxy, verify=_certificates()
        )


@cache
def _certificates() -> ssl.SSLContext:
    """Return whom to trust: read from the disk once, not for each sentence."""
    return httpx.create_ssl_context()
