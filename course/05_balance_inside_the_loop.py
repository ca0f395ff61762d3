# %% [markdown]
# # Balance inside the loop
#
# Algorithm 1 drops weights that training had chosen, and regrows ones that it had thrown away. Does a network still know what it knew? And does it matter *when* one balances?
#
# **Afterwards you can** put your own Algorithm 1 into the lottery · tell one-shot balancing from balancing in the loop · compare methods at equal sparsity \
# **You need** [Algorithm 1](02_algorithm_1.ipynb), [Win the lottery, live](04_win_the_lottery.ipynb) \
# **Time** 35 minutes: 20 reading, 10 writing, 1–2 of training

# %%
import numpy as np
import pandas as pd

import uticket_lite as ut
from uticket_lite import explore
from uticket_lite.teach import (
    LiveRounds,
    accuracy_with,
    check,
    look_back,
    own_balance,
    predict,
    reveal,
)
from uticket_lite.training import Settings, find_tickets

pes = ut.Accelerator(n_pe=16)

# %% [markdown]
# ## One shot
#
# Take the finished network (93.6 % of the digits right), balance its ticket with [[Algorithm 1]], set dropped weights to zero. Regrown ones have no trained value: they are zero too.

# %%
predict(
    "one-shot",
    "How many percent of the digits does the network read right after balancing, without any "
    "further training?",
    unit="%",
    low=0,
    high=100,
)

# %%
ticket = ut.load_ticket("digits-lth", round=14)
balanced = ut.balance(ticket, pes, "uticket", seed=0)
before, after = (100 * accuracy_with("digits-lth", t) for t in (ticket, balanced))
reveal(
    "one-shot",
    after,
    leads_to={
        before: "Dropped weights were ones that training had kept, the last 2 % of all.",
        10: "That would be guessing; some of what it knew is left.",
    },
)

# %% tags=["claims"]
assert round(before, 1) == 93.6
assert after < before - 20

# %% [markdown]
# ## In the loop
#
# So balance *inside* the loop: train, prune, **balance**, rewind. The network then trains with the balanced mask and adapts; rewinding gives a regrown weight its early value. Write Algorithm 1 once more (or copy it from [there](02_algorithm_1.ipynb)): it will balance every round of the training below.


# %%
def balance(mask, n, rng):
    """A copy of the mask (K, weights) in which all PEs of a wave are equally loaded."""
    ### BEGIN SOLUTION
    out = mask.copy()
    for first in range(0, len(mask), n):
        a = int(np.ceil(mask[first : first + n].sum(axis=1).mean()))
        for one in out[first : first + n]:
            load = one.sum()
            if load > a:
                one[rng.choice(np.flatnonzero(one), load - a, replace=False)] = False
            else:
                one[rng.choice(np.flatnonzero(~one), a - load, replace=False)] = True
    return out
    ### END SOLUTION


verdict = check(balance)
verdict

# %%
mine = own_balance(balance) if verdict else ut.STRATEGIES["uticket"]  # until yours is right
live = LiveRounds()
display(live.chart)
settings = Settings(rounds=5, prune=0.5, epochs=3, rewind_epoch=1)
plain = find_tickets(settings, progress=False, after_round=live.follow("pruned only"))
level = find_tickets(
    settings, progress=False, strategy=mine, after_round=live.follow("balanced in the loop")
)

# %% tags=["claims"]
assert (level.history["utilization"] > 0.999).all()
assert plain.history["utilization"].iloc[-1] < 0.9

# %% [markdown]
# ## At equal sparsity
#
# Round for round, u-Ticket's tickets are denser, and more so each round: every mean is rounded *up*, and the next round prunes the balanced mask. With loads of a few weights, as here, that adds up. To compare fairly, put beside each of its rounds the LTH ticket that is pruned equally far: here, by drawing a line between the two nearest rounds of LTH (means of five recorded seeds).

# %%
lth, uticket = (
    ut.load_seeds(f"digits-{method}").groupby("round")[["sparsity", "accuracy", "latency"]].mean()
    for method in ("lth", "uticket")
)
equal = pd.DataFrame({"weights pruned": uticket["sparsity"]})
for figure in ("accuracy", "latency"):
    equal[f"{figure}, LTH"] = np.interp(uticket["sparsity"], lth["sparsity"], lth[figure])
    equal[f"{figure}, u-Ticket"] = uticket[figure]
equal.iloc[8:].style.format("{:.1%}", subset=[c for c in equal if "latency" not in c]).format(
    "{:.0f}", subset=[c for c in equal if "latency" in c]
)

# %% tags=["claims"]
denser = ut.simulate(ut.load_ticket("digits-uticket"), pes).work / ut.simulate(ticket, pes).work
lost = equal["accuracy, LTH"] - equal["accuracy, u-Ticket"]
print(
    f"u-Ticket's last ticket has {denser:.2f} times the work; accuracy lost at most {lost.max():.1%}"
)
assert (uticket["sparsity"].iloc[1:] < lth["sparsity"].iloc[1:]).all(), "denser, round for round"
assert (equal["latency, u-Ticket"].iloc[1:] < equal["latency, LTH"].iloc[1:]).all(), "and quicker"
one_shot = ut.simulate(balanced, pes).latency
trained = ut.load_ticket("digits-uticket")
assert one_shot < ut.simulate(trained, pes).latency
assert balanced.sparsity > trained.sparsity, "because its ticket is sparser"
assert denser > 1.2, "means are rounded up, round after round"
left = (1 - uticket["sparsity"]) / (1 - lth["sparsity"])
assert left.is_monotonic_increasing, "more so each round"
assert 40 < after < 60, "about half"

# %% [markdown]
# One-shot balancing has fewer cycles than the trained u-Ticket, because its ticket is sparser; but it reads only about half of the digits. Latency alone says nothing without accuracy, and neither without sparsity.

# %%
explore.rounds(("digits-lth", "digits-uticket"))

# %% [markdown]
# ## What you guessed

# %%
look_back("one-shot")

# %% [markdown]
# ## What to remember
#
# * Balancing needs training after it: the network must adapt to its mask. (Whether every round must be balanced, or only the last, this notebook does not show.)
# * Methods are compared at equal sparsity, with accuracy beside latency.
# * Rounding means up makes u-Ticket's tickets denser than plain ones of the same round.
#
# **An open question.** Must *every* round be balanced? What if only the last one is, and then trained?
