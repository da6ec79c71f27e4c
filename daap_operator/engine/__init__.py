"""What reconciles objects of any kind; it knows none."""
