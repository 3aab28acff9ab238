"""What the commands print in a terminal, and as JSON: figures, runs, findings, rates. Nothing is concluded here.

printing      long lines go on below their own text
figures       one figure as a card; the figures of a document in their places
rates         a reference rate; the rates that printed pairs imply
findings      one finding in a few lines, and how ends and distances are told
summary       a run
plots         bounds on one axis
explanation   one finding in full
runs          the runs of a build folder
changes       what differs between two runs
progress      a bar over the stages of a run
logs          what goes to stderr while it runs
"""
