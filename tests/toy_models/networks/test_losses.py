"""The torch training losses have the exact mean and variance, at two-sided level 1e-6 per comparison."""

import numpy as np
import pytest
import torch

import toy_models as tm
from toy_models.networks.ensemble import SmallDenoiser
from toy_models.networks.losses import (
    LossOptions,
    as_denoiser,
    draw_times,
    gradient_moments,
    masked_loss,
    training_losses,
)
from toy_models.targets import instances
from toy_models.variance import decomposition as va
from toy_models.variance import p_pots
from toy_models.variance.gradient_moments import vector_moments
from toy_models.variance.loss_moments import loss_moments, summed_losses, support

SIX_SIGMA = 4.9  # two-sided 1e-6
EPSILON = 0.1
MODEL = SmallDenoiser(3, 4, 8, torch.Generator().manual_seed(3))
TARGET = instances.k1()
MOMENTS = loss_moments(TARGET, as_denoiser(MODEL, 3, 4), pairs=True).average
BEST = p_pots.optimal(MOMENTS, EPSILON)
SIZES = [0.1, 0.2, 0.3, 0.4]


def exact(options):
    if options.size_weights is not None:
        return va.size_decomposition(MOMENTS, np.array(options.size_weights))
    density = None if options.density is None else options.density.histogram(options.cells)
    return va.decompose(MOMENTS, density, EPSILON, options.masks)


def draws(options, size, seed=1):
    x = torch.tensor(TARGET.sample(size, np.random.default_rng(seed)))
    with torch.no_grad():
        return training_losses(MODEL, x, options, torch.Generator().manual_seed(seed)).numpy()


OPTIONS = {
    "uniform": LossOptions(epsilon=EPSILON),
    "best density": LossOptions(BEST, epsilon=EPSILON),
    "mirror": LossOptions(masks="mirror", epsilon=EPSILON),
    "independent pair": LossOptions(masks="independent-pair", epsilon=EPSILON),
    "best density, mirror": LossOptions(BEST, masks="mirror", epsilon=EPSILON),
    "sizes": LossOptions(size_weights=SIZES, epsilon=EPSILON),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_mean_and_variance_are_exact(name):
    options = OPTIONS[name]
    found, truth = draws(options, 60_000), exact(options)
    assert abs(found.mean() - truth.mean) < SIX_SIGMA * np.sqrt(truth.total / len(found))
    spread = SIX_SIGMA * np.sqrt(((found - found.mean()) ** 2).var() / len(found))
    assert abs(found.var() - truth.total) < spread


def test_the_intervals_tell_methods_apart():
    found = draws(OPTIONS["mirror"], 60_000)
    spread = SIX_SIGMA * np.sqrt(((found - found.mean()) ** 2).var() / len(found))
    assert abs(found.var() - exact(OPTIONS["independent pair"]).total) > spread
    unweighted = draws(OPTIONS["best density"], 60_000) * 0.97
    assert abs(unweighted.mean() - exact(OPTIONS["uniform"]).mean) > SIX_SIGMA * np.sqrt(
        exact(OPTIONS["best density"]).total / len(unweighted)
    )


@pytest.mark.parametrize("coupling", ["independent", "stratified", "low-discrepancy"])
def test_times_fill_the_density(coupling):
    options = LossOptions(BEST, coupling=coupling, epsilon=EPSILON)
    t, p = draw_times((3, 5000), options, torch.Generator().manual_seed(0))
    table = BEST.histogram(options.cells)
    np.testing.assert_allclose(p.numpy(), table.pdf(t.numpy()), rtol=1e-9)
    grid = np.linspace(0.1, 0.9, 9)
    empirical = (t.numpy()[:, :, None] < table.quantile(grid)).mean(axis=1)
    radius = np.sqrt(np.log(2 * 27 / 1e-6) / 10_000) if coupling == "independent" else 2 / 5000
    assert np.abs(empirical - grid).max() < radius


def test_mirrored_masks_are_mirrored():
    from toy_models.networks.losses import draw_masks

    hidden, weight = draw_masks(
        (50,), 4, LossOptions(masks="mirror", epsilon=EPSILON), torch.Generator().manual_seed(0)
    )
    t = 0.9 / (4 * weight)  # weight is 1 / (L t p) with p = 1 / 0.9
    below = t < 0.5
    assert not (hidden[0] & hidden[1])[below].any()
    assert (hidden[0] | hidden[1])[~below].all()


def test_masked_loss_is_the_library_loss():
    s = summed_losses(TARGET, as_denoiser(MODEL, 3, 4))
    x = torch.tensor(support(TARGET))
    for mask in (1, 6, 15):
        hidden = torch.tensor([(mask >> i) & 1 == 1 for i in range(4)]).expand(len(x), 4)
        with torch.no_grad():
            found = masked_loss(MODEL(torch.where(hidden, -1, x)).double(), x, hidden)
        np.testing.assert_allclose(found.numpy(), s[:, mask], rtol=1e-6)


def test_gradient_moments_equal_one_backward_pass_at_a_time():
    target = instances.k1(2)
    model = SmallDenoiser(3, 2, 3, torch.Generator().manual_seed(1)).double()
    x = torch.tensor(support(target))
    rows = []
    for row in x:
        for mask in range(4):
            hidden = torch.tensor([[bool(mask & 1), bool(mask & 2)]])
            model.zero_grad()
            masked_loss(model(torch.where(hidden, -1, row[None])), row[None], hidden).sum().backward()
            rows.append(
                torch.cat([torch.zeros(0, dtype=torch.float64)] + [p.grad.flatten() for p in model.parameters()])
            )
    explicit = vector_moments(torch.stack(rows).reshape(9, 4, -1).numpy(), loss_moments(target).probability)
    found = gradient_moments(model, target)
    for name in ("second", "gram", "centred", "disjoint", "covering"):
        np.testing.assert_allclose(getattr(found, name), getattr(explicit, name), rtol=1e-9, atol=1e-12)


def test_mean_gradient_of_the_training_loss_is_that_of_the_exact_objective():
    """A stochastic gradient step is unbiased: mean of many draws against the derivative of the exact mean."""
    target, generator = instances.k1(2), torch.Generator().manual_seed(5)
    model = SmallDenoiser(3, 2, 3, torch.Generator().manual_seed(1)).double()
    options = LossOptions(masks="mirror", epsilon=EPSILON)
    size = 40_000
    x = torch.tensor(target.sample(size, np.random.default_rng(0)))
    loss = training_losses(model, x, options, generator).mean()
    found = torch.autograd.grad(loss, list(model.parameters()))
    moments = gradient_moments(model, target)
    truth = va.decompose(moments, None, EPSILON, "mirror")
    norm = float(torch.sqrt(sum((g**2).sum() for g in found)))
    assert abs(norm - truth.mean) < SIX_SIGMA * np.sqrt(truth.total / size)
    assert abs(2 * norm - truth.mean) > SIX_SIGMA * np.sqrt(truth.total / size)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"masks": "both"}, "masks = 'both', allowed: 'single'"),
        ({"coupling": "sobol"}, "coupling = 'sobol', allowed"),
        ({"epsilon": 0.0}, "epsilon = 0.0"),
        ({"size_weights": [0.5, 0.6]}, "L positive numbers with sum 1"),
        ({"size_weights": [0.5, 0.5], "masks": "mirror"}, "masks = 'mirror' with size_weights"),
    ],
)
def test_bad_options(arguments, message):
    with pytest.raises(ValueError, match=message):
        LossOptions(**arguments)


def test_sizes_must_fit_the_sequences():
    with pytest.raises(ValueError, match="size_weights has 2 entries, the sequences have length 4"):
        draws(LossOptions(size_weights=[0.5, 0.5]), 10)


def test_library_import_stays_free_of_torch():
    import subprocess
    import sys

    code = (
        "import sys, toy_models, toy_models.variance.strats, toy_models.variance.mirror; print('torch' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "False"
    )
    assert tm.variance_decomposition is va.variance_decomposition
