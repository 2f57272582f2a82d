"""`osmanthus policy explain`: a case file read aloud, for people who decide rules and do not write programs."""

import argparse


def case(chosen: argparse.Namespace) -> None:
    """Print the path of a case from its records to its points."""
    from api.tool import explaining
    from core import settings

    print(explaining.case(chosen.case, settings.ROOT / "policy"))
