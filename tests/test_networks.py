"""The networks: published shapes, spikes inside, and what folding time changes."""

import copy
import io
import pickle

import pytest
import torch
from torch import nn

import uticket_lite as ut
from benchmarks.stepping import Stepped
from uticket_lite.tickets.architectures import CONV_SHAPES
from uticket_lite.training.layers import NEURONS, NORMS, StepwiseNorm
from uticket_lite.training.networks import NETWORKS, make_network, prunable


def images(name, n=2):
    torch.manual_seed(1)
    first = CONV_SHAPES[name][0]
    side = int(first.input_positions**0.5)
    return torch.randn(n, first.weights[1], side, side)


@pytest.mark.parametrize("name", NETWORKS)
def test_convolutions_are_those_of_the_shape_table(name):
    network = make_network(name, timesteps=1)
    convs = {n: m for n, m in prunable(network).items() if isinstance(m, nn.Conv2d)}
    table = CONV_SHAPES[name]
    assert [(n, tuple(m.weight.shape)) for n, m in convs.items()] == [
        (conv.name, conv.weights) for conv in table
    ]
    ticket = ut.Ticket.from_model(network, images(name), timesteps=1)
    positions = [
        (layer.positions, layer.input_positions or layer.positions)
        for layer in ticket.layers.values()
        if len(layer.shape) == 4
    ]
    assert sorted(positions) == sorted((conv.positions, conv.input_positions) for conv in table)


def test_vgg16_takes_smaller_images_with_the_same_weights():
    """What its last pooling would halve is a single position then."""
    small, large = (make_network("vgg16", timesteps=1, shape=(3, s, s)) for s in (16, 32))
    assert small(torch.randn(2, 3, 16, 16)).shape == large(images("vgg16")).shape == (2, 10)
    shapes = [{n: w.shape for n, w in net.state_dict().items()} for net in (small, large)]
    assert sorted(shapes[0].values()) == sorted(shapes[1].values())
    assert [
        len([m for m in net.blocks if isinstance(m, nn.MaxPool2d)]) for net in (small, large)
    ] == [4, 5]


def test_published_sizes():
    vgg, resnet = (make_network(name, timesteps=1) for name in ("vgg16", "resnet19"))
    assert len([n for n in prunable(vgg) if n.startswith("conv")]) == 13
    assert len([n for n in prunable(vgg) if n.startswith("linear")]) == 1
    assert len([n for n in prunable(resnet) if not n.startswith("linear")]) - 1 == 19
    assert len([n for n in prunable(resnet) if n.startswith("linear")]) == 2


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["digits", "vgg9", "resnet19"])
def test_every_layer_but_the_first_sees_spikes_and_all_weights_learn(name, norm):
    network = make_network(name, timesteps=2, norm=norm)
    inputs = {}
    for layer, module in prunable(network).items():
        module.register_forward_pre_hook(lambda m, x, layer=layer: inputs.update({layer: x[0]}))
    network(images(name)).pow(2).sum().backward()
    for layer, module in prunable(network).items():
        assert module.weight.grad.abs().sum() > 0, layer
        if isinstance(module, nn.Conv2d) and layer != "conv1":
            assert set(inputs[layer].unique().tolist()) <= {0.0, 1.0}
            assert len(inputs[layer]) == 2 * 2, "time is folded into the batch"
    assert len(inputs["conv1"]) == 2, "the still image is convolved once"


def loop_over_time(network, batch):
    return Stepped(network)(batch)


def test_in_evaluation_folding_time_changes_nothing():
    network = make_network("digits", timesteps=4)
    network(images("digits", 64))  # gives batch norm its statistics
    network.eval()
    batch = images("digits", 8)
    with torch.no_grad():
        torch.testing.assert_close(network(batch), loop_over_time(network, batch))


def test_in_training_stepwise_norm_is_the_loop_and_folded_norm_is_not():
    stepwise = make_network("digits", timesteps=4, norm="stepwise")
    folded = make_network("digits", timesteps=4)
    folded.load_state_dict(stepwise.state_dict())
    looped = copy.deepcopy(stepwise)
    for module in looped.modules():  # in the loop each call is one timestep
        if isinstance(module, StepwiseNorm):
            module.timesteps = 1
    batch = images("digits", 16)
    one, two, three = stepwise(batch), loop_over_time(looped, batch), folded(batch)
    torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)
    assert (three - two).abs().max() > 1e-3
    for name, value in looped.state_dict().items():
        torch.testing.assert_close(stepwise.state_dict()[name], value, rtol=1e-4, atol=1e-5)


def test_gradients_of_the_loop_are_ours():
    network = make_network("digits", timesteps=4, norm="stepwise")
    looped = copy.deepcopy(network)
    for module in looped.modules():
        if isinstance(module, StepwiseNorm):
            module.timesteps = 1
    batch = images("digits", 16)
    network(batch).pow(2).sum().backward()
    loop_over_time(looped, batch).pow(2).sum().backward()
    for name, layer in prunable(network).items():
        other = prunable(looped)[name].weight.grad
        torch.testing.assert_close(layer.weight.grad, other, rtol=1e-3, atol=1e-4)


def test_bad_options_are_refused():
    with pytest.raises(ValueError, match="network 'vgg17'.*mean 'vgg16'"):
        make_network("vgg17")
    with pytest.raises(ValueError, match="norm 'none' is not known; choose one of: folded"):
        make_network("digits", norm="none")
    with pytest.raises(ValueError, match="timesteps must be 1 or more, not 0"):
        make_network("digits", timesteps=0)


@pytest.mark.parametrize("norm", NORMS)
def test_networks_travel(norm):
    """Pickled, deep-copied, saved whole by torch: the same outputs, and the same layers' names."""
    network = make_network("digits", timesteps=2, norm=norm, neuron=NEURONS["input-decay"]).eval()
    saved = io.BytesIO()
    torch.save(network, saved)
    saved.seek(0)
    for other in (
        pickle.loads(pickle.dumps(network)),
        copy.deepcopy(network),
        torch.load(saved, weights_only=False),
    ):
        assert torch.equal(other(images("digits")), network(images("digits")))
        assert list(prunable(other)) == list(prunable(network))
        layers = {id(module) for module in other.modules()}
        assert all(id(layer) in layers for layer in prunable(other).values())


def test_kaiming_is_what_its_name_says():
    """Normal with variance 2 / fan-out for convolutions, N(0, 0.01) for linear layers."""
    torch.manual_seed(0)
    layers = prunable(make_network("vgg16-small", timesteps=1, init="kaiming"))
    for name, layer in layers.items():
        if isinstance(layer, nn.Linear):
            assert layer.weight.std().item() == pytest.approx(0.01, rel=0.1), name
            assert (layer.bias == 0).all()
        else:
            expected = (2 / (layer.out_channels * 9)) ** 0.5
            assert layer.weight.std().item() == pytest.approx(expected, rel=0.12), name
            assert layer.weight.abs().max() > 2.5 * expected, "normal, not uniform"
