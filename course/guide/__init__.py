"""The lecturer's pages: text with places for numbers, the numbers, and the figures.

`python -m course.guide` writes docs/teaching.md and docs/exam.md; `python -m course.guide.figures
FOLDER` writes the figures that they name.
"""
