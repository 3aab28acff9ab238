"""Figures in running text, with the exact place of each.

windows        the stretches in which figures stand
lists          numbers in a row whose unit is said once
surroundings   numbers that are no figures, by what stands around them (`neighbours`); `glued`, `characters`, `codes`
               and `names`, by what they are
nil            where a text says that there is nothing
passages       figures, sentence by sentence
"""
