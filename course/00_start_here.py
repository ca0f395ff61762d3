# %% [markdown]
# # Sparse is not fast
#
# A spiking network is pruned until about 98 % of its weights are gone. Sixteen [[PE|processing elements (PEs)]] share what is left. Does the time shrink as much as the work?
#
# **Afterwards you can** say why PEs wait · compute the loads of a small array and Eq. 2 by hand · tell work, latency and utilization apart \
# **You need** Python, and what a convolution is \
# **Time** 30 minutes: 10 reading, 10 by hand, 10 with sliders
#
# Run the cells from top to bottom (Shift + Enter). All controls work with the keyboard: Tab moves between them, the arrow keys move them (Page Up and Page Down faster, Home and End all the way). A folded cell (•••) asks, answers, or checks what the text says: run it like the others. You may skip any question; guesses are kept in a file beside this notebook and go nowhere else. (Where you see no fields and buttons, answer in code: `predict(…, guess=170)`.)

# %%
import pandas as pd

import uticket_lite as ut
from uticket_lite import explore, reference
from uticket_lite.teach import check, look_back, predict, reveal

dense = ut.load_ticket("digits-lth", round=0)
pruned = ut.load_ticket("digits-lth", round=14)
pes = ut.Accelerator(n_pe=16)
pruned

# %% [markdown]
# ## A ticket, and what it costs
#
# The two [[ticket|tickets]] come from a real training run: a small spiking network learned handwritten digits, and after every training [[round]] the smallest quarter of its weights was pruned. A ticket is what is left: for each layer a [[mask]] that says which weights are not zero. Of all weights 98.2 % are gone ([[sparsity]]); of the three convolutions that the PEs share, the [[counted layers]], 99.6 %. (Work shrinks by 99.4 %, a little less than the weights of the counted layers: layers with more positions keep more of theirs.)
#
# A convolution has K [[filter|filters]]; each is applied at every output [[position]], in every [[timestep]]. A non-zero weight keeps a PE busy for one cycle per position and timestep. [[work|Work]] is the number of busy cycles, added up over all PEs. [[latency|Latency]] is the number of cycles until the slowest PE is done, added up over the network.

# %% tags=["claims"]
weights = sum(layer.size for layer in pruned.layers.values())
alive = sum(layer.nonzeros for layer in pruned.layers.values())

of_all, of_counted = f"{1 - alive / weights:.1%}", f"{pruned.sparsity:.1%}"
print(f"pruned of all weights: {of_all}, of the counted layers: {of_counted}")
assert (of_all, of_counted) == ("98.2%", "99.6%")
assert len(pruned.counted) == 3

# %% [markdown]
# ## Your first guess
#
# Run the next cell and answer. Then run the one after it.

# %%
predict(
    "faster",
    "On 16 PEs, the pruned ticket has about 170 times less work than the dense network. "
    "How many times faster is it?",
    unit="×",
    low=0.01,
    high=10_000,
)

# %%
before, after = ut.simulate(dense, pes), ut.simulate(pruned, pes)
less, faster = before.work / after.work, before.latency / after.latency
reveal(
    "faster",
    faster,
    leads_to={
        less: "So much less work would be so much less time if every PE had an equal share. They do not.",
        less / 16: "Sixteen PEs share the work before and after: that cancels.",
        1: "Zeros are skipped here, so less work does take less time. But not as much less.",
        "above": "More is lost than that: two thirds of the factor.",
        "below": "Not so much is lost: a third of the factor is left.",
    },
)

# %% tags=["claims"]
assert 165 < less < 175
assert f"{1 - 1 / less:.1%}" == "99.4%"
assert 0.65 < 1 - faster / less < 0.69, "two thirds of the factor"

# %% [markdown]
# The work is 170 times less, the time is not: two thirds of the factor are lost. Why?
#
# ## By hand: loads of four PEs
#
# With the [[mapping]] used here, each PE holds one filter at a time. The n PEs start together and wait until the slowest is done: that is one [[wave]], and the waiting ends at a [[barrier]]. Then they take the next n filters. A PE's [[load]] is the number of non-zero weights it holds.
#
# Seven filters have 7, 2, 5, 3, 1, 6, 4 non-zeros. Four PEs share them, in the order given: what is the load of each PE in each wave? Write one list of four numbers for each wave.

# %%
my_loads = (
    ### BEGIN SOLUTION
    [[7, 2, 5, 3], [1, 6, 4, 0]]
    ### END SOLUTION
)
check(my_loads, "loads_by_hand")

# %% [markdown]
# The first wave takes 7 cycles, the second 6: 13 in all, though the 28 non-zeros would take four PEs only 7 cycles if they were shared evenly.
#
# ## By hand: Eq. 2
#
# How well are PEs used? Call the largest load of a wave M and the mean A, with n PEs. The paper's Eq. 2 says
#
# $$u = 1 - \frac{M - A}{M}\cdot\frac{n}{n - 1} \qquad\text{(2)}$$
#
# (M − A)/M is the share of PE-cycles spent waiting. It can be at most (n − 1)/n, because the slowest PE never waits; the second factor stretches the scale. So [[utilization]] is 1 if all loads are equal, and 0 if one PE does everything.
#
# What is u for loads 10, 6, 4, 4? Two decimals are enough.

# %%
my_utilization = (
    ### BEGIN SOLUTION
    0.47
    ### END SOLUTION
)
check(my_utilization, "eq2_by_hand")

# %% tags=["claims"]
shared = [[7, 2, 5, 3], [1, 6, 4, 0]]
assert sum(map(max, shared)) == 13
assert sum(map(sum, shared)) == 28 == 4 * 7
for wave, waited, used in (([5, 5, 5, 5], 0, 1), ([8, 0, 0, 0], 3 / 4, 0)):
    assert 1 - sum(wave) / 4 / max(wave) == waited
    assert reference.utilization(wave) == used

# %% [markdown]
# ## Move the sliders
#
# In the picture below orange is waiting, the rest is work, from the first cycle at the bottom to the last; the dashed line is where all would end if the work were shared equally. (Energy, in nJ or E_dyn, has a notebook of its own, [What waiting costs](08_what_waiting_costs.ipynb).) The [[strategy]] *u-Ticket* gives every PE the mean load of its wave, rounded up; *sort* touches no weight at all. Try, in this order:
#
# 1. **pruning round** from 0 to 14. When does the orange appear, and when does it fill more than half?
# 2. At round 14, **number of PEs** from 16 to 2, then to 64. Which wastes least, which is fastest?
# 3. Back to 16, **strategy** u-Ticket. What happens to the orange, to *latency* and to *work*?
# 4. **strategy** sort. What stays exactly as it was?

# %%
explore.workload()

# %% tags=["claims"]
rounds = [ut.simulate(ut.load_ticket("digits-lth", round=k), pes) for k in range(15)]
waited = [report.idle / (report.idle + report.work) for report in rounds]
assert waited[0] == 0 < 0.05 < waited[1], "from the first round on"
assert waited[12] < 0.5 < waited[13], "in the last two"
conv4 = [report.layers.loc["conv4", ["idle", "work"]] for report in rounds]
waited = [layer["idle"] / layer.sum() for layer in conv4]
assert waited[0] == 0 < waited[1], "in the layer shown, too"
assert waited[12] < 0.5 < waited[13]

by_size = pd.DataFrame(
    {
        n: {
            "utilization": report.utilization,
            "waiting": report.idle / (report.idle + report.work),
            "latency": report.latency,
        }
        for n in (2, 16, 64)
        for report in [ut.simulate(pruned, ut.Accelerator(n_pe=n))]
    }
)
assert by_size.loc["utilization"].is_monotonic_decreasing, "two waste least"
assert by_size.loc["waiting"].is_monotonic_increasing, "by the share that waits, too"
assert by_size.loc["latency"].is_monotonic_decreasing, "64 are fastest"

table = ut.compare(pruned, pes, ["none", "sort", "uticket"])
latency, utilization = table["latency"], table["utilization"]
assert utilization["uticket"] == 1
assert latency["uticket"] < latency["sort"] < latency["none"]
assert table.loc["sort", "work"] == table.loc["none", "work"]
assert 1.2 < table.loc["uticket", "work"] / table.loc["none", "work"] < 1.22
table[["utilization", "latency", "work", "idle"]].round(3)

# %% [markdown]
# 1: from the first round on; more than half in the last two, in the layer shown and in the whole network. 2: two PEs waste least, 64 are fastest. 3: it is gone, and latency falls, though work rises by a fifth: each mean is rounded up. 4: the work, and every weight.
#
# The array that wastes least is not the fastest: utilization and latency are two things. Quote both.
#
# ## What you guessed

# %%
look_back("faster")

# %% [markdown]
# ## What to remember
#
# * Parallel PEs wait for the slowest one: work is not latency.
# * Eq. 2 is not mean/max: it is 0 if one PE does everything. Its scale depends on n: to compare arrays of different size, compare the share of PE-cycles that wait.
# * The array that wastes least need not be the fastest: quote latency beside utilization.
#
# **An open question.** The work is the same on 2 and on 64 PEs. Why does the larger array wait so much more?
#
# The method of this course is from Yin et al., *Workload-Balanced Pruning for Sparse Spiking Neural Networks* ([arXiv 2302.06746](https://arxiv.org/abs/2302.06746)); equations and algorithms keep its numbers.
