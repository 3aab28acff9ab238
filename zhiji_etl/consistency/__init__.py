"""Do the figures agree? In the order of the data:

references      reference rates as operands of rules
denominations   amounts in the wrong currency
pairs           the same figure twice, and amounts restated in another currency
rules           one rule: from the symbolic `m` of a schema to bounds, verdicts, implied values and changes
conflicts       all rules together: figures that cannot all be true, and which of them is likely wrong
entities        those that rules name and nobody prints
contradictions  rules that contradict each other whatever the data
checking        all of it over all figures
exact           what the others calculate with: bounds and linear rules in exact fractions, decimals as whole numbers
"""
