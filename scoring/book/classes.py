"""The two classes of records: those that may count into points, and occupational ones, which never do. Pure.

An occupational kind has a code that begins with O, a consent of its own (`occupational-report`), and stands in the
catalogue under `[[occupational]]`. HF17 (三十), SZ24 (十九): a professional's file is not a citizen's score.
"""

CAREER_SOURCES = frozenset({"occupation"})  # the one group of sources that sends occupational records


def is_occupational(code: str) -> bool:
    """Say whether a kind's code is of the class that is never an input of points."""
    return code.startswith("O")
