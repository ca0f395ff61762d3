"""What the lab's own solution finds for the customer."""

from course.generate import notebook
from course.grading import SOURCE

TRAINING, GATED = 1e14, 0.005
"""E_dyn that training again costs, and r with gated clocks, as the lab says."""


def best_designs() -> dict[str, str]:
    """The designs that fit the customer's budget, and one that only training makes possible."""
    scope: dict = {}
    for cell in notebook(SOURCE, solutions=True).cells:
        if cell.cell_type == "code" and "HIDDEN TESTS" not in cell.source:
            exec(cell.source, scope)  # the course's own source
    ticket, cost, best = (scope[name] for name in ("customers_ticket", "cost", "best"))

    def said(chosen: tuple[int, str]) -> str:
        return f"`{chosen[1]}` on {chosen[0]} PEs"

    def figures(chosen: tuple[int, str]) -> str:
        told = cost(ticket, *chosen)
        return (
            f"{told['latency']:,} cycles, energy {told['energy']:,.0f}, area {told['area']:g} PEs"
        )

    chosen = {
        "design": best(ticket, 15_000, 16, False),
        "design_trained": best(ticket, 15_000, 16, True),
        "design_gated": best(ticket, 15_000, 16, True, GATED),
        "design_tight": best(ticket, 12_000, 16, True),
        "design_wide": best(ticket, 12_000, 32, False),
    }
    assert best(ticket, 12_000, 16, False) is None
    found = {name: said(design) for name, design in chosen.items()}
    found |= {f"{name}_costs": figures(design) for name, design in chosen.items()}
    plain, trained = (chosen[name] for name in ("design", "design_trained"))
    saved = cost(ticket, *plain)["energy"] - cost(ticket, *trained)["energy"]
    gated = [cost(ticket, *design, GATED)["energy"] for design in (plain, trained)]
    paid = f"{TRAINING / saved / 1e9:.0f} billion (10⁹)"
    dearer = f"{gated[1] / gated[0] - 1:.0%}"
    return {**found, "paid": paid, "dearer_gated": dearer}
