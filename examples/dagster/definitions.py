"""The reference project as Dagster assets, made every morning.

    dagster asset materialize --select '*' -f definitions.py
    dagster dev -f definitions.py

The environment variable PROJECT names another project; by default it is the one in the root of this repository.
"""

import os
from pathlib import Path

import dagster as dg

import zhiji_etl.dagster as zd

PROJECT = Path(os.environ.get("PROJECT", Path(__file__).parents[2]))

figures = zd.assets(PROJECT, retry_policy=dg.RetryPolicy(max_retries=2, delay=600))

defs = dg.Definitions(assets=[figures], schedules=[zd.schedule(figures, "15 6 * * *", timezone="Asia/Shanghai")])
