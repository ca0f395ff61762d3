# %% [markdown]
# # Lab: a network and a budget
#
# A customer brings a pruned network, a deadline and a piece of silicon. You choose the array and the strategy, and argue for it. Graded: 20 points.
#
# **Afterwards you can** turn a budget into a search · weigh latency, energy, area and retraining against each other · defend a design \
# **You need** [Ways to balance, and yours](06_ways_to_balance.ipynb), [What waiting costs](08_what_waiting_costs.ipynb) \
# **Time** 90 minutes: 30 for the functions, 20 for the design, 40 for the argument
#
# Save the notebook and hand it in as it is, where your lecturer says. Points are given by tests that you do not see, with other networks and budgets; under each function stands what it should give for the customer. Change what stands inside `cost` and `best`, and the text of your argument; nothing else is graded. `ut.STRATEGIES[name].changes` says what a strategy changes; seeds stay at their defaults. The customer's ticket holds convolutions only; the recorded one of the same network has its classifier, too.

# %%
import uticket_lite as ut

customers_ticket = ut.synthetic_ticket("digits", sparsity=0.97, filter_cov=0.5, seed=7)
SIZES = (2, 4, 8, 16, 32)
OFFER = ("none", "sort", "lpt", "fifo-d", "uticket", "row-balanced")
customers_ticket

# %% [markdown]
# ## What a design costs
#
# A design is a number of PEs and the name of a strategy. Its **area** is counted in PEs: n, and 18 % more if the strategy changes *hardware* (queues in every PE, the paper's Fig. 1); orders and schedules take none here. Its **latency** (cycles) is that of `ut.simulate`. Its **energy** follows from the report's `work` and `idle` by Eq. 3, with spike sparsity s = 0.85, in E_dyn. Write `cost`: 6 points.


# %% nbgrader={"grade": false, "grade_id": "cost-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cost(ticket, n_pe, strategy, r=0.21):
    """A dictionary with latency, energy (s = 0.85) and area of a design."""
    ### BEGIN SOLUTION
    report = ut.simulate(ticket, ut.Accelerator(n_pe), strategy)
    queues = 1.18 if ut.STRATEGIES[strategy].changes == "hardware" else 1
    energy = ut.pe_energy(report.work, report.idle, 0.85, leak_ratio=r)
    return {"latency": report.latency, "energy": energy, "area": n_pe * queues}
    ### END SOLUTION


# 45,440 cycles, energy 103,190.4, area 8; and 19,328 cycles, energy 91,793.3, area 18.88
[cost(customers_ticket, 8, "none"), cost(customers_ticket, 16, "fifo-d")]

# %% tags=["claims"]
import math

for n, name, latency, spent in ((8, "none", 45_440, 103_190.4), (16, "fifo-d", 19_328, 91_793.3)):
    ran = ut.simulate(customers_ticket, ut.Accelerator(n), name)
    assert ran.latency == latency
    assert round(ut.pe_energy(ran.work, ran.idle, 0.85, leak_ratio=0.21), 1) == spent
from uticket_lite.hardware.energy import E_DYN

assert round(math.log10(5 * 10 / (E_DYN * 1e-12))) == 14, "5 s at 10 W, in E_dyn"
recorded = ut.load_ticket("digits-lth").layers
assert len(set(recorded) - set(customers_ticket.layers)) == 1, "the classifier"
assert len(recorded) == len(customers_ticket.layers) + 1

# %% nbgrader={"grade": true, "grade_id": "cost-latency-and-area", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Graded: latency and area of other designs.
### BEGIN HIDDEN TESTS
for seed, n, strategy in ((1, 4, "none"), (2, 16, "fifo-d"), (3, 5, "lpt")):
    hidden = ut.synthetic_ticket("digits", sparsity=0.95, filter_cov=0.6, seed=seed)
    told = cost(hidden, n, strategy)
    assert told["latency"] == ut.simulate(hidden, ut.Accelerator(n), strategy).latency
    assert abs(told["area"] - n * (1.18 if strategy == "fifo-d" else 1)) < 1e-9
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "cost-energy", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Graded: energy of other designs.
### BEGIN HIDDEN TESTS
for seed, n, strategy in ((1, 4, "none"), (2, 16, "uticket"), (3, 5, "lpt")):
    hidden = ut.synthetic_ticket("digits", sparsity=0.95, filter_cov=0.6, seed=seed)
    ran = ut.simulate(hidden, ut.Accelerator(n), strategy)
    for r in (0.21, 0.005):
        wanted = ran.work * (0.15 + r) + ran.idle * r
        assert abs(cost(hidden, n, strategy, r)["energy"] - wanted) < 1e-6 * wanted
### END HIDDEN TESTS

# %% [markdown]
# ## The best within a budget
#
# Of all designs with n in `SIZES` and a strategy in `OFFER`: the one with the least energy whose latency is at most `deadline` and whose area is at most `area`. If `retrain` is false, the customer cannot train again: no strategy that changes the mask. `None` if nothing fits. Equal energies: the smaller area, then either. Write `best`: 8 points.


# %% nbgrader={"grade": false, "grade_id": "best-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def best(ticket, deadline, area, retrain, r=0.21):
    """(n_pe, strategy) of the best design, or None."""
    ### BEGIN SOLUTION
    fitting = []
    for n in SIZES:
        for name in OFFER:
            told = cost(ticket, n, name, r)
            allowed = retrain or ut.STRATEGIES[name].changes != "mask"
            if allowed and told["latency"] <= deadline and told["area"] <= area:
                fitting.append((told["energy"], told["area"], n, name))
    return min(fitting)[2:] if fitting else None
    ### END SOLUTION


best(customers_ticket, deadline=60_000, area=16, retrain=False)  # (4, "lpt")


# %% nbgrader={"grade": true, "grade_id": "best-fits", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Graded: other budgets, training again allowed.
### BEGIN HIDDEN TESTS
def wanted_cost(ticket, n, name):
    ran = ut.simulate(ticket, ut.Accelerator(n), name)
    more = 1.18 if ut.STRATEGIES[name].changes == "hardware" else 1
    return ran.work * 0.36 + ran.idle * 0.21, n * more, ran.latency


def least_energy(ticket, deadline, area, retrain):
    found = []
    for n in SIZES:
        for name in OFFER:
            energy, room, latency = wanted_cost(ticket, n, name)
            allowed = retrain or ut.STRATEGIES[name].changes != "mask"
            if allowed and latency <= deadline and room <= area:
                found.append(energy)
    return min(found, default=None)


def budgets(retrain):
    cases = (
        (1, "sort", 1.5, 16),
        (2, "sort", 3, 9),
        (3, "sort", 1.2, 32),
        (4, "sort", 0.01, 4),
        (5, "uticket", 1, 16),
    )
    for seed, like, longer, area in cases:
        hidden = ut.synthetic_ticket("digits", sparsity=0.96, filter_cov=0.7, seed=seed)
        deadline = longer * ut.simulate(hidden, ut.Accelerator(16), like).latency
        chosen, energy = (
            best(hidden, deadline, area, retrain),
            least_energy(hidden, deadline, area, retrain),
        )
        if energy is None:
            assert chosen is None
        else:
            told = wanted_cost(hidden, *chosen)
            assert abs(told[0] - energy) < 1e-6 * energy
            assert told[1] <= area
            assert told[2] <= deadline


budgets(retrain=True)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "best-without-training", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Graded: other budgets, no training again.
### BEGIN HIDDEN TESTS
budgets(retrain=False)
### END HIDDEN TESTS

# %% [markdown]
# ## Your argument
#
# Choose a design for the customer with a deadline of 15,000 cycles and an area of 16 PEs. Training again costs 10¹⁴ E_dyn, once (about what a round of five seconds takes at 10 W). In at most 200 words: which do you choose, and why? Say (a) what balancing costs here, who pays, and after how many images training again has paid, compared with the best design without it, (b) what changes if clocks are gated (r = 0.005), or if the deadline is 12,000 cycles, (c) which measure could be gamed and how you guarded against it. Accuracy is not measured here: say what you assume of it. 6 points: two for each, one for the claim and one for numbers that support it.

# %% [markdown] nbgrader={"grade": true, "grade_id": "argument", "locked": false, "points": 6, "schema_version": 3, "solution": true, "task": false}
# *An expected answer names a design that `best` gives, with its latency, energy and area: u-Ticket where the customer trains again and reads enough images to pay for it, LPT where not. It says that mask strategies cost retraining and accuracy, orders a permutation, queues area; that with gated clocks waiting costs next to nothing, so that the non-zeros that u-Ticket adds make it the dearer one and training never pays; that for 12,000 cycles without training no 16 PEs are enough; and that utilization can be gamed by regrowing, so that it compares latency.*

# %% [markdown]
# ## What to remember
#
# * A design is judged by a budget, not by one figure.
# * Who may train again has more choices; who may not still has orders and schedules.
#
# **An open question.** Which number in your argument would change first if real spikes, not weights, cost the cycles? (The customer's layers have the shapes of the recorded network, so that its spikes fit: `uticket_lite.tickets.recorded.load_spikes("digits-lth")`, and `ut.simulate_spikes` with `padding=1`, as in [Spikes bring it back](07_spikes.ipynb).)
