"""Tools for development and tests; nothing here is shipped."""
