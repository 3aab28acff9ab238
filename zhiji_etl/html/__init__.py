"""What a run says, in HTML and SVG: the report that it writes, and what a notebook shows.

readings     how a finding was read, in another language
drawing      bounds on one axis, as SVG
verdicts     their signs and counts
stories      findings, each with all that is known of it
sheets       whole tables as JSON
page         the report
cards        results, findings and figures in a notebook
templates    how they look
"""
