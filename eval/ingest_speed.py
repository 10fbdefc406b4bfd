"""How many passages per second we ingest, against plain LangChain + Chroma with torch.

    python -m eval.ingest_speed ../shared/datasets/laws --limit 4000

Both read, split, embed and store the same documents in fresh folders, one after the other and
turn about, so that a busy machine slows both. It needs ``pip install 'xiaoquan[bench]'``. Where
the model hub can't be reached, the plain side runs random weights in the default model's shape:
they take the same time.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from eval.datasets import load_beir
from eval.homes import at
from knowledge.base import KnowledgeBase
from knowledge.models import default_model
from knowledge.settings import DEFAULT_EMBEDDING_MODEL, Settings, load_settings
from knowledge.types import Document

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

# The configuration on the default model's card.
_SHAPE = {
    "vocab_size": 21128,
    "hidden_size": 512,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "intermediate_size": 2048,
}


def main() -> None:
    """Print the passages per second of both, and the ratio of their medians, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("beir", type=Path, help="a folder with corpus.jsonl")
    parser.add_argument("--limit", type=int, default=4000, help="documents")
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    documents = list(islice(load_beir(arguments.beir).documents(), arguments.limit))
    settings = load_settings()
    with tempfile.TemporaryDirectory(prefix="xiaoquan-eval-") as folder:
        model = _torch_model(settings, Path(folder))
        ours, plain = [], []
        for turn in range(arguments.rounds):
            ours.append(_ours(documents, at(settings, Path(folder, f"ours-{turn}"))))
            plain.append(_plain(documents, model, Path(folder, f"plain-{turn}")))
            print(json.dumps({"ours": ours[-1], "langchain": plain[-1]}), flush=True)
    print(
        json.dumps({"documents": len(documents), "ratio": round(median(ours) / median(plain), 2)})
    )


def _ours(documents: Sequence[Document], settings: Settings) -> float:
    with KnowledgeBase(settings) as base:
        base.embeddings.encode(["办事"])  # both models are loaded before the clock starts
        started = time.perf_counter()
        for _ in base.add_all(documents):
            pass
        return round(base.catalogue.count()[1] / (time.perf_counter() - started), 1)


def _plain(documents: Sequence[Document], model: "Embeddings", folder: Path) -> float:
    from langchain_chroma import Chroma
    from langchain_core.documents import Document as Chunk
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    store = Chroma("plain", embedding_function=model, persist_directory=str(folder))
    model.embed_query("办事")
    started = time.perf_counter()
    whole = [Chunk(f"{one.title}\n{one.text}") for one in documents]
    chunks = RecursiveCharacterTextSplitter().split_documents(whole)
    for first in range(0, len(chunks), 1000):  # below Chroma's limit on one write
        store.add_documents(chunks[first : first + 1000])
    return round(len(chunks) / (time.perf_counter() - started), 1)


def _torch_model(settings: Settings, folder: Path) -> "Embeddings":
    """Return the default model through sentence-transformers, with the defaults of that."""
    from langchain_huggingface import HuggingFaceEmbeddings

    try:
        model: Embeddings = HuggingFaceEmbeddings(model_name=DEFAULT_EMBEDDING_MODEL)
    except (OSError, ValueError):
        model = HuggingFaceEmbeddings(model_name=str(_shaped_alike(settings, folder / "model")))
    return model


def _shaped_alike(settings: Settings, folder: Path) -> Path:
    """Write a sentence-transformers model of the default one's shape, with random weights."""
    from sentence_transformers import SentenceTransformer, models
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    tokenizer = default_model(settings.model_cache) / "tokenizer.json"
    special = {
        f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")
    }
    PreTrainedTokenizerFast(
        tokenizer_file=str(tokenizer), model_max_length=512, **special
    ).save_pretrained(folder / "bert")
    BertModel(BertConfig(**_SHAPE)).save_pretrained(folder / "bert")
    bert = models.Transformer(str(folder / "bert"), max_seq_length=512)
    pooling = models.Pooling(bert.get_word_embedding_dimension(), pooling_mode="cls")
    SentenceTransformer(modules=[bert, pooling, models.Normalize()]).save(str(folder))
    return folder


if __name__ == "__main__":
    main()
