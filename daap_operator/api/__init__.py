"""The custom resources, a package for each API version and, in it, for each kind; and what a kind
is. Pure: values in, values out."""
