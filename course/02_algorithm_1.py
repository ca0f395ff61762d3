# %% [markdown]
# # Algorithm 1
#
# u-Ticket makes every wave level: PEs above the mean drop weights, PEs below it regrow some. Nobody waits any more. But is that what makes it fast?
#
# **Afterwards you can** write Algorithm 1 · say what it touches and what that costs · say when a utilization of 100 % means nothing \
# **You need** [A simulator in twenty lines](01_a_simulator.ipynb) \
# **Time** 35 minutes: 20 writing, 15 reading and trying

# %%
import numpy as np
import pandas as pd

import uticket_lite as ut
from uticket_lite import explore
from uticket_lite.teach import check, look_back, predict, reveal

# %% [markdown]
# ## One PE
#
# A PE holds one filter's [[mask]]: True where a weight is kept. It should have exactly *a* non-zeros. If it has more, it [[drop|drops]] random ones; if it has fewer, it [[regrow|regrows]] random pruned ones. What need not change stays.
#
# `np.flatnonzero(one)` are the places of the non-zeros, `np.flatnonzero(~one)` those of the pruned weights, and `rng.choice(places, number, replace=False)` picks some.


# %%
def drop_and_regrow(one, a, rng):
    """A copy of one filter's mask (one-dimensional) with exactly `a` non-zeros."""
    ### BEGIN SOLUTION
    one = one.copy()
    load = one.sum()
    if load > a:
        one[rng.choice(np.flatnonzero(one), load - a, replace=False)] = False
    else:
        one[rng.choice(np.flatnonzero(~one), a - load, replace=False)] = True
    return one
    ### END SOLUTION


check(drop_and_regrow)

# %% [markdown]
# ## Every wave
#
# The [[Algorithm 1]] of the paper: for each wave of n filters (the last may have fewer), *a* is the mean load over the filters *of the wave*, rounded up (PEs without a filter do not count, and still wait: a short last wave stays below 100 %); every PE of the wave drops or regrows to *a*. `mask` has one row per filter.


# %%
def balance(mask, n, rng):
    """A copy of the mask (K, weights) in which all filters of a wave have equally many."""
    ### BEGIN SOLUTION
    balanced = mask.copy()
    for first in range(0, len(mask), n):
        wave = mask[first : first + n]
        a = int(np.ceil(wave.sum(axis=1).mean()))
        for k, one in enumerate(wave, first):
            balanced[k] = drop_and_regrow(one, a, rng)
    return balanced
    ### END SOLUTION


check(balance)

# %% [markdown]
# ## Where do the saved cycles come from?
#
# A variant, `regrow-only`, regrows every PE of a wave to the wave's *largest* load. Utilization is then 100 % too.

# %%
predict(
    "regrow",
    "How many percent of the latency does regrow-only save on the pruned digits network?",
    unit="%",
    low=-100,
    high=100,
)

# %%
pruned, pes = ut.load_ticket("digits-lth", round=14), ut.Accelerator(n_pe=16)
table = ut.compare(pruned, pes, ["none", "regrow-only", "uticket"])
saved = 100 * (1 - table["latency"] / table.loc["none", "latency"])
reveal(
    "regrow",
    saved["regrow-only"],
    leads_to={
        saved[
            "uticket"
        ]: "That is what u-Ticket saves: it also makes the slowest PE faster. Regrowing does not.",
        100
        - 100
        * table.loc[
            "none", "utilization"
        ]: "Waiting is gone, but it is filled with new work, not cut short.",
        "above": "Regrowing makes no PE quicker, and a wave takes as long as its slowest.",
    },
)

# %% [markdown]
# Both fill every PE. Only lowering the *largest* load of a wave makes it shorter, and of the two moves of Algorithm 1 only dropping does that (other ways follow in [Ways to balance](06_ways_to_balance.ipynb)). The price is in the mask: non-zeros `touched` (dropped or regrown) and `extra` (more than before, because every mean is rounded up), as shares of those given. Work grows by less than `extra`, because most weights are added where output positions are few:

# %%
table[["utilization", "latency", "work", "idle", "touched", "extra"]].round(3)

# %% tags=["claims"]
assert table.loc["regrow-only", "utilization"] == table.loc["uticket", "utilization"] == 1
assert table.loc["regrow-only", "latency"] == table.loc["none", "latency"]
assert table.loc["uticket", "latency"] < table.loc["none", "latency"]
assert f"{table.loc['uticket', 'extra']:.0%}" == "28%"
assert table.loc["uticket", "work"] / table.loc["none", "work"] - 1 < table.loc["uticket", "extra"]
layers = ut.simulate(pruned, pes, "uticket").layers["nonzeros"]
added = layers - pd.Series({name: pruned.layers[name].nonzeros for name in pruned.counted})
positions = pd.Series({name: pruned.layers[name].positions for name in pruned.counted})
few = positions < positions.max()
assert added[few].sum() > 0.8 * added.sum(), "most where positions are few"

# %% [markdown]
# In the explorer, choose u-Ticket and compare it with *none*; then move the number of PEs.

# %%
explore.workload(pruned)

# %% [markdown]
# ## What you guessed

# %%
look_back("regrow")

# %% [markdown]
# ## What to remember
#
# * Algorithm 1: *a* is the rounded-up mean load of a wave; who has more drops, who has less regrows.
# * Utilization says whether PEs wait. It does not say whether they do anything useful.
# * Dropping saves the cycles; regrowing makes up for the weights that are gone, and rounding adds some (28 % here).
#
# **An open question.** u-Ticket picks weights at random. Which would you drop, and which regrow, if you knew their magnitudes? ([Balance inside the loop](05_balance_inside_the_loop.ipynb) tries one answer.)
