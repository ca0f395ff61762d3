# %% [markdown]
# # Your own network, and beyond one machine
#
# Any torch network with convolutions will do. Bring it, prune it, look at every layer; then sweep many configurations at once.
#
# **Afterwards you can** make a ticket of your own model · say why one figure is never enough · sweep arrays and strategies, here or on a cluster, and see where two figures disagree \
# **You need** [Ways to balance, and yours](06_ways_to_balance.ipynb) \
# **Time** 30 minutes: 10 reading, 20 doing

# %%
import torch
from torch import nn

import uticket_lite as ut
from uticket_lite import explore
from uticket_lite.teach import look_back, predict, reveal

# %% [markdown]
# ## Bring it
#
# This network is not trained. Put your own in its place if you like; `torch.zeros(1, 1, 8, 8)` is one input of it. A ticket made from weights can be pruned further by magnitude: one threshold for all layers. (With ReLUs, as here, inputs are no spikes: a cycle is then a multiplication and an addition, and energy stays unknown.)

# %%
torch.manual_seed(0)
mine = nn.Sequential(
    nn.Conv2d(1, 32, 3, padding=1),
    nn.ReLU(),
    nn.Conv2d(32, 64, 3, padding=1),
    nn.ReLU(),
    nn.Conv2d(64, 64, 3, padding=1),
)
ticket = ut.Ticket.from_model(mine, torch.zeros(1, 1, 8, 8), timesteps=4)
ticket

# %%
predict(
    "collapse",
    "Prune it from 80 % to 90 % by one threshold. What happens to the network's utilization on 16 PEs?",
    choices=("it falls", "it stays", "it rises"),
)

# %%
pes = ut.Accelerator(n_pe=16)
at_80, at_90 = (ut.simulate(rung, pes) for rung in ut.magnitude_ladder(ticket, [0.8, 0.9]))
change = at_90.utilization - at_80.utilization
reveal(
    "collapse",
    "it rises" if change > 0.02 else "it falls" if change < -0.02 else "it stays",
    leads_to={
        "it falls": "It does in each layer that has work left. But look at every layer.",
        "it stays": "Look at every layer: one of them is gone.",
    },
)

# %%
at_90.layers[["parameters", "nonzeros", "latency", "utilization", "empty"]].round(3)

# %% tags=["claims"]
assert at_90.layers["nonzeros"].iloc[-1] == 0, "the larger layer is gone"
assert at_90.utilization > at_80.utilization
counted = at_90.layers[["nonzeros", "parameters"]].sum()
assert f"{1 - counted['nonzeros'] / counted['parameters']:.1%}" == "90.4%"
alive = at_90.layers["nonzeros"] > 0
assert (at_90.layers["utilization"] < at_80.layers["utilization"])[alive].all(), "in each alive"
assert at_90.layers.loc[~alive, "utilization"].eq(1).all(), "nobody waits where nothing is done"
sizes = [part.weight.abs().mean().item() for part in mine if isinstance(part, nn.Conv2d)]
assert sizes == sorted(sizes, reverse=True), "the more inputs, the smaller the weights"

# %% [markdown]
# A layer with more inputs starts with smaller weights, so one threshold for all layers empties it first: a network with PyTorch's first weights that is not trained dies of global pruning (with the authors' draw, in [The paper, beside ours](10_the_paper.ipynb), it does not). And its utilization *rises*, because a layer without work has nobody waiting in it. **One figure is never enough.** (*Sparsity* below is that of the counted layers: 90 % of all weights are 90.4 % of theirs.)

# %%
explore.workload(ticket)

# %% [markdown]
# ## Sweep
#
# `ut.sweep` runs every combination of tickets, arrays, strategies and seeds, one row each, and shows how far it is. Here: six rounds of VGG-16, from 58 % to 98 % pruned, on 2 to 64 PEs, with seven strategies that touch no weight and 100 seeds (which matter to `shuffle` alone). `pair` gives each PE a dense filter and a sparse one in every wave.

# %%
rounds = {f"vgg16-cifar10-lth round {r}": ("vgg16-cifar10-lth", r) for r in (3, 5, 8, 10, 12, 14)}
free = ["none", "shuffle", "sort", "pair", "lpt", "queue", "fifo-d"]

# %%
predict(
    "sweep",
    "98 % pruned, on 64 PEs: which of the three takes the most cycles?",
    choices=("none", "sort", "pair"),
)

# %%
table = ut.sweep(rounds, n_pe=[2, 4, 8, 16, 32, 64], strategies=free, seeds=range(100))
f"{len(table):,} configurations"

# %%
last = table[(table["ticket"] == "vgg16-cifar10-lth round 14") & (table["n_pe"] == 64)]
means = last.groupby("strategy", observed=True)[["utilization", "latency"]].mean()
reveal(
    "sweep",
    means.loc[["none", "sort", "pair"], "latency"].idxmax(),
    leads_to={
        "none": "Its utilization is the lowest, 34 %. But that weighs layers by their weights; cycles come from positions, too.",
        "sort": "It never takes longer than the given order. Look at layers with few filters.",
    },
)

# %% [markdown]
# Below, light is good. Look first at *utilization*, then show *cycles* instead: of `none`, `sort` and `pair`, which row is best on the right (64 PEs), and what becomes of it? Move the sparsity; click on a cell.

# %%
heat = explore.sweep(table)
heat.link = "sweep?n_pe=64&strategy=pair"
heat

# %% tags=["claims"]
assert len(table) == 6 * 6 * 7 * 100
by_seed = table.groupby(["strategy", "ticket", "n_pe"], observed=True)["latency"].nunique()
assert by_seed[by_seed > 1].index.unique("strategy").tolist() == ["shuffle"]
assert [f"{100 * table['ticket_sparsity'].agg(end):.0f}" for end in ("min", "max")] == ["58", "98"]
assert [f"{100 * means['utilization'][name]:.0f}" for name in ("pair", "sort", "none")] == [
    "87",
    "81",
    "34",
]
assert means["latency"]["pair"] > means["latency"]["none"] > means["latency"]["sort"]

# %% [markdown]
# **The second-highest utilization (87 %; `sort` 81 %, `none` 34 %), and the most cycles.** `pair` puts two filters on a PE. A layer of 64 filters, conv2, then leaves half of 64 PEs without any. It has the fewest weights, so Eq. 2's mean over parameters hardly sees it; and the most positions, so cycles do.

# %%
sparsest, pes = ut.load_ticket("vgg16-cifar10-lth", 14), ut.Accelerator(n_pe=64)
layers = ut.simulate(sparsest, pes).layers[["parameters", "latency"]]
layers["filters"] = [sparsest.layers[name].shape[0] for name in layers.index]
layers["positions"] = [sparsest.layers[name].positions for name in layers.index]
layers["latency with pair"] = ut.simulate(sparsest, pes, "pair").layers["latency"]
layers

# %% tags=["claims"]
assert means["utilization"].rank()["pair"] == len(free) - 1
assert means["latency"].idxmax() == "pair"
assert layers.index[layers["filters"] <= 64].tolist() == ["conv2"]
assert layers.index[layers["latency with pair"] > layers["latency"]].tolist() == ["conv2"]
assert layers["parameters"].idxmin() == layers["positions"].idxmax() == "conv2"
assert layers["parameters"]["conv2"] < 0.01 * layers["parameters"].sum()

# %% [markdown]
# The same call runs on a cluster: give it `client=distributed.Client(...)`. With `folder="rows"` the rows go to disk while it runs, an interrupted sweep goes on where it stopped, and `explore.sweep("rows")` shows what is there so far.

# %% [markdown]
# ## Keep what you found
#
# An explorer's state is a line of text: the same line opens the same picture elsewhere.

# %%
workload = explore.workload()
print(workload.link)

# %% [markdown]
# ## All that you guessed, in the whole course

# %%
look_back()

# %% [markdown]
# ## What to remember
#
# * `Ticket.from_model` takes any torch network; look at every layer before you quote one figure.
# * An empty layer has utilization 1 and no work.
# * Sweep first, then explain: many configurations show which of your explanations hold, and where utilization and cycles disagree.
#
# **An open question.** Which one experiment would change your mind about balancing by weights?
