"""Embedding on a Ray cluster, for millions of passages: ``xiaoquan ingest --ray``.

One process embeds on each machine of the cluster; reading, splitting, the catalogue and Chroma stay
where ``ingest`` runs. Ray was chosen for its wheel, which brings scheduler, transfer and restarts
of failed workers (Apache-2.0); an actor pool, since Ray Data would bring pandas and lose the order.
"""

import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from knowledge.embedding import SentenceEmbeddings, Vectors, load_embeddings
from knowledge.errors import ModelUnavailableError, SettingError
from knowledge.settings import Settings

LOCAL = "local"  # the address that starts Ray on this machine alone
TEXTS = 512  # given to a process at once
PATIENCE = 5  # seconds to be answered in
AHEAD = 8  # portions for each process in one call, so that the last is waited for seldom


class RayEmbeddings(SentenceEmbeddings):
    """Embeddings that a cluster makes; give it ``at_once`` texts a call to keep all of it busy."""

    def __init__(self, settings: Settings, address: str) -> None:
        """Start a process with the model on each machine of the cluster.

        Args:
            settings: Their model is loaded on every machine, from the package there.
            address: Of the cluster, as in ``ray.init``; ``local`` starts one here.

        Raises:
            SettingError: Ray is not installed, or no machine of the cluster can be reached.
        """
        self._workers = [_worker(node, settings) for node in _nodes(address)]
        self.at_once = TEXTS * AHEAD * len(self._workers)
        super().__init__(settings.embedding_model, self._on_cluster)

    def _on_cluster(self, texts: Sequence[str]) -> Vectors:
        from ray.exceptions import RayError
        from ray.util import ActorPool

        portions = [texts[at : at + TEXTS] for at in range(0, len(texts), TEXTS)]
        try:
            return np.concatenate(list(ActorPool(self._workers).map(_encode, portions)))
        except RayError as error:
            raise ModelUnavailableError(
                f"Ray 集群没有完成计算：{str(error).splitlines()[-1]} 已经载入的都保留着。"
                "请检查各台机器上装有同一版本的小泉和向量模型，再运行一次同样的命令。"
            ) from error


class _Worker:
    """What runs on another machine."""

    def __init__(self, settings: Settings) -> None:
        self._embeddings = load_embeddings(settings)

    def encode(self, texts: Sequence[str]) -> Vectors:
        return self._embeddings.encode(texts)


def _encode(worker: Any, texts: Sequence[str]) -> Any:  # noqa: ANN401 - Ray's own handles
    return worker.encode.remote(texts)


def _nodes(address: str) -> list[dict[str, Any]]:
    try:
        import ray
    except ImportError as error:
        raise SettingError("--ray 需要另外的包：请运行 pip install 'xiaoquan[ray]'。") from error
    try:
        _knock(address)
        ray.init(address, log_to_driver=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise SettingError(
            f"连接不上 Ray 集群 {address!r}：{str(error).rstrip('.')}。请检查地址和 ray status；"
            f"只用本机请写 --ray {LOCAL}。"
        ) from error
    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    if not nodes:
        raise SettingError(f"Ray 集群 {address!r} 里没有可用的处理器。请检查 ray status。")
    return nodes


def _knock(address: str) -> None:
    """Find out in seconds that nobody is there, which takes Ray minutes."""
    parts = urlsplit(address if "//" in address else f"//{address}")
    if parts.port:
        socket.create_connection((parts.hostname, parts.port), PATIENCE).close()


def _worker(node: dict[str, Any], settings: Settings) -> Any:  # noqa: ANN401
    """Start a worker that takes all processors of a machine, which ONNX Runtime keeps busy."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    options = {"num_cpus": node["Resources"]["CPU"], "scheduling_strategy": there}
    return (
        ray.remote(_Worker).options(max_restarts=3, max_task_retries=3, **options).remote(settings)
    )
