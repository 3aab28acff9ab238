"""`python -m zhiji_etl` is the command line."""

from zhiji_etl.cli import main

main()
