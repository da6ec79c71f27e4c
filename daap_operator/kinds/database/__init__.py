"""DaapDatabases."""
