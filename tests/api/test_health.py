"""Alive, ready, counted; what goes wrong while the database is away is in tests/faults."""

import httpx2

from tests.api.conftest import Server


class TestHealth:
    """`/healthz/*`."""

    async def test_a_served_city_is_alive_and_ready(self, server: Server) -> None:
        """Both answer `ok`, to everybody."""
        async with httpx2.AsyncClient(base_url=server.base_url) as http:
            for path in ("/healthz/live", "/healthz/ready"):
                answer = await http.get(path)
                assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


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
