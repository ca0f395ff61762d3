"""The PE array: what it holds (`accelerator`, `loads`), how long it takes (`metrics`, `timeline`)
and what that costs (`components`, `energy`)."""
