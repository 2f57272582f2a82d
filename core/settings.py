"""Settings, read once from the environment. Secrets come from here and from nowhere else."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

ROOT = Path(__file__).resolve().parent.parent

_OPTIONAL = (
    ("redis_url", "REDIS_URL"),
    ("trusted_proxies", "OSMANTHUS_TRUSTED_PROXIES"),
    ("role_prefix", "OSMANTHUS_ROLE_PREFIX"),
    ("city", "OSMANTHUS_CITY"),
    ("city_code", "OSMANTHUS_CITY_CODE"),
    ("controller", "OSMANTHUS_CONTROLLER"),
    ("contact", "OSMANTHUS_CONTACT"),
    ("idp_issuer", "OSMANTHUS_IDP_ISSUER"),
    ("idp_client_id", "OSMANTHUS_IDP_CLIENT_ID"),
    ("idp_client_secret", "OSMANTHUS_IDP_CLIENT_SECRET"),
    ("wechat_appid", "OSMANTHUS_WECHAT_APPID"),
    ("wechat_secret", "OSMANTHUS_WECHAT_SECRET"),
    ("wechat_client", "OSMANTHUS_WECHAT_CLIENT"),
    ("wechat_api", "OSMANTHUS_WECHAT_API"),
    ("embed_origins", "OSMANTHUS_EMBED_ORIGINS"),
)

_DIGITS = 6
_ORIGIN = re.compile(r"https://[a-z0-9.-]+(:[0-9]+)?|http://(127\.0\.0\.1|localhost)(:[0-9]+)?")

_DAYS = {
    "epoch_days": "OSMANTHUS_EPOCH_DAYS",
    "epoch_grace_days": "OSMANTHUS_EPOCH_GRACE_DAYS",
    "epoch_copy_days": "OSMANTHUS_EPOCH_COPY_DAYS",
    "rehearsal_days": "OSMANTHUS_REHEARSAL_DAYS",
    "notice_days": "OSMANTHUS_NOTICE_DAYS",
}


class SettingMissing(Exception):
    """A setting that the process cannot do without."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What one process needs to know.

    `database_url` is the owner's DSN (`postgresql://…`); doors get their own roles and passwords from it.
    `master_key` is 32 bytes, the root of derived keys; `epochs_file` holds the epoch keys that wrap personal keys and
    must live outside every database backup. `trusted_proxies`: addresses, comma-separated, whose X-Forwarded-For is
    believed; everybody else's is not (ASVS 4.1.3). `log_heads` keeps the log's signed heads, out of the database's
    administrators' reach. `channels_file` holds merchants' accounts at pay channels, keys included (mode 0600);
    `trust_signers` the public keys of whoever signs the list of cities that are recognised.

    An epoch is current for `epoch_days` (0: the operator alone rotates) and is destroyed `epoch_grace_days` after the
    next began; copies of the epochs file are kept no longer than `epoch_copy_days`, which the operator sees to.
    `wechat_client` is the client id of the mini-program, the one app that may log people in without our page.
    `embed_origins`, comma-separated: the portals that may frame `/embed`.

    A rehearsal is good for `rehearsal_days`; a rule that may lower somebody's points, or close a perk, rules no earlier
    than `notice_days` after it was approved, so that everybody hears of it before.

    Another `token_key_serial` makes every access token so far worthless: for the day on which a signing key is lost.
    """

    base_url: str
    database_url: str
    master_key: bytes
    epochs_file: Path
    redis_url: str | None = None
    role_prefix: str = "osmanthus"
    city: str = "示范市"
    city_code: str = "990000"
    controller: str = "示范市信用办公室"
    contact: str = "电话 0000-12345，示范市政务服务中心信用窗口"
    epoch_days: int = 14
    epoch_grace_days: int = 2
    epoch_copy_days: int = 7
    rehearsal_days: int = 14
    notice_days: int = 7
    suite: Literal["aes", "sm"] = "aes"
    sandbox: bool = False
    demo_idp: bool = False
    idp_issuer: str | None = None
    idp_client_id: str = "osmanthus"
    idp_client_secret: str | None = None
    wechat_appid: str | None = None
    wechat_secret: str | None = None
    wechat_client: str = "miniprogram"
    wechat_api: str = "https://api.weixin.qq.com"
    policy_dir: Path = ROOT / "policy"
    trusted_proxies: str = ""
    embed_origins: str = ""
    log_heads: Path | None = None
    channels_file: Path | None = None
    trust_signers: Path | None = None
    token_key_serial: int = 0

    def forgotten_within_days(self) -> int:
        """After how many days at most what a person erased is unreadable in every copy, backups included.

        A day more than the periods: for the round of the jobs that comes a little later.
        """
        return self.epoch_days + self.epoch_grace_days + self.epoch_copy_days + 1


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment. Raises SettingMissing naming the variable and how to make it."""
    env = os.environ if environ is None else environ

    def need(name: str, advice: str) -> str:
        if value := env.get(name):
            return value
        message = f"{name} is not set: {advice}"
        raise SettingMissing(message)

    if (code := env.get("OSMANTHUS_CITY_CODE")) and not (len(code) == _DIGITS and code.isascii() and code.isdigit()):
        message = "OSMANTHUS_CITY_CODE must be the six digits of GB/T 2260, e.g. 320500."
        raise SettingMissing(message)
    for origin in filter(None, env.get("OSMANTHUS_EMBED_ORIGINS", "").split(",")):
        if not _ORIGIN.fullmatch(origin):
            message = f"OSMANTHUS_EMBED_ORIGINS: {origin!r} is no origin like https://portal.example.city."
            raise SettingMissing(message)
    hexadecimal = need(
        "OSMANTHUS_MASTER_KEY", "64 hex digits, e.g. `openssl rand -hex 32`; keep it in your secret store."
    )
    if len(hexadecimal) != 64:  # noqa: PLR2004  (32 bytes)
        message = "OSMANTHUS_MASTER_KEY must be 64 hex digits (32 bytes)."
        raise SettingMissing(message)
    base_url = need("OSMANTHUS_BASE_URL", "the public origin, e.g. https://credit.example.city").rstrip("/")
    optional: dict[str, Any] = {name: env[variable] for name, variable in _OPTIONAL if env.get(variable)}
    return Settings(
        base_url=base_url,
        database_url=need("DATABASE_URL", "postgresql://owner:password@host:5432/osmanthus"),
        master_key=bytes.fromhex(hexadecimal),
        epochs_file=Path(need("OSMANTHUS_EPOCHS_FILE", "a file outside every database backup, mode 0600.")),
        sandbox=env.get("OSMANTHUS_SANDBOX") == "1",
        demo_idp=env.get("OSMANTHUS_DEMO_IDP") == "1",
        token_key_serial=int(env.get("OSMANTHUS_TOKEN_KEY_SERIAL", "0")),
        policy_dir=Path(env.get("OSMANTHUS_POLICY_DIR", ROOT / "policy")),
        log_heads=Path(env["OSMANTHUS_LOG_HEADS"]) if env.get("OSMANTHUS_LOG_HEADS") else None,
        channels_file=Path(env["OSMANTHUS_CHANNELS_FILE"]) if env.get("OSMANTHUS_CHANNELS_FILE") else None,
        trust_signers=Path(env["OSMANTHUS_TRUST_SIGNERS"]) if env.get("OSMANTHUS_TRUST_SIGNERS") else None,
        **(optional | _epochs(env)),
    )


def environment(known: Settings) -> dict[str, str]:
    """The variables that `read` makes these settings of, secrets included: for another process of ours."""
    plain: dict[str, Any] = {variable: getattr(known, name) for name, variable in _OPTIONAL}
    plain |= {variable: getattr(known, name) for name, variable in _DAYS.items()}
    plain |= {
        "OSMANTHUS_MASTER_KEY": known.master_key.hex(),
        "OSMANTHUS_BASE_URL": known.base_url,
        "DATABASE_URL": known.database_url,
        "OSMANTHUS_EPOCHS_FILE": known.epochs_file,
        "OSMANTHUS_SANDBOX": "1" if known.sandbox else None,
        "OSMANTHUS_DEMO_IDP": "1" if known.demo_idp else None,
        "OSMANTHUS_TOKEN_KEY_SERIAL": known.token_key_serial,
        "OSMANTHUS_POLICY_DIR": known.policy_dir,
        "OSMANTHUS_LOG_HEADS": known.log_heads,
        "OSMANTHUS_CHANNELS_FILE": known.channels_file,
        "OSMANTHUS_TRUST_SIGNERS": known.trust_signers,
        "OSMANTHUS_SUITE": known.suite,
    }
    return {variable: "" if value is None else str(value) for variable, value in plain.items()}


def _epochs(env: Mapping[str, str]) -> dict[str, Any]:
    """What is said about key epochs and the suite. Raises SettingMissing for what is no number of days or no suite."""
    said: dict[str, Any] = {}
    for name, variable in _DAYS.items():
        given = env.get(variable)
        if given and not (given.isascii() and given.isdigit()):
            message = f"{variable} must be a whole number of days."
            raise SettingMissing(message)
        if given:
            said[name] = int(given)
    said["suite"] = env.get("OSMANTHUS_SUITE") or "aes"
    if said["suite"] not in {"aes", "sm"}:
        message = "OSMANTHUS_SUITE must be aes (AES-256-GCM) or sm (SM4-GCM with HMAC-SM3)."
        raise SettingMissing(message)
    return said
