# %% [markdown]
# # Your own network, and beyond one machine
#
# Any torch network with convolutions will do. Bring it, prune it, look at every layer; then sweep a thousand configurations at once.
#
# **Afterwards you can** make a ticket of your own model · say why one figure is never enough · sweep arrays and strategies, here or on a cluster \
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
# This network is not trained. Put your own in its place if you like; `torch.zeros(1, 1, 8, 8)` is one input of it. A ticket made from weights can be pruned further by magnitude: one threshold for all layers.

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

# %% [markdown]
# A layer with more inputs starts with smaller weights, so one threshold for all layers empties it first: a network that is not trained dies of global pruning. And its utilization *rises*, because a layer without work has nobody waiting in it. **One figure is never enough.**

# %%
explore.workload(ticket)

# %% [markdown]
# ## Sweep
#
# `ut.sweep` runs every combination of tickets, arrays, strategies and seeds, one row each. The same call runs on a cluster: give it `client=distributed.Client(...)`.

# %%
table = ut.sweep(
    ["digits-lth", "digits-uticket"],
    n_pe=[2, 4, 8, 16, 32, 64],
    strategies=["none", "sort", "lpt", "uticket"],
    progress=False,
)
table.pivot_table(index=["ticket", "strategy"], columns="n_pe", values="latency", observed=True)

# %% tags=["claims"]
assert len(table) == 2 * 6 * 4

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
# * Sweep first, then explain: a table of many configurations shows which of your explanations hold.
#
# **An open question.** Which one experiment would change your mind about balancing by weights?
