"""The pipeline that one would write without us: LangChain's defaults, Chroma, the same model.

``RecursiveCharacterTextSplitter()`` as it comes, each chunk behind its document's title, and
Chroma's own nearest neighbours. It is what every claim of ours is measured against.
"""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from eval.datasets import Beir
from eval.errors import QuestionSetError
from eval.homes import cached
from eval.progress import Progress
from eval.retrieval import Plan, System, by_best_passage
from knowledge.embedding import load_embeddings
from knowledge.settings import Settings

if TYPE_CHECKING:
    from langchain_core.documents import Document as Chunk
    from langchain_core.embeddings import Embeddings

_BATCH = 512
# Below Chroma's limit on how many nearest neighbours its default index gives.
_MOST_NEIGHBOURS = 2400


def plain_langchain(plan: Plan, progress: Progress) -> System:
    """Index the folder's documents the plain way, or take up the index that is there.

    Raises:
        QuestionSetError: LangChain's packages are not installed.
    """
    try:
        from langchain_chroma import Chroma
        from langchain_text_splitters import RecursiveCharacterTextSplitter
    except ImportError as error:
        raise QuestionSetError(
            "--system langchain 需要另外的包：请运行 pip install 'xiaoquan[bench]'。"
        ) from error
    folder = cached(plan.beir, plan.settings, "langchain-whole" if plan.whole else "langchain")
    embeddings, backend = _same_model(plan.settings)
    store = Chroma("plain", embedding_function=embeddings, persist_directory=str(folder))
    chunks = _chunks(plan.beir, None if plan.whole else RecursiveCharacterTextSplitter())
    there = store._collection.count()  # langchain-chroma has no public count
    with progress("载入文档（LangChain）", 0) as advance:
        for batch in _batched(islice(chunks, there, None)):
            store.add_documents(batch)
            advance(len(batch))
    passages = store._collection.count()

    def best(query: str, limit: int) -> list[str]:
        found = store.similarity_search(query, k=min(limit, _MOST_NEIGHBOURS, passages))
        return [chunk.metadata["document_id"] for chunk in found]

    return System(by_best_passage(best), passages, {"embeddings": backend, "home": str(folder)})


def _same_model(settings: Settings) -> tuple["Embeddings", str]:
    """Return the settings' model through torch where that is installed, else through ONNX."""
    try:
        from langchain_huggingface import HuggingFaceEmbeddings

        return HuggingFaceEmbeddings(model_name=settings.embedding_model), "sentence-transformers"
    except (ImportError, OSError, ValueError):
        return load_embeddings(settings), "onnx"


def _chunks(beir: Beir, splitter) -> Iterator["Chunk"]:  # type: ignore[no-untyped-def]  # noqa: ANN001
    from langchain_core.documents import Document as Chunk

    for document in beir.documents():
        whole = Chunk(f"{document.title}\n{document.text}", metadata={"document_id": document.id})
        yield from splitter.split_documents([whole]) if splitter else [whole]


def _batched(chunks: Iterator["Chunk"]) -> Iterator[list["Chunk"]]:
    while batch := list(islice(chunks, _BATCH)):
        yield batch
