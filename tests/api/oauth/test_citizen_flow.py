"""A citizens' app gets a token: PAR, login, the citizen's decision, the code. F numbers: FAPI 2.0 as testable points."""

from api.signing import Signer, fresh_key
from tests.api.oauth.app import APP, World
from tests.api.oauth.client import App, answer_of, log_in, submit


def app_of(world: World, client_id: str = "app", redirect_uri: str = APP) -> App:
    """An app with a fresh key, beside a fresh browser."""
    signer = Signer(fresh_key(), client_id=client_id, issuer=world.house.settings.base_url)
    return App(world.browser(), signer, redirect_uri)


class TestTheWholeWay:
    async def test_a_citizen_lets_an_app_in(self, world: World) -> None:
        """PAR, login at the provider, yes, code, DPoP-bound token, /v1/me."""
        app = app_of(world)
        pushed = await app.push()
        assert pushed.status_code == 201
        await log_in(app.browser, "anna")
        page = await app.page()
        assert "市民应用 app" in page.text
        given = answer_of(await submit(app.browser, page, decision="allow"))
        assert given["iss"] == world.house.settings.base_url
        assert given["state"] == app.state
        answer = await app.redeem(given["code"])
        assert answer.status_code == 200, answer.text
        app.caller.adopt(answer.json())
        app.browser.cookies.clear()
        assert (await app.caller.get("/v1/me")).json()["client_id"] == "app"
