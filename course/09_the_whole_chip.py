# %% [markdown]
# # The whole chip
#
# PEs are not alone on the chip. Weights and spikes must be fetched from memory, and an access to DRAM costs more than a thousand additions. When 99 % of the weights are gone, what is fetched?
#
# **Afterwards you can** count what a layer's weights take in two formats and where they are equal · say which share of a chip's energy balancing can touch · ask the right question of a published memory figure \
# **You need** [What waiting costs](08_what_waiting_costs.ipynb) \
# **Time** 30 minutes: 20 reading, 10 writing

# %%
import math

import pandas as pd

import uticket_lite as ut
from uticket_lite.hardware.energy import E_DYN
from uticket_lite.simulation.memory import COSTS
from uticket_lite.teach import check, look_back, predict, reveal

pes = ut.Accelerator(n_pe=16)
digits = ut.load_ticket("digits-lth", round=14)

# %% [markdown]
# ## What is fetched
#
# Say the weights are stored as a bit [[mask]], one bit for every weight, plus 8 bits per non-zero; [[spike|spikes]] as compressed rows; and everything comes from DRAM once for each image.

# %%
predict(
    "traffic",
    "Of all the bits fetched for the weights of the pruned digits network's counted layers: how "
    "many percent are the mask, and not the non-zeros themselves?",
    unit="%",
    low=0,
    high=100,
)

# %%
layers = [digits.layers[name] for name in digits.counted]
mask_bits = sum(layer.size for layer in layers)
value_bits = 8 * sum(layer.nonzeros for layer in layers)
share = 100 * mask_bits / (mask_bits + value_bits)
reveal(
    "traffic",
    share,
    leads_to={
        50: "One bit against eight: but there are hundreds of pruned weights for each that is left.",
        11: "That is one bit of nine, for a weight that is kept. Pruned ones have a bit too.",
    },
)

# %% tags=["claims"]
assert all(c.dram > 1000 * E_DYN for c in COSTS.values()), "an access to DRAM, and an addition"
fetched = ut.memory_accesses(ut.simulate(digits, pes))["dram_weights"].sum() * 32
assert abs(fetched - mask_bits - value_bits) < 32 * len(layers)
assert share > 90

# %% [markdown]
# The mask is nearly all of the weights' traffic: one bit for every weight that is gone.
#
# ## Two formats
#
# A list stores only the positions of the non-zeros: ⌈log₂ size⌉ bits each, enough to tell `size` weights apart. Both formats store the values too. At how many non-zeros do a mask and a list take equally many bits?


# %%
def break_even(size):
    """Non-zeros at which a list of positions takes as many bits as a mask."""
    ### BEGIN SOLUTION
    return size / math.ceil(math.log2(size))
    ### END SOLUTION


check(break_even)

# %% [markdown]
# On a layer of a recorded VGG-16, round by round, positions counted inside a filter of 4,608 weights (13 bits):

# %%
position = 13
rows = {}
for number in range(4, 12):
    layer = ut.load_ticket("vgg16-cifar10-lth", number).layers["conv9"]
    rows[number] = (layer.sparsity, layer.size, position * layer.nonzeros)
formats = pd.DataFrame.from_dict(rows, orient="index", columns=["pruned", "mask", "list"])
formats["smaller"] = formats[["mask", "list"]].idxmin(axis=1)
formats.rename_axis("round").style.format({"pruned": "{:.1%}", "mask": "{:,}", "list": "{:,}"})

# %% tags=["claims"]
assert layer.filter_size == 4608
assert 2 ** (position - 1) < layer.filter_size <= 2**position
wins = formats["pruned"] > 1 - 1 / position
assert (wins == (formats["smaller"] == "list")).all()
print(f"a list is smaller from {1 - 1 / position:.1%} sparsity on")

# %% [markdown]
# ## Whose energy?
#
# The simulator that the paper builds on publishes what an access costs: 469 pJ for DRAM. For one byte, by which it multiplies, or for the four that its memory model was asked for at once? (For SRAM one byte or 32.) Both readings, in pJ for one image:

# %%
rows = {
    (costs, strategy): ut.system_energy(ut.simulate(digits, pes, strategy), costs=costs)
    for costs in COSTS
    for strategy in ("none", "uticket")
}
system = pd.DataFrame(rows).T
system["PEs' share"] = system["PE"] / system[["PE", "SRAM", "DRAM"]].sum(axis=1)
system.style.format("{:,.0f}", subset=["PE", "SRAM", "DRAM"]).format(
    "{:.2%}", subset=["PEs' share"]
)

# %% tags=["claims"]
byte, at_once = (COSTS[reading] for reading in ("per-byte", "per-access"))  # for 32 bits
assert (round(at_once.dram), round(byte.dram / at_once.dram)) == (469, 4)
assert round(byte.sram_weights / at_once.sram_weights) == 32
report = ut.simulate(digits, pes)
updates = system["PE"].loc["per-byte", "none"] - report.energy * E_DYN
print(f"Eq. 3: {report.energy * E_DYN / 1000:.1f} nJ, and {updates / 1000:.2f} nJ for the neurons")
assert (
    abs(updates - E_DYN * report.breakdown("paper").loc[(slice(None), "LIF"), "dynamic"].sum()) < 1
)
assert (system["PEs' share"] < 0.01).all(), "either way memory takes nearly everything"
assert (system["DRAM"] > 0.9 * system[["PE", "SRAM", "DRAM"]].sum(axis=1)).all()

# %% [markdown]
# (PE is Eq. 3 and the neurons' updates, which Eq. 3 leaves out.) Either way memory takes nearly everything, so balancing saves little *of the chip*. The paper finds 45 % of the energy in the PEs; that needs weights that stay on the chip ([The paper, beside ours](10_the_paper.ipynb)).
#
# ## What you guessed

# %%
look_back("traffic")

# %% [markdown]
# ## What to remember
#
# * At high sparsity the description of *where* the non-zeros are outweighs the non-zeros.
# * A list beats a mask when fewer than one weight in ⌈log₂ size⌉ is left.
# * Ask what width a published memory figure is for, and what traffic was counted.
#
# **An open question.** After Algorithm 1 every filter of a wave has equally many non-zeros. Which bits does that save in a list?
