# %% [markdown]
# # Spikes bring it back
#
# So far every non-zero weight cost a cycle, as in the paper's PE. *This notebook* asks about a PE that skips the cycle where no spike arrives. (From the next one on we are back with the paper's.) Are loads that are level by weights level by spikes too?
#
# **Afterwards you can** count the accumulations of a filter · say what becomes of balanced loads by spikes, and what barriers change · quote latency beside utilization, and say why \
# **You need** [Neurons that spike](03_neurons.ipynb), [Algorithm 1](02_algorithm_1.ipynb) \
# **Time** 35 minutes: 15 writing, 20 reading and trying

# %%
import numpy as np
import pandas as pd

import uticket_lite as ut
from uticket_lite import explore
from uticket_lite.teach import check, look_back, predict, reveal, spike_totals

pes = ut.Accelerator(n_pe=16)

# %% [markdown]
# ## Count them
#
# A filter `one` (C, kh, kw; True where a weight is kept) slides over the input `spikes` (T, C, H, W; 0 or 1), without padding. At every position and timestep, each non-zero that meets a spike is one [[accumulation]]. How many are there in all?


# %%
def accumulations(one, spikes):
    """How many spikes the non-zeros of one filter meet."""
    ### BEGIN SOLUTION
    _, high, wide = one.shape
    total = 0
    for y in range(spikes.shape[2] - high + 1):
        for x in range(spikes.shape[3] - wide + 1):
            total += np.count_nonzero(one & (spikes[:, :, y : y + high, x : x + wide] > 0))
    return total
    ### END SOLUTION


check(accumulations)

# %% [markdown]
# ## Level by weights
#
# u-Ticket's recorded ticket is perfectly balanced by its weights: utilization 100 %. Now real images run through the trained network, and only accumulations cost cycles.

# %%
predict(
    "by-spikes",
    "u-Ticket's utilization by spikes, with a barrier after each wave, in percent?",
    unit="%",
    low=0,
    high=100,
)

# %%
each = spike_totals(("digits-lth", "digits-uticket"), pes, images=10)
totals = each.groupby(["run", "barrier"], sort=False).mean()
reveal(
    "by-spikes",
    100 * totals.loc[("digits-uticket", "wave"), "utilization"],
    leads_to={
        "above": "Weights are level. But which of them meet spikes differs from filter to filter.",
        "below": "Some of the balance stays: more weights meet more spikes.",
    },
)

# %% [markdown]
# PEs wait for each other at a [[barrier]]: once at the end of the layer, after every wave, after every timestep of a wave, or after every output position. (A wave runs all its timesteps before the next wave begins. A chip that runs in real time does it the other way round, all waves of a timestep before the next timestep; where PEs wait after each wave of each timestep, that takes the same cycles. Loihi's cores finish all their neurons of a timestep and then meet at a barrier; SpiNNaker's follow a timer.) Choose another image, another layer, another barrier: its bar has an outline.

# %%
spikes = explore.spikes()
spikes.link = "spikes?run=digits-uticket"
spikes

# %% [markdown]
# ## And latency?

# %%
predict(
    "spike-latency",
    "By spikes, with one barrier for each layer: is the u-Ticket ticket of the last round quicker "
    "than the plain LTH ticket of the last round?",
    choices=("quicker", "about equal", "slower"),
)

# %%
cycles = totals["latency"].unstack("run")
ratio = cycles["digits-uticket"] / cycles["digits-lth"]
apart = each["latency"].unstack("run").eval("`digits-uticket` - `digits-lth`")
apart = apart.groupby("barrier").agg(["mean", "sem"])  # image by image
clear = apart["mean"].abs() > 2 * apart["sem"]
answer = "about equal" if not clear["layer"] else "slower" if ratio["layer"] > 1 else "quicker"
reveal(
    "spike-latency",
    answer,
    leads_to={
        "quicker": "Utilization is higher. But the ticket also has more non-zeros, and they meet more spikes.",
        "about equal": "With a barrier per wave, or per timestep, you are right: ten images do not tell the two apart. With one per layer they do.",
    },
)

# %%
barriers = ["layer", "wave", "timestep", "position"]
shown = totals.reindex(
    pd.MultiIndex.from_product([cycles.columns, barriers], names=totals.index.names)
)
shown = shown.assign(ratio=ratio.reindex(shown.index, level="barrier"))
names = {"work": "work (an image)", "latency": "latency (cycles, an image)"}
shown.rename(columns=names).style.format(
    dict.fromkeys(names.values(), "{:,.0f}") | {"utilization": "{:.1%}", "ratio": "{:.3f}"}
)

# %% [markdown]
# And with the paper's PE, which spends a cycle on every non-zero, spike or not? Cycles for an image, and how many times the chip gets faster by skipping alone, with a barrier after each wave:

# %%
by_weights = pd.Series(
    {name: ut.simulate(ut.load_ticket(name), pes).latency for name in cycles}, name="by weights"
)
skipping = pd.DataFrame({"by weights": by_weights, "by spikes": cycles.loc["wave"]})
skipping["faster"] = skipping["by weights"] / skipping["by spikes"]
skipping.style.format("{:,.0f}").format("{:.1f} ×", subset=["faster"])

# %% [markdown]
# More than any way to balance brings on these tickets. That takes it for granted that a PE finds the next spike that meets one of its weights at once. In a chip that takes a priority encoder or a queue of events: area and energy that are not counted here, and the reason why the paper's PE is as simple as it is.
#
# How many cycles more u-Ticket's takes for an image: the mean over ten images, and its standard error:

# %%
apart.loc[barriers].round(0)

# %% tags=["claims"]
plain, balanced = (totals.loc[name] for name in ("digits-lth", "digits-uticket"))
weights = {
    name: sum(ut.load_ticket(name).layers[k].nonzeros for k in ut.load_ticket(name).counted)
    for name in ("digits-lth", "digits-uticket")
}
print("non-zeros of the counted layers:", weights)
assert ut.simulate(ut.load_ticket("digits-uticket"), pes).utilization == 1
assert (balanced["utilization"] < 0.8).all(), "by spikes they wait again"
assert (balanced["utilization"] > plain["utilization"]).all(), "though less than without balancing"
assert balanced["utilization"].is_monotonic_decreasing, "the more barriers, the more waiting"
assert skipping["faster"].round(1).tolist() == [6.7, 3.7]
best = by_weights["digits-lth"] / ut.compare(ut.load_ticket("digits-lth"), pes)["latency"].min()
assert skipping["faster"].min() > best, "any way to balance"
assert ratio["position"] > 1.05, "and yet it is slower where PEs wait after each position"
assert weights["digits-uticket"] > 1.5 * weights["digits-lth"]

# %% [markdown]
# Utilization says u-Ticket is better under every barrier. Latency says: slower with a barrier per layer or position; per wave or timestep these ten images do not tell them apart. (One pair of runs, seed 0.) But the two tickets are not equally dense: u-Ticket's has nearly twice the non-zeros in these layers. For each of them it takes fewer cycles an image:

# %%
per_nonzero = cycles / pd.Series(weights)
per_nonzero.loc[barriers].round(1)

# %% tags=["claims"]
assert (per_nonzero["digits-uticket"] < per_nonzero["digits-lth"]).all()
assert clear.loc[["layer", "position"]].all()
assert (ratio[["layer", "position"]] > 1).all(), "slower"
assert not clear.loc[["wave", "timestep"]].any(), "not told apart"

# %% [markdown]
# The rule from the first notebook holds here too: look at latency, and ask whether what is compared is equal.
#
# ## What you guessed

# %%
look_back("by-spikes", "spike-latency")

# %% [markdown]
# ## What to remember
#
# * If a PE skips what meets no spike, a weight costs a cycle only where it meets one.
# * Balanced weights are not balanced accumulations; the more often PEs wait for each other, the worse.
# * Two tickets of unequal density cannot be compared by utilization alone.
# * A PE that skips silent inputs gains more by that than by any balancing, if finding the spikes is cheap.
#
# **An open question.** Could you balance by expected spikes instead of weights (`ut.spike_costs` counts them, `ut.simulate_spikes(…, costs=…)` takes them)? What would you have to know, and when would it be wrong?
