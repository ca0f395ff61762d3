"""`python -m course.guide` writes the lecturer's pages into docs/."""

from course.guide.pages import PAGES, filled

for place in PAGES:
    place.write_text(filled(place.name), encoding="utf-8", newline="\n")
    print(f"wrote {place}")
