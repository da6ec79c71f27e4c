"""A metadata database with TLS: whom the operator takes for it, where nobody has said anything."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from daap_operator import migrate
from daap_operator.migrate import MigrationError
from daap_operator.mirror import MetadataError
from dev.cluster.pki import Authority
from dev.postgres import Postgres
from tests.integration.migrating import IDS, applied, run
from tests.integration.test_fencing import Leader, mirror
from tests.support.tls_front import TlsFront

NAME = "metadata.internal"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Whoever has issued the certificate that the server has, for the name NAME."""
    made = Authority(tmp_path / "pki")
    made.create()
    made.issue("server", f"/CN={NAME}", [f"DNS:{NAME}"])
    return made


@pytest.fixture
async def front(own_postgres: Postgres, authority: Authority) -> AsyncIterator[TlsFront]:
    """The server with that certificate."""
    port = urlsplit(own_postgres.url).port
    assert port
    files = authority.path("server.crt"), authority.path("server.key")
    async with TlsFront(port, *files) as made:
        yield made


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without certificates of his own, and an environment without libpq's variables."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("PGSSLMODE", "PGSSLROOTCERT", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


def url_of(
    server: Postgres, front: TlsFront | None = None, *, host: str = NAME, **options: str
) -> str:
    """The server as if it were far away: by a name, whatever address that has."""
    parts = urlsplit(server.url)
    user = parts.netloc.rpartition("@")[0]
    port = front.port if front else parts.port
    asked = {"hostaddr": "127.0.0.1", **options}
    query = "&".join(f"{key}={value}" for key, value in asked.items())
    return f"postgresql://{user}@{host}:{port}{parts.path}?{query}"


async def migrated(url: str) -> None:
    await asyncio.to_thread(migrate.migrate, url, out=io.StringIO())


@pytest.mark.usefixtures("home")
async def test_a_server_is_verified_with_what_the_system_trusts(
    own_postgres: Postgres,
    front: TlsFront,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in the image: the authorities are in SSL_CERT_FILE."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path("ca.crt")))
    url = url_of(own_postgres, front)
    await migrated(url)
    assert applied(own_postgres.url) == IDS
    async with mirror(url, Leader(1)) as inventory:
        await inventory.connect()


@pytest.mark.usefixtures("home")
async def test_a_server_that_nobody_vouches_for_is_not_taken_for_ours(
    own_postgres: Postgres, front: TlsFront
) -> None:
    url = url_of(own_postgres, front)
    with pytest.raises(MigrationError, match="certificate verify failed"):
        await migrated(url)
    async with mirror(url, Leader(1)) as inventory:
        with pytest.raises(MetadataError, match="certificate verify failed"):
            await inventory.connect()


@pytest.mark.usefixtures("home")
async def test_nor_is_one_with_the_certificate_of_another(
    own_postgres: Postgres,
    front: TlsFront,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path("ca.crt")))
    with pytest.raises(MigrationError, match="does not match host name"):
        await migrated(url_of(own_postgres, front, host="elsewhere.internal"))


@pytest.mark.usefixtures("home")
def test_nor_is_one_that_does_without_tls(own_postgres: Postgres) -> None:
    with pytest.raises(MigrationError, match="server does not support SSL"):
        migrate.migrate(url_of(own_postgres), out=io.StringIO())


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("where", ["the URL", "the environment"])
def test_less_is_had_by_asking_for_it_and_is_warned_of(
    where: str, own_postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = url_of(own_postgres)
    if where == "the URL":
        url = url_of(own_postgres, sslmode="prefer")
    else:
        monkeypatch.setenv("PGSSLMODE", "prefer")
    code, output = run(url)
    assert code == 0
    assert "warning: The metadata database's server is not verified (sslmode=prefer)" in output


@pytest.mark.usefixtures("home")
def test_on_this_machine_nobody_is_in_between(own_postgres: Postgres) -> None:
    code, output = run(own_postgres.url)
    assert (code, "warning" in output) == (0, False)
