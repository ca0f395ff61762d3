"""A ticket on an accelerator: `run`, its `report`, `comparison`; its `spikes` and `memory`."""
