# %% [markdown]
# # The whole chip
#
# PEs are not alone on the chip. Weights and spikes must be fetched from memory, and an access to DRAM costs more than a thousand additions. When 99 % of the weights are gone, what is fetched?
#
# **Afterwards you can** count what a layer's weights take in two formats and where they are equal · say what decides which share of a chip's energy balancing can touch · ask the right question of a published memory figure \
# **You need** [What waiting costs](08_what_waiting_costs.ipynb) \
# **Time** 35 minutes: 25 reading, 10 writing

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
# Say the weights are stored as a bit [[mask]], one bit for every weight, plus 8 bits per non-zero; [[spike|spikes]] as compressed rows (for each channel and timestep a pointer, for each spike its position); and everything comes from DRAM once for each image.

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
        "below": "One bit against eight: but there are hundreds of pruned weights for each that is left.",
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
# On a layer of a recorded VGG-16, round by round, positions counted inside a filter of 4,608 weights (13 bits). (Left out is what tells where each of its 512 filters ends: a number of 13 bits each, 6,656 in all, 5 % of the list in the last row.)

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
ends = layer.shape[0] * position
assert (layer.shape[0], ends, round(ends / formats["list"].iloc[-1], 2)) == (512, 6656, 0.05)

# %% [markdown]
# ## The same for spikes
#
# Spikes, too, can travel as a map, one bit for every neuron in every timestep, or as a list of who spiked: *address events*, as many neuromorphic chips send them.

# %%
predict(
    "events",
    "The spikes that the pruned digits network's counted layers read: which takes fewer bits, a "
    "map or a list of addresses?",
    choices=("the map, in every layer", "the list, in every layer", "it depends on the layer"),
)

# %%
rows = {}
for name in digits.counted:
    layer = digits.layers[name]
    neurons = layer.shape[1] * (layer.input_positions or layer.positions)
    spiking = neurons * (1 - layer.spike_sparsity)
    rows[name] = (neurons, spiking, spiking * math.ceil(math.log2(neurons)))
events = pd.DataFrame.from_dict(
    rows, orient="index", columns=["map (a bit a neuron)", "spikes", "list (bits)"]
)
shorter = events["list (bits)"] < events["map (a bit a neuron)"]
reveal(
    "events",
    "the list, in every layer"
    if shorter.all()
    else "it depends on the layer"
    if shorter.any()
    else "the map, in every layer",
    {
        "the list, in every layer": "Spikes are rare, but not as rare as weights: a list needs fewer than one neuron in ⌈log₂ neurons⌉ to spike.",
        "the map, in every layer": "It is where many neurons spike. See which layer is quiet enough for a list.",
    },
)

# %%
events.style.format("{:,.0f}")

# %% [markdown]
# For one image and timestep. In the paper's networks 14 to 40 % of all neurons spike in a timestep: there, taken together, lists of addresses would be longer than maps.
#
# ## Whose energy?
#
# The simulator that the paper builds on publishes what an access costs: 469 pJ for DRAM. For one byte, by which it multiplies, or for the four that its memory model was asked for at once? (For SRAM one byte or 32.) And what has to come from DRAM at all? The masks of the digits network's counted layers take 8 kB: many neuromorphic chips keep all weights, and spikes, beside their PEs. Both readings, and what stays on the chip, in pJ for one image:

# %%
STAYS = {
    "nothing": (),
    "weights": ("dram_weights",),
    "weights and spikes": ("dram_weights", "dram_spikes"),
}
before, after = (ut.simulate(digits, pes, strategy) for strategy in ("none", "uticket"))
rows = {}
for costs in COSTS:
    for stays, without in STAYS.items():
        parts = ut.system_energy(before, costs=costs, without=without)
        balanced = ut.system_energy(after, costs=costs, without=without)
        whole = sum(parts.values())
        saved = 1 - sum(balanced.values()) / whole
        rows[costs, stays] = {**parts, "PEs' share": parts["PE"] / whole, "u-Ticket saves": saved}
system = pd.DataFrame(rows).T.rename_axis(["an access costs", "stays on the chip"])
system.style.format("{:,.0f}", subset=["PE", "SRAM", "DRAM"]).format(
    "{:.1%}", subset=["PEs' share", "u-Ticket saves"]
)

# %% tags=["claims"]
byte, at_once = (COSTS[reading] for reading in ("per-byte", "per-access"))  # for 32 bits
assert (round(at_once.dram), round(byte.dram / at_once.dram)) == (469, 4)
assert round(byte.sram_weights / at_once.sram_weights) == 32
updates = system["PE"].loc["per-byte", "nothing"] - before.energy * E_DYN
print(f"Eq. 3: {before.energy * E_DYN / 1000:.1f} nJ, and {updates / 1000:.2f} nJ for the neurons")
assert (
    abs(updates - E_DYN * before.breakdown("paper").loc[(slice(None), "LIF"), "dynamic"].sum()) < 1
)
assert round(mask_bits / 8 / 1000) == 8
from uticket_lite.paper.published import paper_table

spiking = 100 - paper_table()["spike_sparsity"].to_numpy()
assert (spiking.min().round(), spiking.max().round()) == (14, 40)
assert spiking.min() > 100 / 8, "one in 8: an address among 256 neurons, and layers have more"
share, saves = system["PEs' share"], system["u-Ticket saves"]
fetched = share.xs("nothing", level="stays on the chip")
assert (fetched < 0.01).all(), "memory takes nearly everything"
assert (saves.xs("nothing", level="stays on the chip").abs() < 0.01).all()
kept = share.xs("weights and spikes", level="stays on the chip")
assert (f"{kept['per-byte']:.0%}", f"{kept['per-access']:.0%}") == ("2%", "36%")
assert f"{saves['per-access', 'weights and spikes']:.0%}" == "15%"
neurons = sum(layer.shape[0] * layer.positions for layer in layers)
membranes = neurons * digits.timesteps * 2 * 8
assert (neurons, digits.timesteps) == (4096, 4)
assert round(membranes / (mask_bits + value_bits)) == 4

# %% [markdown]
# (PE is Eq. 3 and the neurons' updates, which Eq. 3 leaves out.) Where everything comes from DRAM, memory takes nearly all, and balancing saves little *of the chip*. Where weights and spikes stay on it, the PEs take 2 or 36 %, by what an access is taken for, and balancing up to 15 %. So ask of a chip first what leaves it. The paper finds 45 % of the energy in the PEs ([The paper, beside ours](10_the_paper.ipynb)).
#
# Not counted here: how spikes find their way between cores, and the [[membrane|membranes]]. A chip that takes all timesteps of a neuron one after the other keeps its membrane at hand. One that runs in real time, timestep by timestep, reads and writes every membrane in each, whether a spike came or not: for the 4,096 neurons of these layers, with 8 bits each, four times the bits of all their weights.
#
# ## What you guessed

# %%
look_back("traffic", "events")

# %% [markdown]
# ## What to remember
#
# * At high sparsity the description of *where* the non-zeros are outweighs the non-zeros.
# * A list beats a mask when fewer than one weight in ⌈log₂ size⌉ is left.
# * The same holds for spikes: a list of addresses beats a map only where few neurons spike.
# * Ask what stays on the chip, what width a published memory figure is for, and what traffic was counted.
#
# **An open question.** After Algorithm 1 every filter of a wave has equally many non-zeros. Which bits does that save in a list?
