"""Do the figures agree? In the order of the data:

expressions   the symbolic `m` of rules, and its dimensions
operands      the figures of a rule side by side
bounds        interval arithmetic in Polars; `intervals`: the same in exact fractions, `linear`: its words
readings      round numbers read from fine to coarse
verdicts      consistent, inconsistent, too_imprecise, not_checkable
implied       bounds for figures that nobody printed
rules         from a declared rule to judged rows
pairs         the same figure twice, and amounts restated in another currency
components    bounds propagated through many rules; `localise`: conflicts, and which figure is likely wrong
together      the same for all groups of rules of one form at once: `forms`, `batches`, `ties`, `explanations`
conflicts     one finding for each group that cannot hold
"""
