"""A reader who gives a library a standing consent, in a browser, at a real server."""

from collections.abc import Mapping
from typing import Any

import httpx2

from api.tool.signing import Signer
from tests.api.conftest import Server
from tests.api.identity.client import Partner, answer_of, detail, submit

BACK = "https://library.example.city/back"


async def subject(server: Server, person: Mapping[str, Any], entry: Mapping[str, Any], perk: str) -> tuple[str, str]:
    """Push, log in, allow, redeem: the pairwise subject that the library keeps, and the consent's id."""
    async with httpx2.AsyncClient(base_url=server.base_url, timeout=30) as browser:
        signer = Signer(entry["jwk"], client_id=entry["client_id"], issuer=server.base_url)
        partner = Partner(browser, signer, BACK)
        partner.detail = detail(perk=perk, purpose=perk.replace(".", "-"), locations=[f"{server.base_url}/v1"])
        pushed = await partner.push()
        assert pushed.status_code == 201, pushed.text
        query = {"client_id": entry["client_id"], "request_uri": pushed.json()["request_uri"]}
        page = await browser.get("/oauth/authorize", params=query)
        while not page.headers.get("location", "").startswith(BACK):
            if page.is_redirect:
                page = await browser.get(page.url.join(page.headers["location"]))
                continue
            filled = {name: person[name] for name in ("login", "password") if f'name="{name}"' in page.text}
            page = await submit(browser, page, **(filled or {"decision": "allow", "separate": "yes"}))
        given = (await partner.redeem(answer_of(page)["code"])).json()
        return given["authorization_details"][0]["subject"], given["grant_id"]
