"""A question shows its field and buttons in JupyterLab, and its answer appears after the guess."""


def test_a_question_is_asked_with_buttons_and_answered_below(open_cells):
    page = open_cells(
        "from uticket_lite.teach import predict, reveal",
        'predict("browser", "How many?")',
        'reveal("browser", 5)',
        name="questions.ipynb",
    )
    outputs = page.locator(".jp-OutputArea-output")
    page.get_by_text("First your guess:").wait_for()
    assert outputs.get_by_text("answer in code").count() == 0, "the words for other front ends"
    page.get_by_placeholder("a number").fill("3")
    page.get_by_role("button", name="Keep my guess").click()
    page.get_by_text("Your guess: 3. It is 5.").wait_for()
