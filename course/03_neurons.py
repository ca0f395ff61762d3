# %% [markdown]
# # Neurons that spike
#
# The networks of this course speak in [[spike|spikes]]: 0 or 1, in each of T [[timestep|timesteps]]. That is why a PE only ever *adds* weights (except in the first layer, which sees the image itself and is not counted); the neuron itself still decays, compares and resets in every timestep. How does a neuron decide?
#
# **Afterwards you can** write one step of a leaky integrate-and-fire neuron that equals a well-known library's · say when its reset acts · say why sparsity of spikes saves energy \
# **You need** [Sparse is not fast](00_start_here.ipynb) \
# **Time** 25 minutes: 15 writing, 10 reading

# %%
import numpy as np
import pandas as pd
import snntorch
import torch

from uticket_lite.teach import check, look_back, predict, reveal
from uticket_lite.training import FusedLeaky

# %% [markdown]
# ## A leaky membrane
#
# A [[LIF neuron]] has one number, its [[membrane]] v. In every timestep a share β of v is kept, the input current x is added (the sum of the weights whose inputs spiked, and a constant of the filter, which batch normalization leaves), and if v is then *above* the threshold ϑ, the neuron sends a spike and starts again from 0. The paper has β = 0.25 (β = 1 − 1/τ with its τ = 4/3 timesteps) and ϑ = 1.
#
# That leaves one thing open: *when* it starts again. That is a convention, and libraries differ; guess that of the usual one, snnTorch, with its reset `zero` (its default takes ϑ away instead).

# %%
predict(
    "membrane",
    "β = 0.25, ϑ = 1, and the current is 0.9 in each timestep. In step 1 v is 0.9; in step 2 the "
    "neuron spikes. Which v does snnTorch, with reset `zero`, give at the end of step 2?",
    low=-10,
    high=10,
)

# %%
current = torch.full((8, 1), 0.9)
spikes, membranes = FusedLeaky(beta=0.25, threshold=1.0).with_membranes(current)
reveal(
    "membrane",
    round(float(membranes[1, 0]), 4),
    leads_to={
        0: "That is another convention, as good as this: snnTorch starts again one step later, so that the membrane that spiked is still seen.",
        0.125: "Taking ϑ away is another kind of reset, snnTorch's default; here v starts from 0, and both act one step later.",
        0.9: "That is the current alone: a quarter of step 1's membrane is still there.",
        1.8: "A quarter of the membrane is kept, not all of it.",
        "above": "A quarter of the membrane is kept, and one current is added.",
        "below": "A quarter of the membrane is kept, the current is added, and the reset comes later.",
    },
)

# %%
pd.DataFrame(
    {"membrane": membranes[:, 0].tolist(), "spike": spikes[:, 0].tolist()},
    index=pd.RangeIndex(1, 9, name="timestep"),
).round(4).T

# %% tags=["claims"]
assert membranes[:3, 0].tolist() == [np.float32(0.9), np.float32(1.125), np.float32(0.9)]
assert spikes[:3, 0].tolist() == [0, 1, 0]
at_once, fired = 0.0, []
for x in current[:, 0].tolist():
    at_once = 0.25 * at_once + x
    fired.append(float(at_once > 1))
    at_once = 0 if fired[-1] else at_once
assert fired == spikes[:, 0].tolist(), "the same spikes"
assert (0.25 * 0.9 + 0.9, 0.25 * 0.9 + 0.9 - 1, 0.9 + 0.9) == (1.125, 0.125, 1.8)

# %% [markdown]
# By this convention the reset acts one step after the spike. In full, in timestep t:
#
# 1. if the neuron spiked in step t − 1, v starts again from 0;
# 2. a share β of v is kept, and the current is added: v ← β·v + x;
# 3. it spikes if v is above ϑ.
#
# With a reset at once spikes are the same, and so is what a network learns from them. For training goes backward, and a spike, 0 or 1, has no useful slope: it takes that of a smooth function of v − ϑ instead (a *surrogate gradient*), and the v that is compared with ϑ is the same in both. Only what is left to read after a spike differs.
#
# So why care? Some networks read membranes as their output. And where a reset takes ϑ away instead, even the spikes differ: one step later that is β·v − ϑ, at once β·(v − ϑ).


# %% tags=["claims"]
def run_of(inputs, reset, delayed):
    """Spikes (T, neurons) and the gradient of their weighted sum by the inputs."""
    inputs = inputs.clone().requires_grad_()
    slope = snntorch.surrogate.fast_sigmoid()
    v, spiked, fired = torch.zeros(inputs.shape[1]), torch.zeros(inputs.shape[1]), []
    for x in inputs:
        if delayed:
            v = 0.25 * v * (1 - spiked) + x if reset == "zero" else 0.25 * v + x - spiked
        else:
            v = 0.25 * v + x
        spiked = slope(v - 1)
        fired.append(spiked)
        if not delayed:
            v = v * (1 - spiked) if reset == "zero" else v - spiked
    fired = torch.stack(fired)
    (fired * torch.linspace(1, 2, fired.numel()).reshape(fired.shape)).sum().backward()
    return fired.detach(), inputs.grad


random = 1.5 * torch.randn(20, 200, generator=torch.Generator().manual_seed(1))
(late, late_slopes), (once, once_slopes) = (run_of(random, "zero", d) for d in (True, False))
assert torch.equal(late, once)
assert late_slopes.abs().max() > 0.1
assert torch.allclose(late_slopes, once_slopes, atol=1e-6)
late, once = (run_of(random, "subtract", d)[0] for d in (True, False))
assert (late != once).float().mean() > 0.01

# %% [markdown]
# ## Write it
#
# For many neurons at once: `membrane`, `current` are arrays of numbers, `spiked` of True and False: who spiked in the step before. Return the new membranes and who spikes now. `np.where(spiked, 0, membrane)` takes 0 where spiked is true.


# %%
def lif_step(membrane, spiked, current, beta, threshold):
    """The membranes after one timestep, and who spikes."""
    ### BEGIN SOLUTION
    membrane = np.where(spiked, 0, membrane)
    membrane = beta * membrane + current
    return membrane, membrane > threshold
    ### END SOLUTION


verdict = check(lif_step)
verdict

# %% [markdown]
# ## Against the library
#
# snnTorch is the usual library for spiking networks. The next cell steps its `Leaky`, and yours as soon as your check is passed, through random currents, beside the neuron that this project trains with.

# %%
currents = 1.5 * torch.randn(20, 1000, generator=torch.Generator().manual_seed(0))
leaky, theirs = snntorch.Leaky(0.25, reset_mechanism="zero"), []
state = leaky.reset_mem()
mine, membrane, spiked = [], np.zeros(1000, np.float32), np.zeros(1000, bool)
for current in currents:
    spike, state = leaky(current, state)
    theirs.append(spike)
    if verdict:
        membrane, spiked = lif_step(membrane, spiked, current.numpy(), 0.25, 1.0)
        mine.append(spiked)
ours, theirs = FusedLeaky(0.25)(currents), torch.stack(theirs)
print(f"{int(ours.sum()):,} spikes; this project's: {int((ours != theirs).sum())} differ")
yours = f"{np.sum(np.array(mine) != theirs.numpy())} differ" if verdict else "check not passed yet"
print(f"yours: {yours}")

# %% tags=["claims"]
assert torch.equal(ours, theirs)
usual = snntorch.Leaky(0.25)
state = usual.reset_mem()
for _ in range(3):
    _, state = usual(torch.tensor([0.9]), state)
assert abs(float(state[0]) - (0.25 * 1.125 + 0.9 - 1)) < 1e-6, "by default: minus ϑ, a step later"

# %% [markdown]
# ## Why it matters
#
# A layer's input is 0 most of the time. Where no spike arrives, a PE has nothing to add: no multiplication, no addition. (A neuron may spike even so, if its constant is large: in the digits network 5 of the 32 filters of conv2 do, with no input at all.) The paper's PE still spends a cycle on that weight, and its [[leakage]], but no [[dynamic energy]]; one that skips the cycle comes in [Spikes bring it back](07_spikes.ipynb). The share of inputs without a spike is the [[spike sparsity]] s. In the paper's networks s is .60 to .86; [What waiting costs](08_what_waiting_costs.ipynb) counts the energy.

# %% tags=["claims"]
from uticket_lite.paper.published import paper_table

published = paper_table()["spike_sparsity"].to_numpy()
assert (published.min().round(), published.max().round()) == (60, 86)
from uticket_lite.training import load_network

conv2 = load_network("digits-lth").eval().blocks[1]
with torch.no_grad():
    constant = conv2.norm(conv2.conv(torch.zeros(4, 32, 8, 8)))
    spiking = conv2.neuron(constant.unsqueeze(1))  # (T, 1, filters, 8, 8)
assert spiking.shape == (4, 1, 32, 8, 8)
assert int((spiking.sum((0, 1, 3, 4)) > 0).sum()) == 5

# %% [markdown]
# ## What you guessed

# %%
look_back("membrane")

# %% [markdown]
# ## What to remember
#
# * Keep a share β, add the current, spike above ϑ; who spiked starts again from 0 *one step later*.
# * A spike is 0 or 1: from the second layer on, PEs add weights, they do not multiply them.
# * No spike, no addition: spike sparsity saves energy.
#
# **An open question.** The authors' released neuron decays its input too: v ← 0.25·v + 0.75·x. With ϑ = 1 for it, which threshold must *our* neuron have to spike at the same times for the same x?
