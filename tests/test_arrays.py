"""Whatever kind of tensor weights come in, a ticket has their zeros, or an error has their name."""

import numpy as np
import pytest
import scipy.sparse
import torch
from torch.masked import masked_tensor
from torch.nn.utils import prune

import uticket_lite as ut

WEIGHTS = np.array([[0, 1, 2, 0], [0, 0, -3, 0]], np.float32)
TENSOR = torch.tensor(WEIGHTS)

SAME = {
    **{
        name: lambda dtype=name: TENSOR.to(getattr(torch, dtype))
        for name in ("float64", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "int8")
    },
    "a parameter": lambda: torch.nn.Parameter(TENSOR),
    "a view": lambda: torch.tensor(np.repeat(WEIGHTS, 2, axis=1))[:, ::2],
    "a negated view": lambda: torch.complex(TENSOR, -TENSOR).conj().imag,
    "coordinates": TENSOR.to_sparse,
    "coordinates of booleans": TENSOR.bool().to_sparse,
    "coordinates of bfloat16": TENSOR.bfloat16().to_sparse,
    "quantized": lambda: torch.quantize_per_tensor(TENSOR, 0.1, 0, torch.qint8),
    "quantized per filter": lambda: torch.quantize_per_channel(
        TENSOR, torch.tensor([0.1, 0.2]), torch.tensor([0, 0]), 0, torch.qint8
    ),
    "masked by torch": lambda: masked_tensor(
        torch.where(TENSOR == 0, torch.nan, TENSOR), TENSOR != 0
    ),
    "masked by NumPy": lambda: np.ma.masked_array(WEIGHTS + 7, WEIGHTS == 0),
    "rows of SciPy": lambda: scipy.sparse.csr_matrix(WEIGHTS),
    "an array of SciPy": lambda: scipy.sparse.coo_array(WEIGHTS),
    "lists": WEIGHTS.tolist,
    "a list of tensors": lambda: [row.bfloat16().requires_grad_() for row in TENSOR],
    "huge numbers": lambda: WEIGHTS.astype(np.float64) * 1e300,
}


@pytest.mark.filterwarnings("ignore:.*(prototype|Sparse|sparse|quantized|torch.ao)")
@pytest.mark.parametrize("kind", SAME)
def test_zeros_are_found_in_every_kind_of_tensor(kind):
    ticket = ut.Ticket.from_arrays({"a": SAME[kind]()}, masks={"a": SAME[kind]()})
    assert (ticket.masks()["a"] == (WEIGHTS != 0)).all()
    magnitudes = ticket.layers["a"].magnitudes
    if kind in ("int8", "coordinates of booleans"):  # masks, not weights
        assert magnitudes is None
    elif kind == "huge numbers":
        assert (magnitudes[WEIGHTS != 0] == np.finfo(np.float32).max).all()
    else:
        moved = 7 if kind == "masked by NumPy" else 0
        assert magnitudes == pytest.approx(np.abs(WEIGHTS + moved * (WEIGHTS != 0)), abs=1e-6)


@pytest.mark.parametrize("layout", ["sparse_csr", "sparse_csc", "sparse_bsr"])
@pytest.mark.filterwarnings("ignore:Sparse")
def test_zeros_are_found_in_every_sparse_layout(layout):
    blocks = {"blocksize": (1, 2)} if "bs" in layout else {}
    tensor = TENSOR.to_sparse(layout=getattr(torch, layout), **blocks)
    assert (ut.Ticket.from_arrays({"a": tensor}).masks()["a"] == (WEIGHTS != 0)).all()


def test_masks_of_torch_ao_are_read():
    from torch.ao.pruning import WeightNormSparsifier

    network = torch.nn.Sequential(torch.nn.Linear(8, 4))
    sparsifier = WeightNormSparsifier(0.5, (1, 1), 1)
    sparsifier.prepare(network, [{"tensor_fqn": "0.weight"}])
    sparsifier.step()
    mask = sparsifier.state["0.weight"]["mask"]
    for given in (mask, mask.to_sparse_coo()):
        assert ut.Ticket.from_arrays({"a": given}).layers["a"].nonzeros == 16


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: TENSOR.to("meta"), ValueError, "meta device has a shape but no values"),
        (lambda: torch.nn.LazyLinear(3).weight, ValueError, "uninitialized parameter"),
        (lambda: TENSOR.to(torch.complex64), TypeError, "not dtype complex64"),
        (lambda: TENSOR.byte().view(torch.float4_e2m1fn_x2), ValueError, "Float4"),
        (lambda: np.zeros((2, 2), "V2"), TypeError, r"not dtype \|V2"),
        (lambda: np.zeros((2, 2), [("a", "f4")]), TypeError, "not dtype"),
        (lambda: np.zeros((2, 2), "M8[s]"), TypeError, "not dtype datetime64"),
        (lambda: {1: 2}, TypeError, "not dtype object"),
    ],
)
def test_what_holds_no_real_numbers_is_refused_by_the_layers_name(make, error, words):
    with pytest.raises(error, match=f"^layer 'a': .*{words}"):
        ut.Ticket.from_arrays({"a": make()})


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn])
def test_a_network_of_narrow_floats_has_the_zeros_of_its_weights(dtype):
    """float8 cannot be multiplied on a CPU: the layer casts its weights first, as such nets do."""

    class Narrow(torch.nn.Linear):
        def forward(self, x):
            return torch.nn.functional.linear(x, self.weight.float(), self.bias)

    layer = Narrow(6, 4)
    prune.remove(prune.random_unstructured(layer, "weight", 0.5), "weight")
    layer.weight = torch.nn.Parameter(layer.weight.detach().to(dtype), requires_grad=False)
    found = ut.Ticket.from_model(layer, torch.zeros(2, 6)).layers["weight"]
    assert (found.to_dense() == (layer.weight.float() != 0).numpy()).all()
