"""Runs too large for one piece: the same chain over shards of entities, on this machine or on an engine's.

partitions.py   from the rows of sources to partitions by entity
parts.py        one partition carried the whole way, and written
joints.py       what partitions leave to all of them: ranks, conflicts that span them, findings of no entity
running.py      a whole run: shuffle, audit, join, publish
"""

from zhiji_etl.sharding.partitions import partitions_of
from zhiji_etl.sharding.running import SCRATCH, run_in_shards

__all__ = ["SCRATCH", "partitions_of", "run_in_shards"]
