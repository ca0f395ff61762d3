"""How fast the library is, next to references measured in the same process.

`python -m benchmarks` runs every suite: a module of this package with `figures()`.
"""
