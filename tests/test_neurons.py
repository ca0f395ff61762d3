"""Fused neurons equal stepping snntorch.Leaky: spikes exactly, gradients to rounding."""

import pytest
import snntorch
import torch

from uticket_lite.training import FusedLeaky

pytestmark = pytest.mark.kernels


def step_leaky(x, **options):
    neuron = snntorch.Leaky(**options)
    membrane, spikes = neuron.reset_mem(), []
    for current in x:
        spike, membrane = neuron(current, membrane)
        spikes.append(spike)
    return torch.stack(spikes)


@pytest.mark.parametrize("reset", ["zero", "subtract", "none"])
@pytest.mark.parametrize("beta", [0.0, 0.25, 0.9, 1.0])
@pytest.mark.parametrize("threshold", [1.0, 0.3])
@pytest.mark.parametrize("timesteps", [1, 4, 7])
def test_equals_stepping(reset, beta, threshold, timesteps):
    torch.manual_seed(0)
    values = 1.5 * torch.randn(timesteps, 3, 5, 300)  # more neurons than one block
    values[0, 0] = threshold  # exactly at the threshold: no spike
    upstream = torch.randn_like(values)
    ours, theirs = values.clone().requires_grad_(), values.clone().requires_grad_()
    spikes = FusedLeaky(beta, threshold, reset)(ours)
    stepped = step_leaky(theirs, beta=beta, threshold=threshold, reset_mechanism=reset)
    assert torch.equal(spikes, stepped)
    assert 0 < spikes.mean() < 1
    spikes.backward(upstream)
    stepped.backward(upstream)
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-5, atol=1e-6)


def test_input_that_is_not_contiguous():
    """Direct encoding repeats one current over time without copying it."""
    torch.manual_seed(0)
    current = torch.randn(2, 6)
    repeated = current.expand(4, 2, 6)
    assert torch.equal(FusedLeaky()(repeated), FusedLeaky()(repeated.contiguous()))


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="reset_mechanism 'hard'.*zero, subtract, none"):
        FusedLeaky(reset_mechanism="hard")
    with pytest.raises(TypeError, match="float32 input, not torch.float64"):
        FusedLeaky()(torch.zeros(4, 2, dtype=torch.float64))
