# %% [markdown]
# # A simulator in twenty lines
#
# Loads, latency and utilization are three small functions. Write them, and you own the simulator on which the rest of this course stands. Then a question: do PEs wait if weights are pruned *at random*, so that no filter is special?
#
# **Afterwards you can** write loads, latency and Eq. 2 · say when a larger array is faster · say why waiting grows as tickets get sparser, though luck treats all filters alike · tell luck from structure \
# **You need** [Sparse is not fast](00_start_here.ipynb) \
# **Time** 45 minutes: 20 writing, 25 reading and trying

# %%
import numpy as np
import pandas as pd

import uticket_lite as ut
from uticket_lite import explore, reference
from uticket_lite.teach import check, look_back, predict, reveal

# %% [markdown]
# ## Loads
#
# `counts`, an array, are the non-zeros of a layer's filters in their order; n PEs take them [[wave]] by wave. Return one row per wave and one column per PE; when filters run out, the PEs left over have load 0.


# %%
def loads(counts, n):
    """Loads of n PEs, an array (waves, n)."""
    ### BEGIN SOLUTION
    waves = -(-len(counts) // n)
    padded = np.zeros(waves * n, int)
    padded[: len(counts)] = counts
    return padded.reshape(waves, n)
    ### END SOLUTION


loads_verdict = check(loads)
loads_verdict

# %% [markdown]
# ## Latency
#
# `loads` is what the function above gives, an array (waves, n). A wave (a row) ends when its slowest PE is done.


# %%
def latency(loads):
    """Cycles until the last wave is done."""
    ### BEGIN SOLUTION
    return sum(max(wave) for wave in loads)
    ### END SOLUTION


latency_verdict = check(latency)
latency_verdict

# %% [markdown]
# ## Utilization
#
# Eq. 2 for the n loads of one wave, an array, M the largest, A the mean: u = 1 − (M − A)/M · n/(n − 1). One PE alone never waits: u = 1. (Without a non-zero, M = 0, Eq. 2 says nothing; such waves are left out.)
#
# A layer's utilization is the mean over its waves, a network's the mean over its layers, weighted by how many weights they have, pruned ones included. A layer in which nothing is left counts as 1: nobody waits in it.


# %%
def utilization(wave):
    """Eq. 2 for one wave."""
    ### BEGIN SOLUTION
    n, largest, mean = len(wave), max(wave), sum(wave) / len(wave)
    return 1.0 if n == 1 else 1 - (largest - mean) / largest * n / (n - 1)
    ### END SOLUTION


utilization_verdict = check(utilization)
utilization_verdict

# %% [markdown]
# Your simulator, on a layer of the pruned digits network, beside the package's:

# %%
pruned = ut.load_ticket("digits-lth", round=14)
layer = pruned.layers["conv2"]
if loads_verdict and latency_verdict and utilization_verdict:
    shared = loads(layer.counts, 16)
    cycles = latency(shared) * layer.positions * pruned.timesteps
    used = np.mean([utilization(wave) for wave in shared])
    print(f"yours: {cycles:,} cycles, utilization {used:.1%}")
else:
    print("Yours runs here as soon as all three checks pass.")
theirs = ut.simulate(pruned, ut.Accelerator(n_pe=16)).layers.loc["conv2"]
print(f"uticket_lite: {theirs['latency']:,} cycles, utilization {theirs['utilization']:.1%}")

# %% [markdown]
# ## Numbers that do not divide
#
# Take 32 filters with 10 non-zeros each: nothing could be more even. On 16 PEs they make 2 waves and take 20 cycles. On 31 PEs they also make 2 waves and take 20 cycles; in the second, one PE works and 30 wait. A larger array is faster only where it saves a wave.
#
# Slices of filters need not divide either: the other [[mapping]], `input-channel`, takes one filter at a time, a wave, and gives each PE a slice of its input channels, ⌈C/n⌉ of them. Of 32 channels on 20 PEs, 16 PEs hold 2 each, and 4 hold none. (The course keeps to whole filters.)

# %% tags=["claims"]
even = np.ones((32, 10), bool)
for n, last in ((16, [10] * 16), (31, [10] + [0] * 30)):
    rows = reference.loads(even, n)
    assert (len(rows), reference.latency(rows), rows[-1].tolist()) == (2, 20, last)
sliced = reference.loads(np.ones((1, 32, 1, 1), bool), 20, "input-channel")
assert sliced.tolist() == [[2] * 16 + [0] * 4]

# %% [markdown]
# ## Luck alone
#
# A layer of 512 filters with 4,608 weights each keeps 1.8 % of them, chosen *at random*: no filter is special. A filter keeps 83 on average. How much do eight of them differ? Draw, then run the next cell.

# %%
predict(
    "luck-loads",
    "Eight PEs hold a filter each; 83 of 4,608 weights are left on average, chosen at random. "
    "Draw the loads of the eight.",
    pes=8,
    high=160,
)

# %%
rng = np.random.default_rng(0)
counts = rng.binomial(4608, 0.018, 512)
reveal(
    "luck-loads",
    counts[:8].tolist(),
    leads_to={
        "flatter": "Chance does not deal evenly: a count of m varies by about √m, here 9.",
        "more uneven": "Filters differ less by chance alone: by about √m of m, here 9 of 83.",
    },
)

# %% [markdown]
# On 16 PEs, how well are they used?

# %%
predict(
    "luck",
    "Utilization of a layer whose weights were pruned at random to 98.2 %, on 16 PEs, in percent?",
    unit="%",
    low=0,
    high=100,
)

# %%
waves = counts.reshape(-1, 16)
means, maxima = waves.mean(axis=1), waves.max(axis=1)
by_luck = float(np.mean(1 - (maxima - means) / maxima * 16 / 15))
reveal(
    "luck",
    100 * by_luck,
    leads_to={
        "above": "Random is fair on average, but a wave waits for the unluckiest of its sixteen.",
        "below": "The loads differ less than that: most are within a few weights of the mean.",
    },
)

# %% [markdown]
# Nineteen of twenty loads are within two standard deviations of their mean. But a wave does not wait for a typical PE: it waits for the *largest of sixteen*. For loads with distribution function F that are independent,
#
# $$E[\max] = \sum_{k \ge 0} \bigl(1 - F(k)^n\bigr),$$
#
# because a count's mean is Σ P(count > k), and the largest is at most k only if all n are, which has probability F(k)ⁿ. The table below computes it: the fewer weights are left, the larger their spread *beside their mean*, because a count of m varies by about √m. That is why waiting grows as tickets get sparser.

# %% tags=["claims"]
from scipy.stats import binom

k = np.arange(4609)
expected = float((1 - binom.cdf(k, 4608, 0.018) ** 16).sum())
print(f"expected maximum {expected:.2f}, measured mean of the maxima {maxima.mean():.2f}")
assert round(expected, 2) == 99.25
assert abs(maxima.mean() - expected) < 3 * maxima.std() / np.sqrt(len(maxima))
assert round(4608 * 0.018) == 83
assert round(np.sqrt(83)) == round(counts.std()) == 9
assert 0.94 < (np.abs(counts - 83) <= 2 * 9).mean() < 0.97, "about nineteen of twenty"
assert 0.8 < by_luck < 0.86


# %%
def by_density(n_pe):
    """Mean and expected maximum of n loads, and Eq. 2 of the two, by density."""
    rows = []
    for density in (0.5, 0.25, 0.1, 0.05, 0.018, 0.005, 0.002):
        mean = 4608 * density
        slowest = float((1 - binom.cdf(k, 4608, density) ** n_pe).sum())
        used = 1 - (slowest - mean) / slowest * n_pe / (n_pe - 1)
        rows.append((f"{density:.1%}", mean, slowest, slowest / mean, used))
    columns = ["weights kept", "mean load", "expected maximum", "maximum / mean", "Eq. 2"]
    return pd.DataFrame(rows, columns=columns).round(3)


by_density(16)

# %% [markdown]
# More PEs wait for the unluckiest of more. The same with 64:

# %%
by_density(64)

# %% tags=["claims"]
assert by_density(16)["maximum / mean"].is_monotonic_increasing
assert (by_density(64)["Eq. 2"] < by_density(16)["Eq. 2"]).all(), "more PEs, more unlucky ones"

# %% [markdown]
# ## Structure
#
# A trained ticket is not random: training makes some filters matter more than others. `filter_cov` says by how much densities of filters differ (their standard deviation over their mean). With 0 only luck is left, in a whole VGG-16: a little less than for the layer above, because its first layers have smaller filters.

# %%
pes = ut.Accelerator(n_pe=16)
synthetic = pd.Series(
    {
        cov: ut.simulate(
            ut.synthetic_ticket("vgg16", 0.982, filter_cov=cov, seed=0), pes
        ).utilization
        for cov in (0.0, 0.15, 0.3, 0.6, 0.85)
    },
    name="utilization",
)
synthetic.round(2)

# %% tags=["claims"]
assert synthetic.is_monotonic_decreasing
assert abs(synthetic[0.3] - 0.59) < 0.02, "what the paper reports of its VGG-16"
assert abs(synthetic[0.85] - 0.31) < 0.03, "and of its ResNet-19"
alike = ut.simulate(ut.synthetic_ticket("vgg16", 0.982, filter_cov=0.0, seed=0), pes)
assert by_luck - 0.03 < synthetic[0.0] < by_luck, "a little less"
assert (alike.layers["utilization"].iloc[:7] < by_luck).all(), "because of the first layers"

# %% [markdown]
# Filters alone need .3 to come down to the paper's .59 of VGG-16, and .85 to its .31 of ResNet-19, *if* all layers keep the same share of their weights, as here. In trained tickets they do not, and that costs utilization too. So .3 and .85 are equivalents, not what the filters of those tickets differ by.
#
# Does a trained ticket lose more to luck or to structure? `ut.lost` splits what is missing to 1: `noise` is luck (all weights kept with one probability); structure is `layers`, which keep unlike shares (in a sparser layer filters hold fewer weights, and luck weighs more), and `filters` of a layer, which do too. The explorers tell the same three.

# %%
where = pd.Series(ut.lost(pruned, pes).to_dict())
where[["utilization", "noise", "layers", "filters"]].round(3)

# %% tags=["claims"]
assert where["noise"] > 0.8 * (1 - where["utilization"])
assert ut.lost(ut.load_ticket("vgg16-cifar10-lth"), pes).layers > 0.1, "unlike layers cost, too"
unlike = {
    name: nonzeros / layer.size
    for name, layer in pruned.layers.items()
    if name in pruned.counted and (nonzeros := layer.nonzeros)
}
assert max(unlike.values()) > 2 * min(unlike.values()), (
    "layers of a trained ticket keep unlike shares"
)
assert max(layer.counts.mean() for layer in map(pruned.layers.get, pruned.counted)) < 10

# %% [markdown]
# On the digits most of it is chance: a filter has but a few weights left. In wider networks layers and filters take more ([The paper, beside ours](10_the_paper.ipynb)).
#
# A mean over a network does not show *who* waits. Watch it wave by wave: press ▶. The strategy `queue` hands the next filter to the PE that is free first, so that PEs wait only at the end of the layer.

# %%
explore.timeline()

# %% [markdown]
# ## What you guessed

# %%
look_back("luck-loads", "luck")

# %% [markdown]
# ## What to remember
#
# * Three functions make the simulator: loads, latency, Eq. 2.
# * A wave waits for the largest of n loads. Even pure luck costs utilization, and more so the fewer weights are left.
# * Structure comes on top: where filters differ more than luck makes them, PEs wait more.
#
# **An open question.** With 64 PEs the expected maximum is higher than with 16, but each wave holds four times as many filters. Which array is faster, and by how much less than four times?
