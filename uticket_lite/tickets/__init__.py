"""Tickets: sparse masks of a network's layers, and where they come from.

Read `layer`, `ticket`, `file`; then the entrances: `tracing` (torch modules and state dicts),
`synthetic`, `magnitudes` (one network at many sparsities) and `recorded`.
"""
