"""What the bridge is told: one TOML file of the library's, read once. A fault is a sentence with the member's name.

Secrets stand in files of their own (`key_file`, `secret_file`), so that this one can be shown around.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from api.sip2.limits import Rung

Port = Annotated[int, Meta(ge=1, le=65535)]


class CityPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The city: a kit or a file of the same shape, our client in it, the terminal's name if the perks list names."""

    kit: Path
    client: str
    terminal: str | None = None


class SystemPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The library's system (ACS): its SIP2 port, how we log in when we ask by ourselves."""

    host: str
    port: Port
    institution: str = ""
    login: str | None = None
    password_file: Path | None = None
    encoding: str = "utf-8"


class TerminalsPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where self-check machines connect instead of to the system; at most `most` at a time."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 6001
    most: Annotated[int, Meta(ge=1, le=1000)] = 200


class KohaPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Koha's REST API with an API key pair (OAuth2 client credentials)."""

    base_url: str
    client_id: str
    secret_file: Path


class Places(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `rungs`: the classes, best first.

    `deposit`: in fen, what a reader pays without the `deposit_perks`; `deposit_in_fees`: the system books it as a fee.
    `patience_ms`: how long a terminal waits for us at most, after the system has answered. `code_days`: how long what a
    one-use code gave is kept.
    """

    city: CityPlace
    system: SystemPlace
    file: Path
    terminals: TerminalsPlace = TerminalsPlace()
    koha: KohaPlace | None = None
    rungs: tuple[Rung, ...] = ()
    deposit: Annotated[int, Meta(ge=0)] = 0
    deposit_perks: tuple[str, ...] = ("library.deposit-free",)
    deposit_in_fees: bool = False
    patience_ms: Annotated[int, Meta(ge=1, le=5000)] = 300
    code_days: Annotated[int, Meta(ge=1, le=365)] = 30

    def kit(self) -> Mapping[str, Any]:
        """The kit. Raises FileNotFoundError, ValueError."""
        return json.loads(self.city.kit.read_bytes())

    def perks(self) -> tuple[str, ...]:
        """The library's own perks: those that its client holds."""
        return tuple(self.kit()["clients"][self.city.client].get("perks", ()))


def read(path: Path) -> Places:
    """The file's content; relative paths are beside it. Raises FileNotFoundError, ValueError."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        found = msgspec.convert(said, Places, strict=False, dec_hook=_beside(path.parent))
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        message = f"{path}: {error}"
        raise ValueError(message) from error
    if len({one.name for one in found.rungs}) < len(found.rungs):
        message = f"{path}: two rungs have the same name"
        raise ValueError(message)
    return found


def _beside(folder: Path) -> Any:
    def hook(kind: type, value: Any) -> Any:
        if kind is Path:
            return folder / str(value)
        raise NotImplementedError  # how msgspec asks to be told of a type that the hook does not read

    return hook


def secret(path: Path | None) -> str:
    """What stands in a file of one line; nothing for no file."""
    return "" if path is None else path.read_text(encoding="utf-8").strip()
