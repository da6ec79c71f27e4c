"""`make demo`: a cluster, the operator and a database that answers, from nothing, left running.

__main__   start or clean; every fault is one message and exit status 1
places     where everything is
platform   what the platform team has: cluster, CRD, inventory, operator
team       what a team does: apply a file, wait, connect
"""
