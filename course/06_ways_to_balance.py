# %% [markdown]
# # Ways to balance, and yours
#
# There are many ways to keep PEs busy. They change the weights, the order of the filters, the [[schedule]] or the hardware, and cost different things. You add another one.
#
# **Afterwards you can** write a strategy of your own and judge it · name what each kind of balancing costs · say when an order alone is enough, and when it is not free \
# **You need** [Algorithm 1](02_algorithm_1.ipynb) \
# **Time** 65 minutes: 25 reading and trying, 40 writing

# %%
import numpy as np
import pandas as pd

import uticket_lite as ut
from uticket_lite import explore
from uticket_lite.teach import check, look_back, predict, reveal

pes = ut.Accelerator(n_pe=16)
vgg = ut.synthetic_ticket("vgg16", sparsity=0.982, filter_cov=0.3, seed=0)
digits = ut.load_ticket("digits-lth", round=14)

# %% [markdown]
# ## Order without touching a weight
#
# Under a [[barrier]] a wave takes as long as its densest filter. You may deal the filters in any order. Which order is the quickest? `counts`, an array, are their non-zeros. Return the numbers of the filters (0 for the first) in the order in which they are dealt to n PEs.


# %%
def order(counts, n):
    """Filters, by number, in the order in which n PEs take them."""
    ### BEGIN SOLUTION
    return np.argsort(-np.array(counts), kind="stable")
    ### END SOLUTION


check(order)

# %%
predict(
    "sorting",
    "A network like the paper's VGG-16, 98.2 % sparse, on 16 PEs. How many percent of the cycles "
    "that u-Ticket saves does sorting save, without touching a weight?",
    unit="%",
    low=0,
    high=150,
)

# %%
table = ut.compare(vgg, pes)
saved = 1 - table["latency"] / table.loc["none", "latency"]
reveal(
    "sorting",
    100 * saved["sort"] / saved["uticket"],
    leads_to={
        "below": "Where filters are many, there is nearly always another one just as dense to share a wave with.",
        100: "Nearly: but filters of a wave are alike, not equal, and u-Ticket makes them equal.",
    },
)

# %% [markdown]
# ## What can be changed
#
# Every [[strategy]] states what it changes and what that costs. Move the sliders: a bar is a latency: first the share that PEs work, in the colour of what the strategy changes, then in orange the share that they wait.

# %%
explore.strategies()

# %%
pd.DataFrame([(s.name, s.changes, s.cost) for s in ut.STRATEGIES.values()]).style.hide(
    axis="index"
).hide(axis="columns").set_properties(**{"text-align": "left"})

# %% [markdown]
# And on the digits network, with 32 and 64 filters a layer? Fewer filters, fewer that are alike:

# %%
small = ut.compare(digits, pes)
both = pd.DataFrame(
    {"like VGG-16": saved, "digits": 1 - small["latency"] / small.loc["none", "latency"]}
)
both.style.format("{:.1%}")

# %% tags=["claims"]
assert saved["sort"] > 0.9 * saved["uticket"]
assert both.loc["sort", "digits"] < both.loc["lpt", "digits"] < both.loc["uticket", "digits"]
assert both.loc["regrow-only"].eq(0).all()
assert both.loc["split", "digits"] > both.loc["lpt", "digits"], "without touching a weight"
assert small.loc["split", "touched"] == 0
orders = small.index[small["changes"] == "order"]
for network in both:
    assert both.loc[orders, network].max() < both.loc["uticket", network], "beats every order"
    assert both.loc["split", network] > both.loc["uticket", network]
assert set(small.index[small["latency"] < small.loc["sort", "latency"]]) >= {"pair", "lpt"}
assert digits.layers["conv2"].shape[0] == 32
assert {digits.layers[name].shape[0] for name in digits.counted} == {32, 64}

# %% [markdown]
# That is on 16 PEs. On other arrays, latency over u-Ticket's (below 1: quicker than u-Ticket):

# %%
ARRAYS = (2, 4, 8, 16, 32, 64)


def beside_uticket(ticket):
    """Latency of some strategies over u-Ticket's, a column for each number of PEs."""
    names = ["none", "sort", "pair", "lpt", "split"]
    tables = {n: ut.compare(ticket, ut.Accelerator(n))["latency"] for n in ARRAYS}
    return pd.DataFrame({n: all_[names] / all_["uticket"] for n, all_ in tables.items()})


arrays = pd.concat({"digits": beside_uticket(digits), "like VGG-16": beside_uticket(vgg)})
arrays.style.format("{:.2f}")

# %% tags=["claims"]
for network in ("digits", "like VGG-16"):
    of = arrays.loc[network]
    assert of.loc["sort", 2] < 1, "few PEs: rounding costs more than waiting"
    assert of.loc["pair", 4] < 1
    assert (of.loc["split", :16] < 1).all()
    assert of.loc["split", 64] > 1
assert ut.simulate(digits, ut.Accelerator(2), "uticket").idle == 0, "all it loses is rounding"
assert arrays.loc[("digits", "sort"), 64] == arrays.loc[("digits", "none"), 64] > 2
assert arrays.loc[("digits", "split"), 32] > 1

# %% [markdown]
# With few PEs even orders are quicker than u-Ticket, which rounds the mean of every wave up. With 64 PEs every filter of the digits network has a PE of its own: there no order helps, halves are too coarse, and u-Ticket is the quickest.
#
# `regrow-only` saves nothing. `lpt` (longest first) needs no barrier inside the layer and saves more than sorting, but a dense filter can still keep one PE busy longer than all others. `split` cuts such filters in two and saves more still, without touching a weight; dropping weights is not the only way.
#
# ## Longest first
#
# Without a barrier inside the layer, a PE takes its next filter as soon as it is free. Graham's rule: sort, then give each filter to the PE that has least to do so far.


# %%
def lpt(counts, n):
    """Loads of n PEs, one number for each."""
    ### BEGIN SOLUTION
    busy = [0] * n
    for count in sorted(counts, reverse=True):
        busy[busy.index(min(busy))] += count
    return busy
    ### END SOLUTION


check(lpt)

# %% [markdown]
# ## Yours
#
# A strategy is an object. Override `order` (a permutation inside each layer), `deal` (wave and PE of each filter) or `balance` (the mask). The one below only repeats the given order: change it, and beat `none` on two networks. Then try to beat `sort`. `counts` are the non-zeros of the filters of all layers, one layer after the other; layer i begins at `starts[i]`, and `starts` has one more entry at its end, the number of filters. With one filter on each PE in a wave, no order beats `sort` (`pair` puts two there). To beat it, override `deal(self, counts, starts, n)`, which gives two arrays, wave and PE of each filter, and let `changes` say "schedule".

# %%
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Mine(ut.Strategy):
    """My own way."""

    def order(self, counts, starts, rng):
        """A permutation inside each layer."""
        mine = np.arange(counts.size)
        for first, last in pairwise(starts):
            ### BEGIN SOLUTION
            mine[first:last] = first + np.argsort(-counts[first:last], kind="stable")
            ### END SOLUTION
        return mine


mine = Mine(
    name="mine",
    label="mine",
    changes="order",  # what is overridden: "order", "schedule" (deal) or "mask" (balance)
    cost="A permutation of the filters.",
    source="me",
    mappings=("output-channel",),
)
check(mine, "own_strategy")


# %%


def leaderboard(ticket, strategies):
    """Strategies from the quickest to the slowest, with their price."""
    ranked = ut.compare(ticket, pes, strategies).sort_values("latency")
    columns = ["changes", "latency", "utilization", "touched", "permuted", "buffered"]
    return ranked[columns].round(3)


leaderboard(digits, [mine, *ut.STRATEGIES])

# %% [markdown]
# A 0 does not mean free: a dispatcher in hardware, or filters that `deal` places elsewhere, are not counted here (`permuted` counts what `order` moves); *cost* above says it. To put yours into the menus of the explorers for as long as this kernel lives, run `ut.register(mine)`.
#
# ## Sorting is free. Is it?
#
# The next layer must expect the filters in their new order. `fold_orders` rewrites it so; the network gives the same answers:

# %%
import copy

import torch

from uticket_lite.training import fold_orders, load_network
from uticket_lite.training.datasets import load_dataset

network, data = load_network("digits-lth"), load_dataset("digits")
images = data.prepare(data.test_images)
folded = copy.deepcopy(network)
fold_orders(folded, ut.simulate(digits, pes, "sort").orders)
with torch.no_grad():
    before, after = network(images), folded(images)
print(f"largest difference between the class scores: {(before - after).abs().max():.1e}")

# %% tags=["claims"]
assert torch.allclose(before, after, atol=1e-4)
assert (before.argmax(1) == after.argmax(1)).all()

# %% [markdown]
# In a *residual* network it is not so free: layers whose outputs are added must agree on one order, because channel k is added to channel k. Below, three layers of a synthetic ResNet-19 that add into one another are sorted each for itself, and all by the sum of their counts.

# %%
resnet = ut.synthetic_ticket("resnet19", 0.976, filter_cov=0.6, seed=0)


def tied(names):
    """Σ max of these layers: as given, each sorted for itself, all in one order; u-Ticket."""
    counts = np.array([resnet.layers[name].counts for name in names])
    rank = np.argsort(-counts.sum(axis=0), kind="stable")
    orders = {
        "as given": counts,
        "each sorted": -np.sort(-counts, axis=1),
        "one order": counts[:, rank],
    }
    cycles = {how: int(c.reshape(-1, 16).max(axis=1).sum()) for how, c in orders.items()}
    level = np.ceil(counts.reshape(-1, 16).mean(axis=1)).sum()
    return pd.Series({**cycles, "u-Ticket": int(level)})


widths = pd.Series({name: resnet.layers[name].shape[0] for name in resnet.counted})
together = [name for name in widths.index if widths[name] == widths.iloc[0] and name.endswith("2")]
tied(together)

# %% tags=["claims"]
assert len(together) == 3
cycles = tied(together)
assert cycles["u-Ticket"] < cycles["each sorted"] < cycles["one order"] < cycles["as given"]

# %% [markdown]
# ## What you guessed

# %%
look_back("sorting")

# %% [markdown]
# ## What to remember
#
# * Sorting changes no weight and reaches most of the speed-up where filters are many.
# * On 16 PEs u-Ticket beats every order, and pays with weights. Cutting dense filters in two is quicker still; `split`, `lpt` and `queue` pay with a schedule.
# * With few PEs even sorting beats u-Ticket; where a layer has one filter for each PE, no order helps: weights must change, or filters be cut.
# * In a residual network layers share an order, and sorting saves less.
#
# **An open question.** `split` cuts dense filters so that two PEs share one. Each half gives a partial sum. Where must the two meet, before or after the threshold of the neuron that they feed, and why?
