"""A libpq DSN means the same at every kind of door: whoever asks for TLS to the database gets it, or nothing."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import text

from core import db, embedded
from core.keys import Keyring
from core.postgres.engine import engine_of
from tests.conftest import PREFIX


def certificate(folder: Path, address: str) -> tuple[Path, Path]:
    """A self-signed certificate for an address, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "database")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / f"{address}.crt", folder / f"{address}.key"
    public.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private.write_bytes(key.private_bytes(*form))
    return public, private


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


class Front:
    """TLS in front of the plain test server, as PostgreSQL itself opens it: SSLRequest, `S`, handshake."""

    def __init__(self, context: ssl.SSLContext, port: int) -> None:
        """`port` is the plain server's."""
        self.context = context
        self.port = port
        self.encrypted = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; whoever does not ask for TLS is hung up on."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if await reader.readexactly(8) == b"\0\0\0\x08\x04\xd2\x16\x2f":
                writer.write(b"S")
                await writer.start_tls(self.context)
                self.encrypted += 1
                inner, outer = await asyncio.open_connection("127.0.0.1", self.port)
                await asyncio.gather(_pump(reader, outer), _pump(inner, writer))
        writer.close()


@pytest_asyncio.fixture
async def front(cluster: embedded.Cluster, tmp_path: Path) -> AsyncIterator[tuple[Front, int, Path]]:
    """The front, its port, and the certificate to trust."""
    public, private = certificate(tmp_path, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    made = Front(context, cluster.port)
    async with await asyncio.start_server(made.take, "127.0.0.1", 0) as listening:
        yield made, listening.sockets[0].getsockname()[1], public


@pytest.fixture
def name(database: str) -> str:
    """The database of this test."""
    return database.partition("@/")[2].partition("?")[0]


class TestEngineOf:
    """Engines, doors and the raw pool."""

    async def test_every_door_speaks_tls_when_the_dsn_says_so(
        self, front: tuple[Front, int, Path], name: str, ring: Keyring
    ) -> None:
        """`sslmode=verify-full&sslrootcert=…` reaches the SQLAlchemy engines and the raw pool alike."""
        tls, port, trusted = front
        query = f"sslmode=verify-full&sslrootcert={trusted}"
        doors = db.Doors(f"postgresql://owner@127.0.0.1:{port}/{name}?{query}", ring, PREFIX)
        async with doors.work("citizen") as session:
            assert await session.scalar(text("select 1")) == 1
        assert tls.encrypted == 1
        assert await (await doors.pool()).fetchval("select 1") == 1
        assert tls.encrypted == 2
        await doors.close()

    async def test_a_certificate_of_somebody_else_is_refused(
        self, front: tuple[Front, int, Path], name: str, ring: Keyring, tmp_path: Path
    ) -> None:
        """Nobody stands between us and the database."""
        _, port, _ = front
        other, _ = certificate(tmp_path, "127.0.0.2")
        url = f"postgresql://owner@127.0.0.1:{port}/{name}?sslmode=verify-full&sslrootcert={other}"
        engine = engine_of(db.door_url(url, ring, PREFIX, "citizen"))
        with pytest.raises(ssl.SSLCertVerificationError):
            await engine.connect()
        await engine.dispose()

    async def test_a_server_without_tls_is_refused_when_the_dsn_wants_it(
        self, cluster: embedded.Cluster, name: str, ring: Keyring
    ) -> None:
        """There is no silent way back to plain text."""
        url = f"postgresql://owner@127.0.0.1:{cluster.port}/{name}?sslmode=require"
        engine = engine_of(db.door_url(url, ring, PREFIX, "citizen"))
        with pytest.raises(ConnectionError, match="SSL"):
            await engine.connect()
        await engine.dispose()


class TestDead:
    """A connection whose server went away in the middle of a statement."""

    async def test_it_is_not_handed_on(self, doors: db.Doors) -> None:
        """Its driver still thinks that a transaction goes on; whoever comes next gets another connection, no error."""
        async with doors.claims("jobs") as session:
            before = await session.scalar(text("select pg_backend_pid()"))
            await (await db.raw(session)).execute("begin")
        async with doors.work("jobs") as session:
            assert await session.scalar(text("select pg_backend_pid()")) != before
