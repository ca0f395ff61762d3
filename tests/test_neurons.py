"""Fused neurons equal stepping snntorch.Leaky: spikes and membranes exactly, gradients closely."""

import copy
import os
import subprocess
import sys

import pytest
import snntorch
import torch
from snntorch.surrogate import atan

from uticket_lite.training import FusedLeaky
from uticket_lite.training.layers import NEURONS
from uticket_lite.training.networks import make_network

pytestmark = pytest.mark.kernels

RESETS = ["zero", "subtract", "none"]


class AttachedLeaky(snntorch.Leaky):
    """snnTorch's neuron, but gradients flow through the reset."""

    def mem_reset(self, mem):
        return self.spike_grad(mem - self.threshold)


def step_leaky(x, beta=0.25, threshold=1.0, reset="zero", alpha=2.0, detach=True):
    """Spikes and membranes of snnTorch's neuron, one timestep after the other."""
    kind = snntorch.Leaky if detach else AttachedLeaky
    neuron = kind(beta, threshold, spike_grad=atan(alpha), reset_mechanism=reset)
    membrane, spikes, membranes = neuron.reset_mem(), [], []
    for current in x:
        spike, membrane = neuron(current, membrane)
        spikes.append(spike)
        membranes.append(membrane)
    return torch.stack(spikes), torch.stack(membranes)


def gradient(x, run, by_spikes, by_membranes=None):
    """Spikes, membranes, and the gradient by x from those by spikes and membranes."""
    x = x.clone().requires_grad_()
    spikes, membranes = run(x)
    loss = (spikes * by_spikes).sum()
    if by_membranes is not None:
        loss = loss + (membranes * by_membranes).sum()
    return spikes.detach(), membranes.detach(), torch.autograd.grad(loss, x)[0]


def assert_same(ours, theirs):
    assert torch.equal(ours[0], theirs[0].to(ours[0].dtype))
    assert torch.equal(ours[1], theirs[1])
    torch.testing.assert_close(ours[2], theirs[2], rtol=1e-6, atol=1e-6)


def random(*shape, seed=0):
    return 1.5 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("beta", [0.0, 0.25, 0.9, 1.0])
@pytest.mark.parametrize("threshold", [1.0, 0.3, -0.2])
@pytest.mark.parametrize("timesteps", [1, 4, 7])
def test_equals_stepping(reset, beta, threshold, timesteps):
    x = random(timesteps, 3, 5, 7)
    by_spikes, by_membranes = random(*x.shape, seed=1), random(*x.shape, seed=2)
    layer = FusedLeaky(beta, threshold, reset)

    def stepped(x):
        return step_leaky(x, beta, threshold, reset)

    ours = gradient(x, layer.with_membranes, by_spikes)
    assert_same(ours, gradient(x, stepped, by_spikes))
    assert torch.equal(layer(x), ours[0])
    assert 0 < ours[0].mean() < 1
    ours = gradient(x, layer.with_membranes, by_spikes, by_membranes)
    assert_same(ours, gradient(x, stepped, by_spikes, by_membranes))


def test_defaults_are_the_paper_s():
    x = random(4, 100)
    assert torch.equal(FusedLeaky()(x), step_leaky(x, 0.25, 1.0, "zero")[0])


@pytest.mark.parametrize("reset", RESETS)
def test_membranes_exactly_at_the_threshold_do_not_spike(reset):
    """Multiples of 1/4 and beta 1/2 make sums without rounding, many of them 1."""
    x = torch.randint(-4, 5, (6, 2, 300), generator=torch.Generator().manual_seed(0)) / 4
    layer = FusedLeaky(0.5, 1.0, reset)
    by_spikes = random(*x.shape)
    spikes, membranes, _ = ours = gradient(x, layer.with_membranes, by_spikes)
    assert_same(ours, gradient(x, lambda x: step_leaky(x, 0.5, 1.0, reset), by_spikes))
    met = membranes == 1
    assert met[0].any()
    assert met[1:].any()
    assert not spikes[met].any()


@pytest.mark.parametrize("beta", [-0.5, 1.5])
def test_beta_is_clipped(beta):
    x = random(4, 50)
    assert torch.equal(FusedLeaky(beta).with_membranes(x)[1], step_leaky(x, beta)[1])


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("detach", [True, False])
@pytest.mark.parametrize("alpha", [2.0, 5.0])
def test_gradients_through_the_reset(reset, detach, alpha):
    x = random(5, 2, 30)
    by_spikes, by_membranes = random(*x.shape, seed=1), random(*x.shape, seed=2)
    layer = FusedLeaky(0.6, 0.8, reset, detach_reset=detach, alpha=alpha)

    def stepped(x):
        return step_leaky(x, 0.6, 0.8, reset, alpha, detach)

    ours = gradient(x, layer.with_membranes, by_spikes, by_membranes)
    assert_same(ours, gradient(x, stepped, by_spikes, by_membranes))
    ours = gradient(x, lambda x: layer._step(x, len(x), True), by_spikes, by_membranes)
    assert_same(ours, gradient(x, stepped, by_spikes, by_membranes))


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("kind", [torch.float64, torch.float16, torch.bfloat16])
def test_other_types_run_as_torch_operations(reset, kind):
    x, by_spikes = random(5, 2, 30).to(kind), random(5, 2, 30, seed=1).to(kind)
    layer = FusedLeaky(0.9, 0.7, reset)
    ours = gradient(x, layer.with_membranes, by_spikes)
    assert ours[0].dtype == layer(x).dtype == kind
    assert_same(ours, gradient(x, lambda x: step_leaky(x, 0.9, 0.7, reset), by_spikes))


def test_more_neurons_than_a_block():
    x, by_spikes = random(7, 2, 1250), random(7, 2, 1250, seed=1)
    ours = gradient(x, FusedLeaky().with_membranes, by_spikes)
    assert_same(ours, gradient(x, step_leaky, by_spikes))


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@pytest.mark.parametrize("timesteps", [1, 4])
def test_the_same_current_at_every_timestep(reset, kind, timesteps):
    """Three ways to say it: one current and T, a view over time, and copies."""
    current = random(2, 40).to(kind)
    by_spikes = random(timesteps, 2, 40, seed=1).to(kind)
    layer = FusedLeaky(0.9, 1.0, reset)
    ways = [
        lambda x: layer.with_membranes(x, timesteps),
        lambda x: layer.with_membranes(x.expand(timesteps, 2, 40)),
        lambda x: layer.with_membranes(x.repeat(timesteps, 1, 1)),
    ]
    once, *others = [gradient(current, way, by_spikes) for way in ways]
    for other in others:
        assert_same(once, other)
    assert torch.equal(layer(current, timesteps), once[0])


def test_a_view_over_time_has_a_gradient_of_every_timestep():
    x, by_spikes = random(1, 40).expand(4, 40).requires_grad_(), random(4, 40, seed=1)
    (ours,) = torch.autograd.grad(FusedLeaky()(x), x, by_spikes)
    (theirs,) = torch.autograd.grad(step_leaky(x)[0], x, by_spikes)
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)


def test_memory_in_any_order():
    x, by_spikes = random(3, 8, 4), random(3, 8, 4, seed=1).permute(2, 0, 1)
    ours = gradient(x, lambda x: FusedLeaky().with_membranes(x.permute(2, 0, 1)), by_spikes)
    assert_same(ours, gradient(x, lambda x: step_leaky(x.permute(2, 0, 1)), by_spikes))


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@pytest.mark.parametrize("timesteps", [None, 4])
def test_channels_last_stays_channels_last(kind, timesteps):
    x = random(8, 3, 5, 6).to(kind).to(memory_format=torch.channels_last)
    by_spikes = random(32 if timesteps else 8, 3, 5, 6, seed=1).to(kind)
    layer = FusedLeaky(0.9)

    def folded(x):
        x = x if timesteps else x.unflatten(0, (4, 2))
        spikes, membranes = layer.with_membranes(x, timesteps)
        return spikes.flatten(0, 1), membranes.flatten(0, 1)

    ours = gradient(x, folded, by_spikes.to(memory_format=torch.channels_last))
    for tensor in ours:
        assert tensor.is_contiguous(memory_format=torch.channels_last)
    assert_same(ours, gradient(x.contiguous(), folded, by_spikes))


def test_a_gradient_that_is_one_number_seen_many_times():
    x = random(4, 3, 8).requires_grad_()
    (ours,) = torch.autograd.grad(FusedLeaky()(x).sum(), x)
    (theirs,) = torch.autograd.grad(step_leaky(x)[0].sum(), x)
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shape", [(4,), (4, 0, 3), (1, 1)])
def test_shapes(shape):
    x = random(*shape)
    assert torch.equal(FusedLeaky()(x), step_leaky(x)[0])


def test_twice_in_one_graph():
    x, by_spikes = random(4, 60), random(4, 60, seed=1)
    layer = FusedLeaky(0.9)

    def twice(run):
        return lambda x: run(2 * run(x)[0] - 0.5 * run(x - 1)[1])

    ours = gradient(x, twice(layer.with_membranes), by_spikes)
    theirs = gradient(x, twice(lambda x: step_leaky(x, 0.9)), by_spikes)
    assert_same(ours, theirs)


def test_gradient_by_membranes_alone():
    x = random(4, 60).requires_grad_()
    (ours,) = torch.autograd.grad(FusedLeaky(0.9).with_membranes(x)[1].square().sum(), x)
    (theirs,) = torch.autograd.grad(step_leaky(x, 0.9)[1].square().sum(), x)
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)


def test_without_gradients():
    x = random(4, 60).requires_grad_()
    with torch.no_grad():
        spikes = FusedLeaky()(x)
    assert not spikes.requires_grad
    assert torch.equal(spikes, FusedLeaky()(x))


def test_currents_that_changed_before_the_backward_pass_are_noticed():
    """The backward pass computes the membranes again."""
    x = random(4, 60).requires_grad_()
    current = x * 1
    spikes = FusedLeaky()(current)
    current += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        spikes.sum().backward()


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="reset_mechanism 'hard'.*zero, subtract, none"):
        FusedLeaky(reset_mechanism="hard")
    with pytest.raises(TypeError, match="floats, not torch.int64"):
        FusedLeaky()(torch.zeros(4, 2, dtype=torch.int64))
    with pytest.raises(ValueError, match="timesteps must be 1 or more, not 0"):
        FusedLeaky()(torch.zeros(0, 2))
    with pytest.raises(ValueError, match="timesteps must be 1 or more, not -1"):
        FusedLeaky()(torch.zeros(2), timesteps=-1)
    with pytest.raises(ValueError, match="no dimensions"):
        FusedLeaky()(torch.tensor(1.0))


def test_the_kernel_leaves_torch_its_number_of_threads():
    """Numba's OpenMP layer would set it to Numba's: other last bits, and in the end tickets."""
    code = (
        "import torch; torch.set_num_threads(1); assert torch.get_num_threads() == 1; "
        "from uticket_lite.training import FusedLeaky; FusedLeaky()(torch.zeros(2, 9)); "
        "print(torch.get_num_threads())"
    )
    environment = {**os.environ, "NUMBA_NUM_THREADS": "2"}
    for name in ("OMP_NUM_THREADS", "NUMBA_DISABLE_JIT"):
        environment.pop(name, None)
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert ran.stdout == "1\n", ran.stderr


def input_decay(x):
    """The released code's neuron, v <- v/4 + 3x/4 with threshold 1, stepped in plain torch."""
    v, spike, spikes = torch.zeros_like(x[0]), torch.zeros_like(x[0]), []
    for current in x:
        v = 0.25 * v * (1 - spike.detach()) + 0.75 * current
        spike = atan(2.0)(v - 1)
        spikes.append(spike)
    return torch.stack(spikes)


def test_input_decay_is_the_released_codes_neuron_gradients_too():
    x, by_spikes = random(5, 4000), random(5, 4000, seed=1)
    x = x[:, ((input_decay_margin(x)) > 1e-4)]
    by_spikes = by_spikes[:, : x.shape[1]]
    one, two = (x.clone().requires_grad_() for _ in range(2))
    ours, theirs = NEURONS["input-decay"]()(one), input_decay(two)
    assert torch.equal(ours, theirs)
    assert 0.02 < ours.mean() < 0.5
    (by_one,) = torch.autograd.grad(ours, one, by_spikes)
    (by_two,) = torch.autograd.grad(theirs, two, by_spikes)
    torch.testing.assert_close(by_one, by_two, rtol=1e-4, atol=1e-6)


def input_decay_margin(x):
    """How near to the threshold each neuron comes, where rounding decides."""
    v, margin = torch.zeros_like(x[0]), torch.full_like(x[0], torch.inf)
    for current in x:
        v = 0.25 * v * (v <= 1) + 0.75 * current
        margin = margin.minimum((v - 1).abs())
    return margin


@pytest.mark.filterwarnings("ignore")  # of torch about itself
def test_a_compiled_network_computes_what_it_does_uncompiled():
    network = make_network("digits", timesteps=2)
    images = torch.randn(3, 1, 8, 8)
    outputs, gradients = [], []
    for run in (network, torch.compile(network, backend="eager")):
        network.load_state_dict(copy.deepcopy(network.state_dict()))
        network.zero_grad()
        out = run(images)
        out.sum().backward()
        outputs.append(out.detach())
        gradients.append([parameter.grad.clone() for parameter in network.parameters()])
    assert torch.equal(*outputs)
    assert all(torch.equal(one, two) for one, two in zip(*gradients, strict=True))


def test_an_exported_network_computes_the_same():
    network = make_network("digits", timesteps=2).eval()
    images = torch.randn(3, 1, 8, 8)
    exported = torch.export.export(network, (images,)).module()
    assert torch.equal(exported(images), network(images))
