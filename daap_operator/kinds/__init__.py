"""The kinds of ours, a package each, and all kinds that they have to do with (`known`)."""
