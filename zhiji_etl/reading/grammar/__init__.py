"""The grammar of printed figures: what a shape, a text without its digits, means. Each shape is read once.

words, folding, tokens     the lexicon; a text and its shape; the shape cut into known words
meanings, drafts           what a shape means, as a small program over its digits; an amount on the way there
numerals                   numbers of digits or words; `english`, `chinese`; `spans`: tens of millions
prefixes, suffixes         what stands before and after a number; `denominators`: per what; `subunits`: cents and 分;
                           `halves`: half of one unit more; `comparisons`: 3% lower than the base that follows
amounts, ranges            one amount; two that are the ends of a range
finishing                  a draft made an amount
shapes                     a whole shape
"""
