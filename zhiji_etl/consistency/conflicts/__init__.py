"""All rules together: groups of figures and rules that cannot hold, and which figure is likely wrong.

instances     a rule for one entity and period, in groups that share figures, one by one
elsewhere     what entities that are judged apart must know of each other
contested     figures that many entities are measured against, such as the size of a market
ratios        what a printed ratio must be so that all other rules hold
groups        one finding for each group that cannot hold

Groups of like form are judged at once, in NumPy:

forms         groups found for all entities together; `prints`: their figures; `ties`: what a rule tells a figure
feasibility   which groups can hold; `witnesses`: those shown by a number for each figure
explanations  which single figures explain those that cannot; `batches`: from a batch of groups to arrays
together      their findings
"""
