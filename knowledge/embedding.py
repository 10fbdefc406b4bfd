"""Sentences → vectors, behind LangChain's ``Embeddings``.

The default model, or a folder that the user names with a ``model.onnx`` and a ``tokenizer.json``
of its kind, runs on ONNX Runtime, with no torch to install or to load; any other
sentence-transformers model runs through that library (``pip install 'xiaoquan[models]'``).
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from knowledge.errors import ModelUnavailableError
from knowledge.models import FILES, default_model, model_identity
from knowledge.settings import DEFAULT_EMBEDDING_MODEL, Settings

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Vectors = NDArray[np.float32]

WINDOW = 512  # tokens, the default model's
# Tokens and texts in one run of the graph: large enough to fill two cores, small enough for
# their caches (measured: docs/benchmarks.md).
TOKENS_PER_RUN = 4096
TEXTS_PER_RUN = 32
# Vectors of the latest questions, and of the few sentences beside each: several steps of the chain
# want them.
KEPT = 256
FEW = 8


class SentenceEmbeddings(Embeddings):
    """Vectors of length one, so that their dot product is the cosine similarity.

    The default model's model card gives queries an instruction; it is left out, since it made
    every measured ranking a little worse (docs/benchmarks.md).
    """

    def __init__(self, name: str, encode: Callable[[Sequence[str]], Vectors]) -> None:
        """Wrap an encoder: texts → float32 array of shape (texts, dimensions)."""
        self.name = name
        self._encode = encode
        self._encode_few = lru_cache(KEPT)(encode)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return a float32 array of shape (len(texts), dimensions), rows of length one."""
        few = len(texts) <= FEW
        return self._encode_few(tuple(texts)).copy() if few else self._encode(texts)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed passages, for LangChain."""
        vectors: list[list[float]] = self.encode(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """Embed a query, for LangChain."""
        return self.embed_documents([text])[0]


def load_embeddings(settings: Settings) -> SentenceEmbeddings:
    """Load the model that the settings name.

    Raises:
        ModelUnavailableError: Its files can't be had, or its library is not installed.
    """
    name = settings.embedding_model
    if name == DEFAULT_EMBEDDING_MODEL:
        return SentenceEmbeddings(name, _onnx(default_model(settings.model_cache)))
    folder = Path(name).expanduser()
    if all((folder / file.name).is_file() for file in FILES):
        return SentenceEmbeddings(model_identity(name), _onnx(folder))
    if name.startswith(("/", ".", "~")) and not (folder / "modules.json").is_file():
        raise ModelUnavailableError(
            f"文件夹 {name!r} 里没有可用的向量模型：应当有 model.onnx 和 tokenizer.json，"
            "或是一个 sentence-transformers 模型（有 modules.json）。"
            "请检查 XIAOQUAN_EMBEDDING_MODEL。"
        )
    return SentenceEmbeddings(name, _sentence_transformer(name))


def _onnx(folder: Path) -> Callable[[Sequence[str]], Vectors]:
    try:
        return _OnnxEncoder(folder).encode
    except Exception as error:  # whatever the two libraries raise on a damaged file
        raise ModelUnavailableError(
            f"打不开 {str(folder)!r} 里的向量模型，文件可能已损坏：{error}。请重新放入这两个文件。"
        ) from error


def _sentence_transformer(name: str) -> Callable[[Sequence[str]], Vectors]:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ModelUnavailableError(
            f"使用向量模型 {name!r} 需要 sentence-transformers："
            "请运行 pip install 'xiaoquan[models]'。"
        ) from error
    try:
        model = SentenceTransformer(name, device="cpu")
    except (OSError, ValueError) as error:
        raise ModelUnavailableError(
            f"没有取得向量模型 {name!r}：请检查名称或文件夹，以及能否访问模型库（HF_ENDPOINT）。"
        ) from error

    def encode(texts: Sequence[str]) -> Vectors:
        vectors: Vectors = model.encode(
            list(texts), normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        ).astype(np.float32)
        return vectors

    return encode


class _OnnxEncoder:
    """A BERT graph on ONNX Runtime: CLS pooling, normalised, as the model card says."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._session = session(str(folder / "model.onnx"))
        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(WINDOW)

    def encode(self, texts: Sequence[str]) -> Vectors:
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        vectors = np.zeros((len(ids), self._dimensions()), np.float32)
        for rows in _runs([len(tokens) for tokens in ids]):
            vectors[rows] = self._run([ids[row] for row in rows])
        return vectors

    def _dimensions(self) -> int:
        dimensions: int = self._session.get_outputs()[0].shape[-1]
        return dimensions

    def _run(self, batch: list[list[int]]) -> Vectors:
        tokens, mask = padded(batch)
        feed = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(mask)}
        first: Vectors = self._session.run(None, feed)[0][:, 0]
        normalised: Vectors = first / np.linalg.norm(first, axis=1, keepdims=True)
        return normalised


def session(model: str | bytes) -> "InferenceSession":
    """Open a graph, given by its path or by its bytes, with ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Threads that spin between two questions would take the cores from everything else.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def padded(batch: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows of one length, zeros behind, and which are not padding: (rows, longest) each."""
    tokens = np.zeros((len(batch), max(map(len, batch))), np.int64)
    mask = np.zeros_like(tokens)
    for row, ids in enumerate(batch):
        tokens[row, : len(ids)] = ids
        mask[row, : len(ids)] = 1
    return tokens, mask


def _runs(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Group rows of like length, so that little is computed on padding."""
    rows: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        full = len(rows) == TEXTS_PER_RUN or lengths[row] * (len(rows) + 1) > TOKENS_PER_RUN
        if rows and full:
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows
