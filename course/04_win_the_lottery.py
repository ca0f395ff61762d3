# %% [markdown]
# # Win the lottery, live
#
# Take a network's smallest weights away, train what is left from where it began, and again, until 98 % are gone. What can such a network still do? Here you prune, rewind, and watch.
#
# **Afterwards you can** prune exactly k weights · say what rewinding is and why it is done · read accuracy and utilization round by round \
# **You need** [A simulator in twenty lines](01_a_simulator.ipynb), [Neurons that spike](03_neurons.ipynb) \
# **Time** 35 minutes: 15 writing, 20 reading while 1–2 of training pass

# %%
import numpy as np

import uticket_lite as ut
from uticket_lite import explore
from uticket_lite.teach import LiveRounds, check, look_back, predict, reveal
from uticket_lite.training import Settings, find_tickets

# %% [markdown]
# ## The lottery
#
# The *lottery ticket hypothesis* (LTH, Frankle and Carbin 2019): a network contains a small part that, trained alone *from the weights it began with*, does as well. Later work goes back to *early* weights instead of the very first, and so do we. Such a part is a [[lottery ticket]]. To find one, play in [[round|rounds]]:
#
# 1. **train** the network;
# 2. **prune** the smallest quarter of the weights that are left, compared over all layers at once;
# 3. **rewind** the others to what they were early in the first round ([[rewinding]]);
# 4. repeat with what is left.
#
# After k rounds 0.75ᵏ of the weights are left: 1.8 % after 14.
#
# ## Prune
#
# Of the weights that are still alive (`mask` is True), prune exactly k = ⌊fraction · alive⌋: those with the smallest magnitude |w|. Of equal ones, the first.


# %%
def prune(weights, mask, fraction):
    """A copy of the mask with k fewer weights."""
    ### BEGIN SOLUTION
    alive = np.flatnonzero(mask)
    k = int(fraction * alive.size)
    smallest = np.argsort(np.abs(weights[alive]), kind="stable")[:k]
    pruned = mask.copy()
    pruned[alive[smallest]] = False
    return pruned
    ### END SOLUTION


check(prune)

# %% [markdown]
# ## Rewind
#
# Why go back? The hypothesis is about the *early* weights: this part of the network learns well because of the values it had then. Training on from the end, or from new random values, tests something else. Why not to the very first? In larger networks tickets that go back to those fail (Frankle and others 2020 found so; this course does not show it). The open question at the end lets you try both.
#
# `trained` are the weights at the end of the round, `early` those from early in the first round, `mask` what is left. With which weights does the next round start?


# %%
def rewind(trained, early, mask):
    """The weights with which the next round starts."""
    ### BEGIN SOLUTION
    return np.where(mask, early, 0.0)
    ### END SOLUTION


check(rewind)

# %%
predict(
    "accuracy",
    "The dense network reads 98.9 % of the digits right. How many percent does it read right "
    "when 95 % of its weights are gone?",
    unit="%",
    low=0,
    high=100,
)

# %% [markdown]
# ## Live
#
# The cell below trains the digits network and prunes half of what is left after each round (with a quarter, as above, it takes 2.4 times as many rounds). The chart grows as rounds finish; stop it with *Interrupt the kernel* whenever you like, and finished rounds stay. (It is one run, read on 360 digits: a dip of two points may be luck. Its latency is that of one output position and one timestep: `simulate` and the explorers multiply each layer's by its positions and the timesteps.)

# %%
live = LiveRounds()
display(live.chart)
settings = Settings(rounds=6, prune=0.5, epochs=3, rewind_epoch=1)
run = find_tickets(settings, progress=False, after_round=live.follow("LTH"))
names = {"latency": "latency (cycles per position and timestep)"}
table = run.history.reindex(columns=["sparsity", "accuracy", "utilization", "latency"])
table.rename(columns=names).round(3)

# %%
recorded = ut.load_seeds("digits-lth")
at_95 = recorded.iloc[(recorded["sparsity"] - 0.95).abs().argsort()[: recorded["seed"].nunique()]]
reveal(
    "accuracy",
    100 * at_95["accuracy"].mean(),
    leads_to={
        5: "Accuracy does not fall with the number of weights: most of them were not needed.",
        50: "Most weights were not needed; the ones that are left were trained again.",
        10: "That would be guessing.",
        "below": "Most weights were not needed; the ones that are left were trained again.",
    },
)

# %% tags=["claims"]
dense = recorded[recorded["round"] == 0]
assert (
    round(
        100 * recorded.loc[(recorded["seed"] == 0) & (recorded["round"] == 0), "accuracy"].iloc[0],
        1,
    )
    == 98.9
)
assert at_95["accuracy"].mean() > 0.97
assert dense["accuracy"].mean() - at_95["accuracy"].mean() < 0.02
took = ut.load_history("digits-lth")["seconds"]
assert (round(took.min()), round(took.max())) == (4, 6)
assert round(100 * 0.75**14, 1) == 1.8
assert round(np.log(0.5) / np.log(0.75), 1) == 2.4
falling = recorded.groupby("round")["utilization"].mean()
read = dense["accuracy"].mean()
assert round(100 * 1.96 * np.sqrt(2 * read * (1 - read) / 360)) == 2, "between two rounds"
assert falling.is_monotonic_decreasing, "all along"
if len(run.history) > 1:  # else it was interrupted
    assert run.history["utilization"].iloc[-1] < run.history["utilization"].iloc[0]

# %% [markdown]
# The lottery recorded at full length, a quarter a round, with five seeds (bands from the lowest to the highest): accuracy stays within two points until 95 % of the weights are pruned; utilization has been falling all along.

# %%
explore.rounds("digits-lth")

# %% [markdown]
# ## What you guessed

# %%
look_back("accuracy")

# %% [markdown]
# ## What to remember
#
# * A round: train, prune the smallest of what is left, rewind to early weights.
# * Exactly k: a threshold prunes one too many, or all that are equal.
# * Accuracy holds long after utilization has begun to fall.
#
# **An open question.** What happens to accuracy if the weights that are left restart from *new* random values, or from the very *first* ones, instead of early ones? `accuracy_trained_with(ut.load_ticket("digits-lth"), Settings(seed=10))` of `uticket_lite.teach` trains the last ticket in another network, for as long as a round (4 to 6 seconds where it was recorded, more on a busy machine); `Settings(rewind_epoch=0)` starts from the first weights, `Settings()` from early ones. Repeat what you find with other seeds.
