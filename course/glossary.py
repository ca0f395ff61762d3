"""Every term of the course, in one sentence or two, and where the library says more."""

GLOSSARY = {
    "accumulation": "Adding one weight to a neuron's membrane because a spike arrived; the only "
    "arithmetic that weights need.",
    "Algorithm 1": "u-Ticket's balancing: wave by wave, every PE drops or regrows random weights "
    "until all hold the rounded-up mean load of the wave.",
    "barrier": "A point at which all PEs wait for the slowest: the end of each wave, "
    "unless said otherwise.",
    "clock gating": "Stopping the clock of a part that has nothing to do, so that only leakage "
    "is left of its energy.",
    "counted layers": "The layers whose loads are simulated: all convolutions but the first, which "
    "turns the image into spikes, as the paper's released code counts.",
    "drop": "Prune a non-zero weight to lower a PE's load (the paper: remove).",
    "dynamic energy": "Energy spent because something switches: here, one PE's for one input spike "
    "(E_dyn).",
    "filter": "The C·kh·kw weights that make one output channel of a convolution.",
    "latency": "Cycles until the slowest PE is done, added up over waves and layers.",
    "leakage": "Energy that a circuit spends in every cycle, working or not (E_leak).",
    "LIF neuron": "Leaky integrate-and-fire: a membrane that keeps a share of itself, adds its "
    "input, and sends a spike and starts again when it is above a threshold.",
    "load": "The number of non-zero weights that one PE holds in one wave.",
    "lottery ticket": "A mask of a network's weights that, trained alone from the network's early "
    "weights, reaches about the accuracy of the whole (LTH: the lottery ticket hypothesis, that "
    "such masks exist).",
    "mapping": "Which weights a PE holds: with `output-channel` a filter each, with "
    "`input-channel` a slice of the input channels of one filter.",
    "mask": "For each weight of a layer, whether it is kept.",
    "membrane": "The state of a spiking neuron, a number that leaks from timestep to timestep.",
    "PE": "Processing element: a small unit that adds up weights; an array has n of them, which "
    "work at the same time.",
    "position": "One place of a layer's output image; every filter is applied at each.",
    "regrow": "Bring a pruned weight back, to raise a PE's load (the paper: recover).",
    "rewinding": "Putting the weights that are left back to what they were early in training, "
    "before the next round.",
    "round": "Train, prune, rewind: one turn of the lottery. u-Ticket balances before it rewinds.",
    "schedule": "When each PE runs which filter; it can change without touching a weight.",
    "sparsity": "The share of weights that are zero (density is the share that are not).",
    "spike": "A neuron's output, 0 or 1, in each timestep.",
    "spike sparsity": "The share of inputs without a spike, s.",
    "strategy": "A way to balance the PEs' loads: it changes the mask, the order of filters, the "
    "schedule or the hardware.",
    "ticket": "What is left of a network after pruning: one mask per layer.",
    "timestep": "One of the T times that a spiking network looks at its input.",
    "utilization": "Eq. 2: 1 if all PEs of a wave are equally loaded, 0 if one does everything.",
    "wave": "The filters that the n PEs process together; a barrier ends it.",
    "work": "Cycles in which PEs are busy, added up over all PEs (PE-cycles); what they wait is "
    "idle.",
}
"""Term to its meaning."""

IN_CODE = {
    "accumulation": "simulate_spikes",
    "Algorithm 1": "reference.balance",
    "barrier": "reference.latency",
    "drop": "reference.balance",
    "dynamic energy": "pe_energy",
    "filter": "Layer",
    "latency": "Report.latency",
    "leakage": "reference.energy",
    "LIF neuron": "reference.lif_step",
    "load": "reference.loads",
    "mapping": "Accelerator",
    "mask": "Layer",
    "PE": "Accelerator",
    "position": "Layer",
    "regrow": "reference.balance",
    "schedule": "Strategy.deal",
    "sparsity": "Ticket.sparsity",
    "spike": "reference.lif",
    "spike sparsity": "pe_energy",
    "strategy": "Strategy",
    "ticket": "Ticket",
    "utilization": "reference.utilization",
    "wave": "reference.parts",
    "work": "Report.work",
}
"""Term to what of `uticket_lite` is about it; its docstring goes on where the glossary ends."""
