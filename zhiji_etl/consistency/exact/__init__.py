"""Exact arithmetic of bounds and linear rules; no frames, no figures.

linear       rules and bounds in fractions: the words in which the others speak
intervals    interval arithmetic, open and closed ends kept
lattice      printed decimals as whole numbers in Float64, so that sums and comparisons of them are exact
components   bounds that travel through rules until nothing changes
simplex      whether bounds and rules hold together, and how far a figure goes
programs     the same with HiGHS before it, where rules form loops
localise     which figures to change so that all rules hold, and why not fewer
"""
