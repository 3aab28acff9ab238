"""One rule, in the order of the data:

expressions  the symbolic `m`: what is written in a schema becomes a tree; `dimensions`: checked by Pint
operands     the figures of a rule side by side; `currencies`: growth of dollars is that of dollars
bounds       the bounds of an expression from those of its figures; `repeats`: where one stands more than once
systems      a rule as linear terms
readings     round numbers read from fine to coarse
isolation    a rule solved for one of its figures
verdicts     consistent, inconsistent, too_imprecise, not_checkable
implied      bounds for figures that nobody printed
compiled     from a declared rule to judged rows
patterns     what a person or a script did to a figure; `changes`: which change would resolve a finding
rulings      the findings of a rule
"""
