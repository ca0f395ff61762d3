"""Numba kernels: scalars and arrays in, arrays out.

Kernels know nothing of units, names or errors: whatever they are given has been
validated by the caller. Every kernel releases the GIL, is compiled on first use and
kept in a cache on disk.
"""
