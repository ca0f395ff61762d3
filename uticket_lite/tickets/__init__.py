"""Tickets: sparse masks of a network's layers, and where they come from.

Read `layer`, `ticket`, `file`; then the entrances: `tracing` (torch modules, with `calls`,
`owners` and `ties`), `state_dict` (files of weights) and `checkpoint` (of torch), by the names
in `conventions`; `synthetic`, `magnitudes` (one network at many sparsities) and `recorded`.
"""
