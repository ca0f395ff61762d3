"""One look for all charts.

Colours are Okabe and Ito's, which colour-blind people can tell apart; what they mean is also
said by place, dash or shape. The heat map's cividis also reads in grey.
"""

import altair as alt

BLUE, ORANGE, RED, GREY = "#0072B2", "#E69F00", "#D55E00", "#949494"
GREEN, PINK, SKY = "#009E73", "#CC79A7", "#56B4E9"
PALETTE = [BLUE, RED, GREEN, PINK, ORANGE, SKY]


def colours(
    field: str, domain: list[str], palette: list[str], title: str | None = None
) -> alt.Color:
    """A colour for each name, with a legend above."""
    return alt.Color(
        f"{field}:N",
        title=title,
        scale=alt.Scale(domain=domain, range=palette),
        legend=alt.Legend(orient="top", offset=2, columns=6),
    )


def pe_axis(grid: bool = False) -> alt.X:
    """PEs side by side."""
    axis = alt.Axis(labelAngle=0, labelOverlap=True, grid=grid)
    return alt.X("pe:O", title="PE", axis=axis)
