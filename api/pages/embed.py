"""`/embed`: one's own points in a frame of the government's portal, slim and only to be read.

Only origins that the deployment names may frame it (CSP frame-ancestors); without any it is absent. It shows points
where the browser itself brings the session's cookie, which SameSite=Lax allows in a frame of the same site: a portal
under the same registrable domain. Anywhere else it shows a link that opens our own page, and nothing of a person: no
ticket is handed to a portal, since whoever holds one could read the points themselves. Nothing can be pressed in the
frame that changes anything, so nothing can be overlaid; every link leads out of it.
"""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import score
from api.deps import House, HttpRequest
from api.pages import frame
from api.pages.door import anyone, behind
from api.requests import content_policy
from core.errors import NotFound
from scoring.points.explain import ScoreView
from scoring.standing import NotEnrolled


@get("/embed")
async def see(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen | None],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """Points and tier; for who is not logged in here, or does not take part, the way to our page."""
    origins = house.settings.embed_origins.replace(",", " ")
    if not origins:
        raise NotFound
    view = None if caller is None else await _score(session, house, caller)
    policy = {"Content-Security-Policy": content_policy(ancestors=origins)}
    return frame.page(request, "embed.html", headers=policy, known=caller is not None, view=view)


async def _score(session: AsyncSession, house: House, caller: guards.Citizen) -> ScoreView | None:
    try:
        return await score.score.fn(session, house, caller)
    except NotEnrolled:
        return None


handlers = [behind([see], guard=anyone)]
