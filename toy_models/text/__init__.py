"""A text of one's own as a language: reading it, fitting an n-gram or an HMM, what a number of calls costs on it."""

from toy_models.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "answers": ["free_of_sizes", "sentences"],
        "baum_welch": ["HMMFit", "fit_hmm"],
        "language": ["fit_language"],
        "ngram_fit": ["OrderScore", "held_out_split", "interpolated", "order_scores", "seen_pairs"],
        "reading": ["ALPHABETS", "Text", "read"],
        "call_costs": ["StepCosts", "step_costs"],
    },
)
