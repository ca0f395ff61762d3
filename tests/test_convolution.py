"""Gradients of 3×3 convolutions, tap by tap where few positions are left."""

import copy
import pickle

import pytest
import torch
from torch import nn

from uticket_lite.training.convolution import SIDE, WIDE, Conv3x3
from uticket_lite.training.networks import make_network


def by_taps(output):
    return "_ByTaps" in output.grad_fn.name()


def gradients(conv, x):
    x = x.clone().requires_grad_()
    weights = torch.linspace(-1, 1, conv.out_channels, dtype=x.dtype)[:, None, None]
    output = conv(x)
    return torch.autograd.grad((output**2 * weights).sum(), (x, conv.weight)), output


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (2, 2), (3, 2), (4, 4)])
@pytest.mark.parametrize(("channels", "filters"), [(WIDE, WIDE), (WIDE, 200)])
def test_gradients_are_those_of_double_precision(channels, filters, shape, layout):
    torch.manual_seed(0)
    conv = Conv3x3(channels, filters).to(memory_format=layout)
    x = torch.randn(3, channels, *shape).contiguous(memory_format=layout)
    ours, output = gradients(conv, x)
    assert by_taps(output)
    double = nn.Conv2d(channels, filters, 3, padding=1, bias=False).double()
    double.load_state_dict(conv.state_dict())
    exact, expected = gradients(double, x.double())
    torch.testing.assert_close(output.double(), expected, rtol=1e-5, atol=1e-5)
    for mine, true in zip(ours, exact, strict=True):
        assert mine.shape == true.shape
        torch.testing.assert_close(
            mine.double(), true, rtol=1e-5, atol=1e-5 * float(true.abs().max())
        )


def test_everything_else_is_left_to_torch():
    few, wide = torch.randn(2, WIDE, SIDE, SIDE), Conv3x3(WIDE, WIDE)
    assert by_taps(wide(few))
    assert not by_taps(wide(torch.randn(2, WIDE, SIDE + 1, SIDE)))
    assert not by_taps(wide(few[0].requires_grad_())), "an image without a batch"
    assert not by_taps(Conv3x3(WIDE - 1, WIDE)(few[:, 1:]))
    assert not by_taps(copy.deepcopy(wide).double()(few.double()))
    with torch.autocast("cpu", torch.bfloat16):
        assert wide(few).dtype == torch.bfloat16
    with torch.no_grad():
        assert wide(few).grad_fn is None
    compiled = torch.compile(wide, backend="eager")
    assert not by_taps(compiled(few)), "torch's compiler sees through its own"
    wide.weight.requires_grad_(False)
    assert not by_taps(wide(few.requires_grad_()))


def test_vgg16_learns_by_taps_and_travels():
    torch.manual_seed(0)
    network = make_network("vgg16", timesteps=2, shape=(3, 16, 16))
    again = pickle.loads(pickle.dumps(network))
    seen = {}
    for name, module in again.named_modules():
        if isinstance(module, Conv3x3):
            module.register_forward_hook(lambda m, x, y, name=name: seen.update({name: by_taps(y)}))
    again(torch.randn(2, 3, 16, 16)).sum().backward()
    assert sum(seen.values()) == 9, "all convolutions on 4×4 positions and fewer"
    assert all(float(conv.weight.grad.abs().max()) > 0 for conv in again.prunable.values())
