"""The package's edge: checks of what users give, and files replaced whole or not at all."""
