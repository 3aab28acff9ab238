"""An oracle for consistency: SEMANTICS.md in exact fractions and by brute force, with nothing of the library's own.

elimination   linear inequalities: do they hold together, and what do they leave one figure (Fourier and Motzkin)
prints        a printed figure: its text, its bounds, its readings
laws          rules in a form of their own, and as functions of `m`
decisions     verdicts, groups that cannot hold, sets of fewest figures to change, implied bounds
drawing       small random projects
ranking       ranks against values
exchange      amounts in two currencies, and rules across them
comparing     what the library says otherwise, as sentences
"""
