"""What the course measures by training once more is one round of the lottery."""

from types import SimpleNamespace

from few_digits import few_digits

import uticket_lite as ut
from uticket_lite.explore.charts.palette import METHOD_COLOURS
from uticket_lite.teach import LiveRounds, accuracy_trained_with, spike_totals
from uticket_lite.training import Settings, find_tickets


def test_a_dense_ticket_from_the_first_weights_is_the_lotterys_first_round(tmp_path):
    images = few_digits(tmp_path / "few.npz", train=128, test=64)
    settings = Settings(dataset=images, rounds=1, epochs=2, rewind_epoch=0)
    run = find_tickets(settings, progress=False)
    assert accuracy_trained_with(run.tickets[0], settings) == run.rows[0]["accuracy"]


def test_the_live_chart_grows_with_every_round_in_the_methods_colours():
    live, history = LiveRounds(), ut.load_history("digits-lth")
    for name in METHOD_COLOURS:
        for rounds in (1, 4):
            live.follow(name)(SimpleNamespace(history=history.iloc[:rounds]))
            drawn = live.chart.value.count(f'fill="{METHOD_COLOURS[name]}"')
            assert drawn == 2 * (rounds + 1), "utilization, accuracy, and a dot by the name"


def test_accumulations_have_a_row_for_each_recorded_image_and_no_other():
    few, all_there = (
        spike_totals(["digits-lth"], ut.Accelerator(16), images=images).sort_index()
        for images in (2, 100)
    )
    assert len(all_there.loc[("digits-lth", "wave")]) == len(ut.load_spikes("digits-lth")["conv2"])
    assert (all_there["work"] > 0).all()
    assert few.loc[("digits-lth", "wave")].equals(all_there.loc[("digits-lth", "wave")].iloc[:2])
