"""The colour table: what a colour means, in every picture.

Colours are Okabe and Ito's where they could be had, which colour-blind people can tell apart; what
they mean is also said by place, dash, shape or a name beside it. The heat map's cividis also reads
in grey. Text is never coloured: not all of these can be read as letters in both themes.
"""

BLUE, ORANGE, RED, GREY = "#0072B2", "#E69F00", "#D55E00", "#949494"
GREEN, PINK, SKY = "#009E73", "#CC79A7", "#56B4E9"
SLATE, BROWN = "#A3B4C2", "#96662F"
VIOLET, TEAL, OLIVE, ROSE = "#8C6BB1", "#2C8F8F", "#8F7E1E", "#B3446C"
INK = "#7a7a7a"
"""Reads on white and on the dark theme's #111111 alike, 4.3 : 1 on either: for what cannot know on
which of them it is seen, stored pictures and handles of sliders."""
METHOD_COLOURS = {"LTH": RED, "u-Ticket": BLUE}
"""A method's colour, in every chart."""
CHANGED = {"nothing": GREY, "mask": BLUE, "order": GREEN, "schedule": PINK, "hardware": BROWN}
"""The colour of a strategy, by what it changes."""
PAID = {"touched": "mask", "permuted": "order", "timing": "schedule", "hardware": "hardware"}
"""A kind of price to what must change for it, whose colour it has: non-zeros touched, filters
permuted, inputs at different times, more hardware."""
TIME = {"work": SLATE, "waiting": ORANGE}
"""What PEs do with their time: waiting stands out, work is quiet."""
ENERGY = {"dynamic": SKY, "working": SLATE, "waiting": ORANGE}
"""What energy is spent on: spikes, and cycles of work and of waiting."""
COUNTED = {"weights": SLATE, "spikes": SKY}
"""What work is counted by: every weight, or those that spikes meet."""
RECIPE_COLOURS = {"torch": VIOLET, "kaiming": TEAL, "released": OLIVE}
"""How a network's weights were drawn, and how it was trained."""
OTHERS = (VIOLET, OLIVE, ROSE, TEAL)
"""For whatever has no colour of its own above, such as kinds of memory."""
