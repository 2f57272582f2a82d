"""Who touches records and standings is listed: each such module joins the live consent, or says why it need not.

The database's row policies are what holds; this is for the reader of a change, who is told to look twice.
"""

import ast
import re

import pytest
from tree import ROOMS, place, python, syntax

_TABLES = {"record", "standing", "standing_change", "link"}
_SQL = re.compile(
    r"\b(?:from|join|into|update|using)\s+scoring\.(?:record|standing|standing_change|link)\b", re.IGNORECASE
)


def touches(module: ast.Module) -> bool:
    """Whether a module takes one of the tables from `scoring.tables`, or names one in SQL."""
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module == "scoring.tables":
            if _TABLES & {alias.name for alias in node.names}:
                return True
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _SQL.search(node.value):
            return True
    return False


class TestList:
    """The list."""

    def test_every_module_that_touches_them_is_listed(self) -> None:
        """A new one is a decision, not an accident."""
        listed = {
            "scoring/batch/spans.py": "ids to go through; who takes part is for scoring/holders.py to say",
            "scoring/ending.py": "joins scoring.live; ends go through a gate function",
            "scoring/enrol.py": "opens the thread under the consent just given",
            "scoring/exporting.py": "a citizen's own records, found by their holder",
            "scoring/feeds/quality.py": "a batch's counts, a record's place in it, under the row policy of the live",
            "scoring/feeds/withdrawing.py": "what a batch said about live holders, whom merge.settle then counts",
            "scoring/feeds/pulls.py": "joins auth.live_consent; reads only whose thread there is",
            "scoring/holders.py": "joins auth.live_consent; the lock before it reads nothing",
            "scoring/merge.py": "joins scoring.live until now and the source's live consent",
            "scoring/past/days.py": "a citizen's own changes, opened with the records key",
            "scoring/past/known.py": "a holder's records, joined with scoring.live until now",
            "scoring/records.py": "a citizen's own records, joined with scoring.live until now",
            "scoring/refusals.py": "a citizen's own records of a kind, found by their holder",
            "scoring/rethread.py": "after a restore: threads without a key, by the operator, before a door opens",
            "scoring/rehearsal/run.py": "numbers of links, page by page; holders are found by scoring.holders",
            "scoring/reports/statistics.py": "counts, under live consents, without small cells",
            "scoring/retention.py": "erases",
            "scoring/rights/disputes.py": "a citizen's own record, joined with scoring.live until now",
            "scoring/rights/marks.py": "records of a locked holder; no papers",
            "scoring/rights/objections.py": "the record of a dispute, which goes with the link; no papers",
            "scoring/rights/turning.py": "takes the record of a locked holder away",
            "scoring/rights/verdicts.py": "asks whether disputes have a record left",
            "scoring/rights/decisions.py": "papers of a locked holder, joined with scoring.live until now",
            "scoring/rights/repairdesk.py": "ends a record of a live holder whose citizen applied",
            "scoring/rows.py": "joins scoring.live until now and auth.live_consent",
            "scoring/sources.py": "stored lines of a live holder",
            "scoring/suspensions.py": "the status of records whose holder the caller has locked",
            "scoring/standing.py": "a citizen's own changes, opened with the records key",
        }
        found = {place(path) for path in python(*ROOMS) if touches(syntax(path))}
        assert found == set(listed)


class TestSamples:
    """The lint itself."""

    @pytest.mark.parametrize(
        "code",
        [
            "from scoring.tables import record",
            "from scoring.tables import batch, standing as kept",
            "Q = 'select points from scoring.standing where true'",
            "Q = f'delete FROM scoring.record r where {x}'",
            "def f():\n    return 'update scoring.link set consent_id = null'",
        ],
    )
    def test_it_finds_what_is_bad(self, code: str) -> None:
        """By import, in SQL, in a part of an f-string, inside a function."""
        assert touches(ast.parse(code))

    @pytest.mark.parametrize(
        "code",
        ["from scoring.tables import batch", "from scoring import standing", "'scoring.record'", "'scoring.records'"],
    )
    def test_it_leaves_the_rest_alone(self, code: str) -> None:
        """Other tables, the room's verbs, a place name of sealed bytes."""
        assert not touches(ast.parse(code))
