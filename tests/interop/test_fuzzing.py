"""schemathesis reads `/openapi.json` and tries to break every operation; openapi-spec-validator reads it, too.

Both are installed into a virtual environment of their own when these tests run; without a registry they are skipped
and say so.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from tests.api.cast import Cast, gathered
from tests.api.conftest import Server
from tests.api.conftest import server as server  # noqa: PLC0414  (the fixture, for the tests of this folder)
from tests.interop.signing_proxy import signing

pytestmark = pytest.mark.interop

PACKAGES = ("schemathesis==4.32.5", "openapi-spec-validator==0.9.0")
HOW = (
    "--checks", "not_a_server_error,content_type_conformance,response_schema_conformance",
    "--phases", "coverage,fuzzing", "--max-examples", "8", "--seed", "2", "--generation-database", "none",
    "--exclude-path-regex", "^/login|^/logout|^/v1/sandbox/(faults|clock|self-check)",  # pages; what waits
    "--exclude-operation-id", "V1MeLeave",  # or the caller is gone for the rest
    "--suppress-health-check", "all", "--warnings", "off", "--no-color",
)  # fmt: skip

NDJSON = """
import json, schemathesis

@schemathesis.serializer("application/x-ndjson")
def lines(ctx, value):
    \"\"\"A list a line each; anything else as one line.\"\"\"
    if isinstance(value, (bytes, str)):
        return value if isinstance(value, bytes) else value.encode(errors="surrogatepass")
    return b"".join(json.dumps(one).encode() + b"\\n" for one in (value if isinstance(value, list) else [value]))
"""


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh virtual environment."""
    place = tmp_path_factory.mktemp("fuzz")
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, capture_output=True)
    pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input", *PACKAGES]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        pytest.skip(f"NOT RUN: pip could not install {' '.join(PACKAGES)}: {done.stderr[-300:]}")
    return place / "bin"


@pytest_asyncio.fixture(scope="module")
async def cast(server: Server) -> AsyncIterator[Cast]:
    """Everybody, at a server of these tests."""
    async with gathered(server, "fuzz") as everybody:
        yield everybody


async def output(*command: str, cwd: Path, seconds: float = 400) -> tuple[int, str]:
    """The exit status and the words of a program."""
    pipe = asyncio.subprocess.PIPE
    hooks = {**os.environ, "SCHEMATHESIS_HOOKS": "ndjson", "PYTHONPATH": str(cwd)}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, env=hooks, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await asyncio.wait_for(process.communicate(), seconds)
    return process.returncode or 0, said.decode(errors="replace")


class TestSchemathesis:
    """Generated requests, signed by who may."""

    async def test_no_request_breaks_an_operation(self, cast: Cast, tools: Path, tmp_path: Path) -> None:
        """No 5xx, every refusal a proper problem, every answer as described."""
        async with signing(cast) as (address, proxy):
            target = ("run", f"{address}/openapi.json", "--url", address)
            (tmp_path / "ndjson.py").write_text(NDJSON)
            status, said = await output(str(tools / "st"), *target, *HOW, cwd=tmp_path)
        assert proxy.wrong == []
        assert sum(proxy.count.values()) > 500, proxy.count
        assert status == 0, said[-6000:]


class TestSpecification:
    """The document itself."""

    async def test_it_is_valid_openapi_3_1(self, server: Server, tools: Path, tmp_path: Path) -> None:
        """openapi-spec-validator finds nothing."""
        async with httpx2.AsyncClient(base_url=server.base_url) as http:
            document = (await http.get("/openapi.json")).json()
        (tmp_path / "openapi.json").write_text(json.dumps(document))
        status, said = await output(str(tools / "openapi-spec-validator"), "openapi.json", cwd=tmp_path)
        assert status == 0, said
