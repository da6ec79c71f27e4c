"""Files made from other files. They are committed, so that what changes shows in review."""
