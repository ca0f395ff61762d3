"""What the course measures by training once more is one round of the lottery."""

from few_digits import few_digits

from uticket_lite.teach import accuracy_trained_with
from uticket_lite.training import Settings, find_tickets


def test_a_dense_ticket_from_the_first_weights_is_the_lotterys_first_round(tmp_path):
    images = few_digits(tmp_path / "few.npz", train=128, test=64)
    settings = Settings(dataset=images, rounds=1, epochs=2, rewind_epoch=0)
    run = find_tickets(settings, progress=False)
    assert accuracy_trained_with(run.tickets[0], settings) == run.rows[0]["accuracy"]
