"""What a run says while another one is at work: the operator reads it in the log. Pure."""

ANOTHER_RUN = "waiting for another run to end"
"""How the line begins."""
