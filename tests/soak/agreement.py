"""Random projects by the hundred, as the library and the oracle judge them.

    PYTHONPATH=.:tests python -m soak.agreement [--projects N] [--seed N]

Out: each difference with the seed of its project, and how much was compared; exit code 1 where anything differs.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Sequence

from oracle.comparing import compared
from oracle.drawing import MORE_LAWS, drawn
from oracle.exchange import of_rates
from oracle.ranking import of_ranks


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare so many projects; 1 where one differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    chosen = parser.parse_args(arguments)
    counts: Counter[str] = Counter()
    for seed in range(chosen.seed, chosen.seed + chosen.projects):
        dice = random.Random(seed)
        as_text = dice.random() < 0.5
        told = compared(drawn(dice, as_text=as_text, among=MORE_LAWS), counts, as_text=as_text)
        told += [*of_ranks(dice, counts), *(of_rates(dice, counts) if seed % 5 == 0 else ())]
        counts["projects that differ"] += bool(told)
        print(*(f"{seed}: {what}" for what in told), sep="\n", end="\n" if told else "", flush=True)
    print(f"seed {chosen.seed}: " + ", ".join(f"{number} {name}" for name, number in counts.items()))
    return 1 if counts["projects that differ"] else 0


if __name__ == "__main__":
    sys.exit(main())
