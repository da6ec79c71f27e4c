"""What should be there, from what was asked: spec → manifests. Pure, the same answer every time.

A manifest holds only the fields the operator owns: server-side apply leaves all others alone.
"""
