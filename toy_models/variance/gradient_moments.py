"""Moments by mask size of gradients of S(x, M): the variances of variance.py then are traces of covariances."""

import numpy as np
from jaxtyping import Float

from toy_models.targets.protocol import Denoiser, Target
from toy_models.validation import MASK
from toy_models.variance.loss_moments import Moments, support


def tabular_gradient_moments(target: Target, denoiser: Denoiser | None = None) -> Moments:
    """Moments of dS/dlogits for a table with its own logits per (position, visible set, context).

    The gradient of one token's loss is p(. | context) - onehot. Gradients of different masks touch different logits, so
    they are orthogonal: gram is diagonal, and a mirrored pair has <G(A), G(B)> = 0 unless A = B. O(V^L 2^L L V).

    >>> tm.variance.tabular_gradient_moments(tm.repetition(2, 2)).second.round(12).tolist()
    [0.0, 0.0, 1.0]
    """
    model = target if denoiser is None else denoiser
    length = target.length
    x, q = support(target), np.exp(target.log_prob(support(target)))
    one_hot = np.eye(target.vocab_size)[x]
    second, squared_mean = np.zeros(length + 1), np.zeros(length + 1)
    full = 0.0
    for mask in range(1, 2**length):
        hidden = np.array([(mask >> i) & 1 == 1 for i in range(length)])
        y = np.where(hidden, MASK, x)
        gradient = (model.marginals(y) - one_hot)[:, hidden]
        square = float(q @ (gradient**2).sum(axis=(1, 2)))
        _, context = np.unique(y, axis=0, return_inverse=True)
        mean = np.zeros((context.max() + 1, *gradient.shape[1:]))
        np.add.at(mean, context.ravel(), q[:, None, None] * gradient)
        size = int(hidden.sum())
        second[size] += square
        squared_mean[size] += float((mean**2).sum())
        full = square  # the last mask is [L]
    covering = np.zeros((length + 1, length + 1))
    covering[0, 0] = full
    return Moments(
        length,
        second,
        np.diag(second),
        np.diag(squared_mean),
        np.diag(second - squared_mean),
        np.zeros_like(covering),
        covering,
    )


def vector_moments(gradients: Float[np.ndarray, "X masks D"], probability: Float[np.ndarray, " X"]) -> Moments:
    """Moments of any vectors G(x, M), such as the gradient of S in shared parameters (masks numbered 0..2^L - 1).

    >>> tm.variance.vector_moments(np.zeros((2, 4, 1)), np.array([0.5, 0.5])).second.tolist()
    [0.0, 0.0, 0.0]
    """
    masks = gradients.shape[1]
    length = masks.bit_length() - 1
    if 2**length != masks:
        raise ValueError(f"gradients has {masks} masks, it must have 2^L, one per set of masked positions")
    size = np.bitwise_count(np.arange(masks)).astype(int)
    by_size = (size[:, None] == np.arange(length + 1)).astype(float)
    first = np.einsum("xmd,mk->xkd", gradients, by_size)
    mean = np.einsum("x,xkd->kd", probability, first)
    off = first - mean
    products = np.einsum("x,xad,xbd->ab", probability, gradients, gradients)
    disjoint, covering = np.zeros((length + 1, length + 1)), np.zeros((length + 1, length + 1))
    full = masks - 1
    for a in range(masks):
        for b in range(masks):
            if a & b == 0:
                disjoint[size[a], size[b]] += products[a, b]
                covering[size[a], size[b]] += products[full ^ a, full ^ b]
    return Moments(
        length=length,
        second=np.diag(products) @ by_size,
        gram=np.einsum("x,xjd,xkd->jk", probability, first, first),
        mean_gram=mean @ mean.T,
        centred=np.einsum("x,xjd,xkd->jk", probability, off, off),
        disjoint=disjoint,
        covering=covering,
    )
