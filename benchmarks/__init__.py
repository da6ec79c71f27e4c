"""Measuring the operator: the control plane and PostgreSQL of the tests, N databases, figures.

`make bench` runs it; docs/performance.md has its figures and says what each means. What computes
(`figures`, `table`, `chart`, `options`, `record`) is apart from what touches the world.
"""
