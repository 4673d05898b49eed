"""Targets: laws on token sequences with exact conditionals."""

from toy_models.lazy import attach
from toy_models.targets.blocks import Blocks
from toy_models.targets.hmm import HMM
from toy_models.targets.linear_code import LinearCode
from toy_models.targets.markov import MarkovChain
from toy_models.targets.ngram import NGram
from toy_models.targets.protocol import Denoiser, Target
from toy_models.targets.table import Table

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "block_codes": ["code_block_kl"],
        "instances": ["k1", "k2"],
        "kernels.stationary": ["stationary_law"],
        "pair_language": ["pair_validity"],
        "sudoku": ["sudoku4"],
        "truncated": ["Filtered", "gumbel_share", "nucleus", "top_tokens"],
        "word_list": ["WordList"],
    },
    ["controls", "instances"],
)
__all__ += ["HMM", "Blocks", "Denoiser", "LinearCode", "MarkovChain", "NGram", "Table", "Target"]
