"""The transformer: shapes, causality, cache, rotary positions, control heads, padding."""

import pytest
import torch

from toy_models.networks import Config, Transformer
from toy_models.networks.model import rotary_tables, rotate


def model(**options):
    """Random weights everywhere, so that nothing is hidden by the zero head."""
    config = Config(5, 9, width=16, **options)
    made = Transformer(config, torch.Generator().manual_seed(0))
    with torch.no_grad():
        made.head.weight.normal_(generator=torch.Generator().manual_seed(1))
    return made


def test_untrained_model_is_uniform():
    made = Transformer(Config(5, 9, width=16), torch.Generator().manual_seed(0))
    assert made(torch.full((2, 9), -1)).abs().max() == 0
    assert made.parameter_count() == sum(p.numel() for p in made.parameters())


def test_bidirectional_sees_both_sides_and_causal_only_the_left():
    y = torch.full((1, 9), -1)
    changed = y.clone()
    changed[0, 6] = 3
    both = (model()(y) - model()(changed)).abs().amax(dim=2)[0]
    assert (both > 0).all()
    x = torch.arange(9)[None] % 5
    other = x.clone()
    other[0, 6] = (x[0, 6] + 1) % 5
    gap = (model(causal=True)(x) - model(causal=True)(other)).abs().amax(dim=2)[0]
    assert gap[:7].max() == 0
    assert gap[7:].min() > 0


def test_cache_gives_the_logits_of_the_whole_pass():
    made = model(causal=True)
    x = torch.randint(5, (3, 9), generator=torch.Generator().manual_seed(2))
    whole, cache = made(x), made.new_cache()
    for i in range(9):
        one = made.step(x[:, i - 1] if i else x[:, 0], i, cache)
        torch.testing.assert_close(one, whole[:, i], rtol=1e-5, atol=1e-5)


def test_rotary_products_depend_on_differences():
    cos, sin = rotary_tables(12, 8, 10000.0)
    q, k = torch.randn(2, 8, generator=torch.Generator().manual_seed(3))
    turned_q, turned_k = (rotate(v.expand(1, 1, 12, 8), cos, sin)[0, 0] for v in (q, k))
    products = turned_q @ turned_k.T
    torch.testing.assert_close(products[:-1, :-1], products[1:, 1:], rtol=1e-4, atol=1e-5)
    assert (products[0, 0] - products[0, 5]).abs() > 1e-3


def test_time_conditioning_changes_the_answer_only_when_on():
    y = torch.full((2, 9), -1)
    made = model(time=True)
    assert (made(y, torch.tensor([0.1, 0.9]))[0] - made(y, torch.tensor([0.1, 0.9]))[1]).abs().max() > 1e-4
    assert model().time is None


def with_controls(**options):
    made = model(controls=True, **options)
    with torch.no_grad():
        made.control.weight.normal_(generator=torch.Generator().manual_seed(2))
    return made


def test_control_heads_start_at_their_biases_and_leave_the_rest_alone():
    made = Transformer(Config(5, 9, width=16, controls=True), torch.Generator().manual_seed(0))
    scores, bits = made(torch.full((2, 9), -1))
    assert (scores.shape, bits.shape) == ((2, 9, 5), (2, 9, 3))
    assert (scores == 0).all()
    assert (bits == -2).all()
    plain = Transformer(Config(5, 9, width=16), torch.Generator().manual_seed(0))
    assert made.parameter_count() == plain.parameter_count() + 3 * 16 + 3
    for name, weight in plain.named_parameters():
        assert torch.equal(weight, made.get_parameter(name))
    x = torch.arange(18).reshape(2, 9) % 6 - 1
    torch.testing.assert_close(model(controls=True)(x)[0], model()(x), rtol=1e-5, atol=1e-6)


def test_padding_is_not_attended_to():
    x = torch.tensor([[4, -1, 2, 0, -1]])
    window = tuple(tuple(abs(i - j) <= 1 for j in range(9)) for i in range(9))
    for made in (with_controls(), with_controls(visible=window)):
        alone = made(x)
        for padded, filled in zip(made(torch.cat([x, torch.full((1, 4), -2)], dim=1)), alone, strict=True):
            assert torch.isfinite(padded).all()
            torch.testing.assert_close(padded[:, :5], filled, rtol=1e-5, atol=1e-5)
        masks = made(torch.cat([x, torch.full((1, 4), -1)], dim=1))
        assert (masks[1][:, 4] - alone[1][:, 4]).abs().max() > 1e-3  # masks in its place are seen


def test_bad_configurations():
    with pytest.raises(ValueError, match="even number"):
        Config(3, 4, width=10, heads=4)
    with pytest.raises(ValueError, match="causal"):
        Config(3, 4, causal=True, time=True)
    with pytest.raises(ValueError, match="controls = True with causal"):
        Config(3, 4, causal=True, controls=True)
    with pytest.raises(ValueError, match="needs causal"):
        model().step(torch.zeros(1, dtype=torch.int64), 0, [])
    with pytest.raises(ValueError, match="length 9"):
        model()(torch.zeros(1, 10, dtype=torch.int64))
