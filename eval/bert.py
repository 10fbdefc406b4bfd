"""The embedding model in torch, to be moved a little (Hu et al. 2021, "LoRA"; ``assistant.lora``).

What is made of it learns with this: it needs ``pip install torch``.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx.numpy_helper import to_array
from torch import Tensor
from torch.nn import functional

LAYERS, HEADS, WIDTH = 4, 8, 512
DECAY, LONGEST_SLOPE = 0.01, 1.0
WARMING = 50  # steps until the full rate, which falls to zero by the end

# Half the bits are computed with where the processor can; one that can't takes seven times as long.
_CAN = torch.cpu.get_capabilities()
_HALF = bool(_CAN.get("avx512_bf16") or _CAN.get("amx_bf16"))
KIND = torch.bfloat16 if _HALF else torch.float32

Weights = dict[str, Tensor]


class Bert:
    """BERT (Devlin et al. 2019), as the default model has it.

    Attributes:
        fixed: Its matrices, by the names of the ONNX graph.
        moved: What is learnt, named as ``assistant.lora.moved`` takes it.
    """

    def __init__(self, folder: Path, rank: int) -> None:
        """Load the model of a folder; as yet nothing is moved."""
        graph = onnx.load(folder / "model.onnx").graph
        arrays = {tensor.name: to_array(tensor) for tensor in graph.initializer}
        self.rank = rank
        self.fixed, self.moved = Weights(), Weights()
        for name in (name for name in arrays if name.endswith("_quantized")):
            of = name.removesuffix("_quantized")
            zero = arrays[f"{of}_zero_point"].astype(np.float32)
            values = torch.tensor((arrays[name] - zero) * arrays[f"{of}_scale"])
            if "MatMul" not in name:
                self.fixed[of.split(".")[1]] = values
                continue
            self.fixed[of] = values.T.contiguous().to(KIND)
            self.moved[f"{of}/down"] = torch.randn(rank, values.shape[0]) * 0.02
            self.moved[f"{of}/up"] = torch.zeros(values.shape[1], rank)
        self.matrices = sorted(
            (name for name in self.fixed if "MatMul" in name),
            key=lambda name: int(name.rpartition("_")[2]),
        )
        for name, array in arrays.items():
            if name.endswith((".bias", "LayerNorm.weight")):
                self.moved[name] = torch.tensor(array)

    def learn(self, heads: Weights) -> None:
        """Learn what is moved, and these, too, which are put beside it."""
        self.moved |= heads
        for weights in self.moved.values():
            weights.requires_grad_()

    def take(self, paths: Sequence[Path]) -> None:
        """Go on from the mean of weights that ``save`` wrote.

        That of two products has twice the rank; what is nearest to it with ours is taken (Eckart
        and Young 1936).
        """
        read = [_load(path) for path in paths]
        with torch.no_grad():
            for name, weights in self.moved.items():
                of = name.removesuffix("/up")
                if of != name:
                    mean = _mean([one[name] @ one[f"{of}/down"] for one in read])
                    left, sizes, right = torch.linalg.svd(mean, full_matrices=False)
                    root = sizes[: self.rank].sqrt()
                    weights.copy_(left[:, : self.rank] * root)
                    self.moved[f"{of}/down"].copy_(root[:, None] * right[: self.rank])
                elif not name.endswith("/down"):
                    weights.copy_(_mean([one[name] for one in read]))

    def hidden(self, ids: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """Return the vectors of the tokens: from (texts, tokens) each, (texts, tokens, WIDTH)."""
        fixed = self.fixed
        x = fixed["word_embeddings"][ids] + fixed["token_type_embeddings"][types]
        x = self.norm("embeddings", x + fixed["position_embeddings"][: ids.shape[1]])
        padding = (1 - mask[:, None, None].float()).to(KIND) * -1e4
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=_HALF):
            for layer in range(LAYERS):
                x = self._layer(layer, x, padding)
        return x

    def _layer(self, layer: int, x: Tensor, padding: Tensor) -> Tensor:
        at = f"encoder.layer.{layer}"
        query, key, value, out, wide, narrow = self.matrices[6 * layer : 6 * layer + 6]
        read = x.to(KIND)  # once, not by each matrix

        def heads(matrix: str, name: str) -> Tensor:
            y = self._linear(matrix, f"{at}.attention.self.{name}", read)
            return y.view(*x.shape[:2], HEADS, WIDTH // HEADS).transpose(1, 2)

        near = heads(query, "query") @ heads(key, "key").transpose(2, 3)
        near = torch.softmax(near * (WIDTH / HEADS) ** -0.5 + padding, -1, dtype=KIND)
        seen = (near @ heads(value, "value")).transpose(1, 2).reshape(x.shape)
        seen = self._linear(out, f"{at}.attention.output.dense", seen)
        x = self.norm(f"{at}.attention.output", x + seen)
        inner = functional.gelu(self._linear(wide, f"{at}.intermediate.dense", x.to(KIND)))
        return self.norm(f"{at}.output", x + self._linear(narrow, f"{at}.output.dense", inner))

    def _linear(self, matrix: str, name: str, x: Tensor) -> Tensor:
        moved = self.moved
        by = functional.linear(functional.linear(x, moved[f"{matrix}/down"]), moved[f"{matrix}/up"])
        return functional.linear(x, self.fixed[matrix], moved[f"{name}.bias"]) + by

    def norm(self, name: str, x: Tensor) -> Tensor:
        """Return vectors normalised by the layer of this name."""
        weight, bias = (self.moved[f"{name}.LayerNorm.{of}"] for of in ("weight", "bias"))
        return functional.layer_norm(x.float(), (WIDTH,), weight, bias, 1e-12)


class Steps:
    """AdamW (Loshchilov and Hutter 2019) with a rate that rises, then falls to zero."""

    def __init__(self, moved: Weights, rate: float) -> None:
        """Start."""
        self._weights = list(moved.values())
        self._rate, self.taken = rate, 0
        self._steps = torch.optim.AdamW(self._weights, rate, betas=(0.9, 0.98), weight_decay=DECAY)

    def take(self, lost: Tensor, spent: float) -> None:
        """Take a step that makes this less, when such a share of the time is over."""
        self.taken += 1
        self._steps.param_groups[0]["lr"] = self._rate * min(1, self.taken / WARMING) * (1 - spent)
        lost.backward()
        torch.nn.utils.clip_grad_norm_(self._weights, LONGEST_SLOPE)
        self._steps.step()
        self._steps.zero_grad()


def save(moved: Mapping[str, Tensor], path: Path) -> None:
    """Write what was learnt, in half the bits."""
    arrays = {name: of.detach().numpy().astype(np.float16) for name, of in moved.items()}
    np.savez_compressed(path, **arrays)


def _load(path: Path) -> Weights:
    with np.load(path) as file:
        return {name: torch.from_numpy(file[name]).float() for name in file.files}


def _mean(tensors: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(tensors)).mean(0)
