"""Schemas and tables for other tools: what a project declares, in their formats, and what these cannot hold.

`contract(catalogue, form, name)` gives a document as data, `not_held` what its format leaves out; `write_delta` writes
the tables of a run as Delta tables.
"""

from zhiji_etl.choices import Form
from zhiji_etl.export.contracts import FORMS, contract, not_held
from zhiji_etl.export.delta import write_delta

__all__ = ["FORMS", "Form", "contract", "not_held", "write_delta"]
