"""The explorers, one file each: a pure `…_frame(state)` and the function that opens it."""
