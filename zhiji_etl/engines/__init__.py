"""Who does the work of shards: this process, a Dask cluster or Apache Spark, with the same results.

    engine(name, address, scratch)    an engine by its name, a context manager
    Engine.run_shards                 a function of each shard
    Engine.shuffle_by_key             rows of all shards, dealt anew by key

What an engine cannot do is an `EngineError`; what a function says of its shard is raised as it is.
"""

from zhiji_etl.engines.choice import ENGINES, engine
from zhiji_etl.engines.seam import Engine

__all__ = ["ENGINES", "Engine", "engine"]
