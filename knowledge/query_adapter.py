"""Moves a question's vector towards the words of documents, before passages are searched for.

Citizens don't ask in the words of laws and policies. What sets the two apart is alike from question
to question, so a residual linear map of the question's vector, of low rank, takes part of it back
(a query-side adapter; the passages' vectors stay as they are). ``eval.adapter_model`` fits it;
docs/benchmarks.md has what it is worth to questions that it has not seen.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np

from knowledge.embedding import Vectors
from knowledge.settings import DEFAULT_EMBEDDING_MODEL

FILE = Path(__file__).with_name("query_adapter.npz")


@dataclass(frozen=True)
class QueryAdapter:
    """What is added to a vector v: ``up @ (down @ v)``; then it is of length one again.

    Attributes:
        down: Array of shape (rank, dimensions).
        up: Array of shape (dimensions, rank).
    """

    down: Vectors
    up: Vectors

    def __call__(self, vectors: Vectors) -> Vectors:
        """Return the vectors moved; shape (…, dimensions), rows of length one."""
        moved = vectors + vectors @ self.down.T @ self.up.T
        unit: Vectors = moved / np.linalg.norm(moved, axis=-1, keepdims=True)
        return unit

    @classmethod
    def load(cls, file: Path = FILE) -> Self:
        """Read the arrays that ``save`` wrote."""
        with np.load(file) as arrays:
            return cls(*(arrays[name].astype(np.float32) for name in ("down", "up")))

    def save(self, file: Path = FILE) -> None:
        """Write the arrays in half precision."""
        half = np.float16
        np.savez_compressed(file, down=self.down.astype(half), up=self.up.astype(half))


@cache
def adapter_of(model: str) -> QueryAdapter | None:
    """Return the adapter fitted for an embedding model; none for any but the default one."""
    return QueryAdapter.load() if model == DEFAULT_EMBEDDING_MODEL else None
