"""One ASGI app: the API and the chat page, and how it is served."""

import ctypes
import errno
import ipaddress
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI

import knowledge
from assistant.chain import Assistant
from knowledge.base import KnowledgeBase
from knowledge.errors import KnowledgeError
from knowledge.readers import read_document
from knowledge.vector_check import VectorCheck
from ui.api import create_app
from ui.console import say, waiting
from ui.observing import log_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

SAMPLE = Path(knowledge.__file__).parent / "sample"
KEEP_ALIVE = 75  # seconds that a connection may idle: longer than proxies and terminals keep one
# From malloc.h: M_MMAP_THRESHOLD, in bytes, and M_ARENA_MAX.
_MALLOC = {-3: 1 << 20, -8: 2}
GRACE = 10  # seconds that open answers have to finish when the server is told to stop


def make_server_app(base: KnowledgeBase, assistant: Assistant, *, loopback: bool = True) -> FastAPI:
    """Return the API with the chat page at ``/``."""
    from ui.chat import mount_chat

    return mount_chat(create_app(base, assistant, loopback=loopback))


def serve(base: KnowledgeBase, host: str, port: int, *, sample: bool = True) -> None:
    """Serve until told to stop; print the address once it can answer.

    Args:
        base: Where the answers come from.
        host: Address to listen on.
        port: Port to listen on; 0 takes any free one.
        sample: Load the bundled sample if the base is empty.

    Raises:
        KnowledgeError: The port can't be had, or the model is not there.
    """
    _give_memory_back()
    log_lines(base.settings.log_level)
    listening = _bind(host, port)
    if sample and not base.catalogue.count()[0]:
        load_sample(base)
    _check_vectors(base)
    assistant = Assistant(base)
    assistant.warm()  # the first citizen does not wait
    config = uvicorn.Config(
        make_server_app(base, assistant, loopback=_is_loopback(listening)),
        log_config=None,  # as ours
        access_log=False,  # addresses of searches hold what citizens ask
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=KEEP_ALIVE,
    )
    try:
        _Server(config, host).run(sockets=[listening])
    except KeyboardInterrupt:
        say("已停止。")


def _give_memory_back() -> None:
    """Have glibc return large arrays to the system as they are freed, and keep few heaps.

    By itself it raises the size from which it does so up to 32 MB, and gives each thread a heap:
    the gaps that the vocabulary's counts then leave each time documents change add up. See
    mallopt(3); no other libc has it.
    """
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None:
        for parameter, value in _MALLOC.items():
            mallopt(parameter, value)


def load_sample(base: KnowledgeBase) -> None:
    """Load the bundled documents, so that a first run has something to say."""
    say("数据文件夹是空的，正在载入自带的示例资料……")
    for _ in base.add_all(map(read_document, sorted(SAMPLE.glob("*.md"))), waiting):
        pass


def _check_vectors(base: KnowledgeBase) -> None:
    """Refuse, with what to do, what would end this process once it searches.

    Raises:
        HomeError: Chroma's files are damaged.
    """
    if base.settings.chroma_url:
        return
    check = VectorCheck(base.home / "chroma")
    base.embeddings.encode(["办事"])  # loads the model meanwhile
    check.end()


class _Server(uvicorn.Server):
    """Says when it can be reached."""

    def __init__(self, config: uvicorn.Config, host: str) -> None:
        super().__init__(config)
        self._host = host

    async def startup(self, sockets: "Sequence[socket.socket] | None" = None) -> None:
        await super().startup(list(sockets or ()))
        if self.started and sockets:
            print(f"小泉已就绪：{_address(self._host, sockets[0])}", flush=True)


def _address(host: str, listening: socket.socket) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listening.getsockname()[1]}"


def _is_loopback(listening: socket.socket) -> bool:
    return ipaddress.ip_address(listening.getsockname()[0]).is_loopback


def _bind(host: str, port: int) -> socket.socket:
    """Take the port before anything slow is done; nobody can connect until it is served."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        listening = socket.socket(family, kind, protocol)
        if os.name == "posix":  # take it again at once after a restart
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except (OSError, UnicodeError) as error:  # a name that is none fails as text
        raise KnowledgeError(_why_not(host, port, error)) from error
    return listening


def _why_not(host: str, port: int, error: OSError | UnicodeError) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return (
            f"端口 {port} 已被占用（可能已有一个小泉在运行）。请用 --port 换一个，"
            f"例如 xiaoquan serve --port {port + 1 if port < 65535 else port - 1}"
        )
    if number == errno.EACCES:
        return f"没有权限使用端口 {port}。请用 --port 换一个 1024 以上的。"
    return f"不能在 {host!r} 端口 {port} 上提供服务：{error}。请检查 --host 和 --port。"
