"""`osmanthus score batch`: a whole city from Parquet files, told by a bar for each stage."""

import argparse
import sys


def score(chosen: argparse.Namespace) -> None:
    """Score a city from files, with a progress bar; says what was done."""
    from api.tool import progress
    from scoring.batch import citywide  # loads Ibis, which takes a second
    from scoring.book import scorecard

    card = scorecard.load(chosen.scorecard.read_text(encoding="utf-8"), chosen.scorecard.name)
    wanted = citywide.Pass(
        records=chosen.records, register=chosen.register, card=card, as_of=chosen.as_of, engine=chosen.engine,
        out=chosen.out, remote=chosen.spark_remote, rows=chosen.rows,
    )  # fmt: skip
    with progress.Stages(sys.stderr) as stages:
        done = citywide.run(wanted, stages.step)
    kept = f"; {done.kept} of {done.ranges} ranges were there from before" if done.kept else ""
    print(f"{chosen.out}: {done.citizens} citizens on {chosen.as_of} by scorecard {card.id}{kept}")
