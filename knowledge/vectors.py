"""Passage vectors in Chroma: the only file that imports chromadb."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import HomeError, SettingError

Vectors = NDArray[np.float32]

COLLECTION = "passages"
# Chroma's own limit on one write lies at 5,461 records.
WRITE_AT_MOST = 2000
# HNSW, Malkov & Yashunin 2018: a wide search costs a few milliseconds and misses less.
_HNSW = {"space": "cosine", "ef_construction": 100, "ef_search": 200, "max_neighbors": 16}


class VectorIndex:
    """Vectors by passage number, in the home (embedded) or on a Chroma server."""

    def __init__(self, folder: Path, url: str = "") -> None:
        """Open the index, making it if it is not there.

        Args:
            folder: Where embedded Chroma keeps its files; not used with a server.
            url: Address of a Chroma server; empty for embedded.

        Raises:
            SettingError: The URL can't be used.
            HomeError: Chroma can't open its files, or the server does not answer.
        """
        self._folder = folder
        self._url = url
        self._lock = threading.RLock()  # nobody uses the index while it is reopened
        self._open()

    def _open(self) -> None:
        try:
            self._client = _server(self._url) if self._url else _embedded(self._folder)
            self._collection = self._made_collection()
        except SettingError:
            raise
        except Exception as error:
            where = self._url or str(self._folder)
            raise HomeError(
                f"打不开向量库 {where!r}：{error}。请检查它是否可读写、服务是否在运行。"
            ) from error

    def _made_collection(self) -> Any:  # noqa: ANN401 - see _embedded
        return self._client.get_or_create_collection(
            COLLECTION, embedding_function=None, configuration={"hnsw": _HNSW}
        )

    def reopen(self) -> None:
        """See what another process has written: embedded Chroma keeps its index in memory."""
        if not self._url:
            with self._lock:
                self._client.close()
                self._open()

    def _ask(self, what: str, **how: object) -> Any:  # noqa: ANN401
        """Call a method of the collection; made anew by another process, it has another id."""
        from chromadb.errors import NotFoundError

        with self._lock, self._reached():
            try:
                return getattr(self._collection, what)(**how)
            except NotFoundError:
                self._collection = self._made_collection()
                return getattr(self._collection, what)(**how)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Turn whatever Chroma raises, embedded or from its server, into one error."""
        try:
            yield
        except Exception as error:
            where = self._url or str(self._folder)
            raise HomeError(
                f"向量库 {where!r} 没有完成操作：{error}。已有内容未受影响；"
                "请检查磁盘空间和写权限，使用 Chroma 服务的请检查服务是否在运行。"
            ) from error

    def clear(self) -> None:
        """Delete all vectors; the next ones may be of another length."""
        with self._lock, self._reached():
            self._client.delete_collection(COLLECTION)
            self._collection = self._made_collection()

    def close(self) -> None:
        """Let go of the files."""
        self._client.close()

    def upsert(self, numbers: Sequence[int], vectors: Vectors, document_ids: Sequence[str]) -> None:
        """Write vectors, of shape (passages, dimensions); known numbers are overwritten."""
        for at in range(0, len(numbers), WRITE_AT_MOST):
            part = slice(at, at + WRITE_AT_MOST)
            self._ask(
                "upsert",
                ids=[str(number) for number in numbers[part]],
                embeddings=vectors[part],
                metadatas=[{"document": id_} for id_ in document_ids[part]],
            )

    def delete(self, numbers: Sequence[int]) -> None:
        """Delete vectors; numbers that are not there are passed over."""
        for at in range(0, len(numbers), WRITE_AT_MOST):
            self._ask("delete", ids=[str(number) for number in numbers[at : at + WRITE_AT_MOST]])

    def count(self) -> int:
        """Return how many vectors there are."""
        count: int = self._ask("count")
        return count

    def pages(self) -> Iterator[tuple[list[int], Vectors]]:
        """Yield all vectors with their numbers, some thousand at a time."""
        seen = 0
        while seen < self.count():
            page = self._ask("get", include=["embeddings"], limit=WRITE_AT_MOST, offset=seen)
            seen += WRITE_AT_MOST
            yield list(map(int, page["ids"])), np.asarray(page["embeddings"], dtype=np.float32)

    def search(
        self, vector: Vectors, limit: int, document_ids: Sequence[str] | None = None
    ) -> list[tuple[int, float]]:
        """Return the nearest passages as (number, cosine similarity), nearest first."""
        where: Any = None if document_ids is None else {"document": {"$in": list(document_ids)}}
        found = self._ask(
            "query",
            query_embeddings=vector[None, :],
            n_results=limit,
            where=where,
            include=["distances"],
        )
        distances = found["distances"]
        assert distances is not None  # asked for
        return [
            (int(id_), 1.0 - distance)
            for id_, distance in zip(found["ids"][0], distances[0], strict=True)
        ]

    def similarities(self, vectors: Vectors, numbers: Sequence[int]) -> dict[int, list[float]]:
        """Return the cosine similarities of each of these passages that has a vector.

        Args:
            vectors: Array of shape (vectors, dimensions): so many similarities of each passage.
            numbers: The passages.
        """
        if not numbers:
            return {}
        ids = [str(number) for number in numbers]
        found = self._ask("get", ids=ids, include=["embeddings"])
        embeddings = np.asarray(found["embeddings"], dtype=np.float32)
        if not embeddings.size:
            return {}
        similar = (embeddings @ vectors.T).tolist()
        return dict(zip(map(int, found["ids"]), similar, strict=True))


def _embedded(folder: Path) -> Any:  # noqa: ANN401 - chromadb's client type moves between releases
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(str(folder), Settings(anonymized_telemetry=False))


def _server(url: str) -> Any:  # noqa: ANN401
    import chromadb
    from chromadb.config import Settings

    parts = urlparse(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingError(
            f"设置 XIAOQUAN_CHROMA_URL 的值 {url!r} 不是可用的地址，应形如 http://127.0.0.1:8000。"
        )
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return chromadb.HttpClient(
        host=parts.hostname,
        port=port,
        ssl=parts.scheme == "https",
        settings=Settings(anonymized_telemetry=False),
    )
