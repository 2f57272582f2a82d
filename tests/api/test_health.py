"""Alive, ready, counted; what goes wrong while the database is away is in tests/faults."""

import httpx2
from structlog.testing import capture_logs

from api.requests import Envelope
from tests.api.conftest import Server


class TestHealth:
    """`/healthz/*`."""

    async def test_a_served_city_is_alive_and_ready(self, server: Server) -> None:
        """Both answer `ok`, to everybody."""
        async with httpx2.AsyncClient(base_url=server.base_url) as http:
            for path in ("/healthz/live", "/healthz/ready"):
                answer = await http.get(path)
                assert (answer.status_code, answer.json()["status"]) == (200, "ok")


class TestMetrics:
    """`/metrics`."""

    async def test_requests_are_counted_by_template(self, server: Server) -> None:
        """Prometheus text; a path's ids are not labels."""
        async with httpx2.AsyncClient(base_url=server.base_url) as http:
            await http.get("/v1/me/consents/co_CANARY0000000000000000000")
            await http.get("/canary-nowhere")
            answer = await http.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        assert 'route="/v1/me/consents/{consent_id}",status="401"' in answer.text
        assert 'route="(none)",status="404"' in answer.text
        assert "canary" not in answer.text.lower()

    async def test_a_made_up_method_is_no_label(self, server: Server) -> None:
        """Labels come from a closed set, or a stranger could fill our memory with them."""
        async with httpx2.AsyncClient(base_url=server.base_url) as http:
            for number in range(3):
                await http.request(f"CANARY{number}", "/healthz/live")
            assert "CANARY" not in (await http.get("/metrics")).text


class TestEnvelope:
    """What every answer carries."""

    async def test_every_answer_has_an_id_and_the_headers(self, server: Server) -> None:
        """A request id of its own, and OWASP's secure headers, on good answers and bad ones."""
        async with httpx2.AsyncClient(base_url=server.base_url) as http:
            answers = [await http.get(path) for path in ("/", "/healthz/live", "/nowhere", "/v1/me", "/v1/rules/perks")]
        assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
        for answer in answers:
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert "unsafe" not in answer.headers["content-security-policy"]
            assert "strict-transport-security" not in answer.headers, "this city is served over plain loopback"

    async def test_over_https_browsers_are_told_to_stay_there(self, server: Server) -> None:
        """RFC 6797: two years, subdomains too."""
        transport = httpx2.ASGITransport(Envelope(server.application, https=True))
        async with httpx2.AsyncClient(transport=transport, base_url="https://city.example") as http:
            answer = await http.get("/healthz/live")
        assert answer.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"

    async def test_nothing_is_kept_that_does_not_say_so(self, server: Server) -> None:
        """What is about a person stays in no cache; published rules, the document and our own files may."""
        async with server.logged_in(server.person()) as me:
            await server.join(me)
            for path in ("/v1/me", "/v1/me/score", "/v1/me/accesses", "/v1/me/consents", "/healthz/live", "/nowhere"):
                assert (await me.get(path)).headers["cache-control"] == "no-store", path
            for path in ("/v1/rules/perks", "/openapi.json", "/static/osmanthus.css"):
                assert "max-age" in (await me.get(path)).headers["cache-control"], path


class TestLogLine:
    """What an operator can follow."""

    async def test_a_refusal_has_its_code_and_a_client_its_id(self, server: Server) -> None:
        """ASVS 16.3.2: who was refused what; a citizen is never named, an app is."""
        signed, _ = await server.register("logged-library", "partner", "eligibility:check")
        with capture_logs() as lines:
            async with httpx2.AsyncClient(base_url=server.base_url, auth=signed) as http:
                await http.get("/v1/partner/perks")
                await http.get("/v1/me")
                await http.get("/v1/me", headers={"Authorization": "Bearer nobody"}, auth=None)
                await http.post("/oauth/token", data={"grant_type": "password"}, auth=None)
        told = {(line["route"], line["status"], line.get("code"), line.get("client")) for line in lines}
        assert ("/v1/partner/perks", 200, None, "logged-library") in told
        assert ("/v1/me", 403, "insufficient_scope", "logged-library") in told
        assert ("/v1/me", 401, "invalid_token", None) in told
        assert ("/oauth/token", 400, "unsupported_grant_type", None) in told
