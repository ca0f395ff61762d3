# %% [markdown]
# # Sparse is not fast
#
# A spiking network is pruned until about 98 % of its weights are gone. Sixteen [[PE|processing elements (PEs)]] share what is left. Does the time shrink as much as the work?
#
# **Afterwards you can** say why PEs wait · compute the loads of a small array and Eq. 2 by hand · tell work, latency and utilization apart \
# **You need** Python, and what a convolution is \
# **Time** 30 minutes: 10 reading, 10 by hand, 10 with sliders
#
# Run the cells from top to bottom (Shift + Enter). All controls work with the keyboard: Tab moves between them, the arrow keys move them. A folded cell (•••) asks, answers, or checks what the text says: run it like the others. You may skip any question; guesses are kept in a file beside this notebook and go nowhere else.

# %%
import uticket_lite as ut
from uticket_lite import explore
from uticket_lite.teach import check, look_back, predict, reveal

dense = ut.load_ticket("digits-lth", round=0)
pruned = ut.load_ticket("digits-lth", round=14)
pes = ut.Accelerator(n_pe=16)
pruned

# %% [markdown]
# ## A ticket, and what it costs
#
# The two [[ticket|tickets]] come from a real training run: a small spiking network learned handwritten digits, and after every training round the smallest quarter of its weights was pruned. A ticket is what is left: for each layer a [[mask]] that says which weights are not zero. Of all weights 98.2 % are gone ([[sparsity]]); of the three convolutions that the PEs share, the [[counted layers]], 99.6 %.
#
# A convolution has K [[filter|filters]]; each is applied at every output [[position]], in every [[timestep]]. A non-zero weight keeps a PE busy for one cycle per position and timestep. [[work|Work]] is the number of cycles that all PEs together are busy. [[latency|Latency]] is the number of cycles until the slowest PE is done, added up over the network.

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
    },
)

# %% tags=["claims"]
print(f"{less:.0f} × less work, {faster:.0f} × faster; utilization {after.utilization:.0%}")
assert 165 < less < 175
assert faster < less / 2, "less than half of the saved work becomes saved time"

# %% [markdown]
# Less than half of the saved work became saved time. Why?
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
# (M − A)/M is the share of cycles that PEs wait. It can be at most (n − 1)/n, because the slowest PE never waits; the second factor stretches the scale. So [[utilization]] is 1 if all loads are equal, and 0 if one PE does everything.
#
# What is u for loads 10, 6, 4, 4? Two decimals are enough.

# %% tags=["claims"]
shared = [[7, 2, 5, 3], [1, 6, 4, 0]]
assert sum(map(max, shared)) == 13
assert sum(map(sum, shared)) == 28 == 4 * 7

# %%
my_utilization = (
    ### BEGIN SOLUTION
    0.47
    ### END SOLUTION
)
check(my_utilization, "eq2_by_hand")

# %% [markdown]
# ## Move the sliders
#
# Orange is waiting, the rest is work, from the first cycle at the bottom to the last; the dashed line is where all would end if every PE had as much work.

# %%
workload = explore.workload()
workload

# %%
predict(
    "gamed",
    "The strategy 'regrow only' fills every PE of a wave up to the slowest one's load. "
    "What happens to utilization and latency?",
    choices=(
        "utilization rises, latency falls",
        "utilization rises, latency stays",
        "utilization stays, latency falls",
    ),
)

# %%
table = ut.compare(pruned, pes)
latency, utilization = table["latency"], table["utilization"]
stays = latency["regrow-only"] == latency["none"]
reveal(
    "gamed",
    f"utilization rises, latency {'stays' if stays else 'falls'}",
    leads_to={
        "utilization rises, latency falls": "Nobody waits any more, but the slowest PE is as slow as before.",
        "utilization stays, latency falls": "All loads of a wave become equal: what does Eq. 2 say then?",
    },
)

# %% [markdown]
# Try these in the explorer above, in this order:
#
# 1. Move **pruning round** from 0 to 14. When does the orange appear?
# 2. At round 14, move **number of PEs** from 16 to 2, then to 64. Which array wastes least, and which is fastest?
# 3. Choose the [[strategy]] **u-Ticket**: every PE gets the mean load of its wave. What happens to the orange, and to *latency*?
# 4. Choose **regrow only**, then **sort**, which touches no weight at all.

# %% tags=["claims"]
assert utilization["regrow-only"] == utilization["uticket"] == 1
assert latency["regrow-only"] == latency["none"]
assert latency["uticket"] < latency["none"]
assert latency["sort"] < latency["none"]
table[["changes", "utilization", "latency", "work", "idle"]].round(3)

# %% [markdown]
# **Utilization alone can be gamed**: useless weights fill the waiting time. Look at latency too.
#
# ## What you guessed

# %%
look_back("faster", "gamed")

# %% [markdown]
# ## What to remember
#
# * Parallel PEs wait for the slowest one: work is not latency.
# * Eq. 2 is not mean/max: it is 0 if one PE does everything.
# * A measure that can be gamed needs a second one beside it.
#
# **An open question.** On 2 PEs, how large must one of two filters be before a third PE could help?
#
# The method of this course is from Yin et al., *Workload-Balanced Pruning for Sparse Spiking Neural Networks* ([arXiv 2302.06746](https://arxiv.org/abs/2302.06746)); equations and algorithms keep its numbers.
