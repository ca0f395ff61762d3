"""The course's source: notebooks written once, with solutions, as text (jupytext's percent format).

`python -m course` writes the learners' notebooks into notebooks/, `python -m course solutions DIR`
those with solutions; `course.grading` grades the lab. In the sources, `[[term]]` links a term of
`glossary.py`, what stands between BEGIN and END SOLUTION is left out for learners, and a cell
tagged `claims` checks what the text says, folded away.
"""
