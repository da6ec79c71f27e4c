"""The custom resources, a package for each API version and, in it, for each kind. Pure: values in,
values out."""
