"""What a process keeps for visitors: what rules recognition, status lists of others, its signer of questions."""

from functools import partial

import msgspec

from api import deps
from api.deps import HttpRequest
from api.partner import desk
from core import clock
from core.signed import Signer
from incentives.eligibility import Gate, Verdict
from incentives.recognition.presentation import Asked
from incentives.visitors import asking, counter, judging, rootkeys
from incentives.visitors.books import Books, NobodyTrusted
from incentives.visitors.statuses import Statuses, StatusUnknown


class Lodge(msgspec.Struct, frozen=True):
    """One a process. `origin` is our client id; `copies` the key of digests of copies; `signer` signs questions."""

    gate: Gate
    books: Books
    statuses: Statuses
    origin: str
    copies: bytes
    signer: Signer

    async def decide(
        self, question: counter.Asked | counter.Mine, nonce: str, text: str | None
    ) -> tuple[Verdict, str | None]:
        """Judge what was shown and decide the question; with the cause, for the holder alone.

        Raises PresentationUsed, NobodyTrusted, StatusUnknown.
        """
        asked = Asked(self.origin, nonce, int(clock.wall().timestamp()))
        now = await self.books.now()
        try:
            judged = await judging.judge(
                text, asked, perk=question.perk_id, now=now, statuses=self.statuses, key=self.copies
            )
        except (NobodyTrusted, StatusUnknown):
            await counter.trouble(self.gate, identity=question.id)
            raise
        return await counter.answer(self.gate, identity=question.id, judged=judged)


async def of(request: HttpRequest) -> Lodge:
    """The lodge of a request's process, made at first use."""
    found = request.app.state.get("lodge")
    if found is None:
        here = deps.house(request)
        gate = (await desk.of(request)).gate
        found = request.app.state["lodge"] = Lodge(
            gate,
            Books(gate, partial(rootkeys.read, here.settings.trust_signers)),
            Statuses(sandbox=here.settings.sandbox),
            here.settings.base_url,
            here.ring.derive("shown-copies"),
            Signer(here.ring.es256(asking.KID), asking.TYPE),
        )
    return found
