"""A trained network of others: the masked language model of antibodies in the package antiberty 0.1.3 (extra `real`).

Ruffolo, Gray and Sulam 2021 (arXiv 2112.07782): BERT of 26 million weights, 25 ids, frame [CLS] text [SEP]. The weights
lie inside the package and are read as tensors alone (weights_only); its code is not imported.

    python -m theory.your_network.antibody             draws texts of its own, one residue at a time, in random order
    mdm network theory.your_network.antibody:make --data theory/your_network/data/antibody_texts.npy
"""

import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int

import toy_models as tm
from toy_models.files import write_aside
from toy_models.networks.network_denoiser import NetworkDenoiser

LETTERS = "ACDEFGHIKLMNPQRSTVWY"  # ids 5..24, in this order; [PAD] [UNK] [CLS] [SEP] [MASK] are 0..4
CLS, SEP, MASK_ID = 2, 3, 4
LENGTH, TEXTS, PART, SEED = 120, 144, 16, 2112
DATA = Path(__file__).parent / "data" / "antibody_texts.npy"
SHAPE = (
    *("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"),
    *("max_position_embeddings", "type_vocab_size", "layer_norm_eps", "hidden_act", "pad_token_id"),
)


def make(length: int = LENGTH) -> NetworkDenoiser:
    """The network as a denoiser of 20 residues. ModuleNotFoundError, one line, without the extra `real`."""
    for module in ("antiberty", "transformers"):
        if importlib.util.find_spec(module) is None:
            raise ModuleNotFoundError(f"{module} is not installed; pip install 'masked-diffusion-theory[real]'")
    transformers = importlib.import_module("transformers")

    spec = importlib.util.find_spec("antiberty")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "trained_models" / "AntiBERTy_md_smooth"
    told = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    model = transformers.BertForMaskedLM(transformers.BertConfig(**{name: told[name] for name in SHAPE})).eval()
    weights = torch.load(folder / "pytorch_model.bin", map_location="cpu", weights_only=True)
    used = {name: weights[name] for name in model.state_dict() if name in weights}
    model.load_state_dict(used)  # strict: every weight of the model is in the file
    ids = 5 + np.arange(len(LETTERS))
    return NetworkDenoiser(model, MASK_ID, ids, length, prefix=[CLS], suffix=[SEP], batch_tokens=2**12)


def texts() -> Int[np.ndarray, "rows L"]:
    """The committed texts, letters 0..19."""
    return np.load(DATA).astype(np.int64)


def draw(folder: Path, size: int = TEXTS) -> Int[np.ndarray, "rows L"]:
    """`size` texts of the network, one residue per call in random order, in parts of PART rows, each from its own seed.

    A part that lies in `folder` is not drawn again. About a second of one core for ten forward passes of a row.
    """
    folder.mkdir(parents=True, exist_ok=True)
    denoiser, rule = make(), tm.RandomOrder([1] * LENGTH)
    parts = []
    for k in range(-(-size // PART)):
        path = folder / f"part-{k:03d}.npy"
        if not path.exists():
            rows = tm.sample(denoiser, rule, PART, np.random.default_rng([SEED, k])).tokens.astype(np.int8)
            write_aside(path, lambda to, rows=rows: _save(to, rows))
            print(f"{path} ({PART * (k + 1)} texts)", file=sys.stderr, flush=True)
        parts.append(np.load(path))
    return np.concatenate(parts)[:size]


def _save(path: Path, rows: np.ndarray) -> None:
    with path.open("wb") as file:
        np.save(file, rows)


def main() -> None:
    """Draw all parts into build/antibody, then write the committed file."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    rows = draw(Path("build/antibody"))
    DATA.parent.mkdir(exist_ok=True)
    write_aside(DATA, lambda path: _save(path, rows))


if __name__ == "__main__":
    main()
