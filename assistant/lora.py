"""The default model, its matrices moved a little for other work (LoRA: Hu et al. 2021).

A file of weights holds by the name of an initializer of the ONNX graph what takes its place, and by
``NAME/down`` and ``NAME/up`` two narrow matrices whose product moves the matrix of that name.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from knowledge.embedding import Vectors, session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Encoding, Tokenizer

# Quantised to seven bits of eight, as the model is: a processor without VNNI adds pairs of products
# in 16 bits (ONNX Runtime's documentation, "reduce_range").
_RANGE = 64


class Moved:
    """The default model with its matrices moved; nothing is loaded before it is used."""

    def __init__(self, folder: Callable[[], Path], weights: Path) -> None:
        """Take what returns where the default model's files lie, and a file of weights."""
        self._find = folder
        self._path = weights

    def vectors(self, tokens: "Encoding") -> Vectors:
        """Return the vectors of a text's tokens: shape (tokens, width)."""
        ids, types = (np.array([of], np.int64) for of in (tokens.ids, tokens.type_ids))
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": types}
        return np.asarray(self._session.run(None, feed)[0][0])

    @cached_property
    def folder(self) -> Path:
        """Where the default model's files lie."""
        return self._find()

    @cached_property
    def tokenizer(self) -> "Tokenizer":
        """The model's tokenizer."""
        return tokenizer(self.folder)

    @cached_property
    def weights(self) -> Mapping[str, Vectors]:
        """What the file holds."""
        with np.load(self._path) as file:
            return {name: file[name].astype(np.float32) for name in file.files}

    @cached_property
    def _session(self) -> "InferenceSession":
        return session(moved(self.folder / "model.onnx", self.weights))


def tokenizer(folder: Path) -> "Tokenizer":
    """Return the tokenizer in the model's folder, which leaves texts as long as they are."""
    from tokenizers import Tokenizer

    read = Tokenizer.from_file(str(folder / "tokenizer.json"))
    read.no_padding()
    read.no_truncation()
    return read


def moved(path: Path, weights: Mapping[str, Vectors]) -> bytes:
    """Return the model's graph with its weights moved, and quantised again.

    Args:
        path: The default model.
        weights: By the name of an initializer, what takes its place; by ``NAME/down`` and
            ``NAME/up``, arrays of shape (rank, inputs) and (outputs, rank), whose product moves the
            quantised matrix of that name.
    """
    import onnx
    from onnx.numpy_helper import from_array, to_array

    model = onnx.load(path)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}

    def put(name: str, values: NDArray[Any]) -> None:
        tensors[name].CopyFrom(from_array(np.ascontiguousarray(values), name))

    for name, values in weights.items():
        if name in tensors:
            put(name, values)
    for name in (name.removesuffix("/down") for name in weights if name.endswith("/down")):
        scale = to_array(tensors[f"{name}_scale"])
        matrix = to_array(tensors[f"{name}_quantized"]) * scale
        matrix = matrix + (weights[f"{name}/up"] @ weights[f"{name}/down"]).T
        scale = np.abs(matrix).max(0).astype(np.float32) / _RANGE
        put(f"{name}_scale", scale)
        put(f"{name}_quantized", np.round(matrix / scale).astype(np.int8))
    graph: bytes = model.SerializeToString()
    return graph
