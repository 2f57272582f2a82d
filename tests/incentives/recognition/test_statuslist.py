"""Status lists: what home takes back, a host drops; what is no list of home says nothing."""

import zlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from core import bitlist, jose
from core.signed import Signer
from incentives.recognition import statuslist
from incentives.recognition.statuslist import INVALID, SUSPENDED, VALID, NoStatus, Statuses
from tests.incentives.recognition.wallet import CITY, CITY_KEY, KID, NOW, PLACE, key_of, signed

HELD = bitlist.pack([VALID, INVALID, SUSPENDED, 3] * 8, statuslist.BITS)
HEADER = {"alg": "ES256", "kid": KID, "typ": statuslist.TYPE}
CLAIMS: dict[str, Any] = {"sub": PLACE.uri, "iat": NOW, "exp": NOW + 60, "status_list": bitlist.encode(HELD)}
OTHER = ECKey.generate_key("P-256", {"kid": KID}, private=True)


def read(token: str, *, now: int = NOW, uri: str = PLACE.uri) -> Statuses:
    """What a host makes of it."""
    return statuslist.read(token, issuer=CITY, uri=uri, now=now, key_of=key_of)


class TestRead:
    """What counts."""

    def test_published(self) -> None:
        """What was published is read, and every copy has its status."""
        statuses = read(statuslist.make(Signer(CITY_KEY, statuslist.TYPE), HELD, uri=PLACE.uri, now=NOW))
        assert [statuses.of(at) for at in range(3)] == [VALID, INVALID, SUSPENDED]
        assert (statuses.until, statuses.ttl) == (NOW + 86_400, 300)

    def test_the_last_second(self) -> None:
        """A list counts up to its end."""
        assert read(signed(CITY_KEY, HEADER, CLAIMS), now=NOW + 59).of(0) == VALID

    @given(st.lists(st.integers(0, 2), min_size=1, max_size=300), st.data())
    def test_each(self, states: list[int], data: st.DataObject) -> None:
        """Each index has its own status, whatever the others have."""
        token = statuslist.make(Signer(CITY_KEY, statuslist.TYPE), bitlist.pack(states, 2), uri=PLACE.uri, now=NOW)
        at = data.draw(st.integers(0, len(states) - 1))
        assert read(token).of(at) == states[at]


def bomb(_: object = None) -> dict[str, Any]:
    """64 MiB of nothing in some kilobytes."""
    return {"bits": 2, "lst": urlsafe_b64encode(zlib.compress(bytes(1 << 26))).rstrip(b"=").decode()}


LIES: dict[str, Callable[[], str]] = {
    "of another address": lambda: signed(CITY_KEY, HEADER, {**CLAIMS, "sub": f"{CITY}/status-lists/2"}),
    "of no address": lambda: signed(CITY_KEY, HEADER, {k: v for k, v in CLAIMS.items() if k != "sub"}),
    "of another type": lambda: signed(CITY_KEY, {**HEADER, "typ": "JWT"}, CLAIMS),
    "of no type": lambda: signed(CITY_KEY, {"alg": "ES256", "kid": KID}, CLAIMS),
    "by another key": lambda: signed(OTHER, HEADER, CLAIMS),
    "by an unknown key": lambda: signed(OTHER, {**HEADER, "kid": "x"}, CLAIMS),
    "by nobody": lambda: jose.packed({**HEADER, "alg": "none"}) + "." + jose.packed(CLAIMS) + ".",
    "over": lambda: signed(CITY_KEY, HEADER, {**CLAIMS, "exp": NOW}),
    "of tomorrow": lambda: signed(CITY_KEY, HEADER, {**CLAIMS, "iat": NOW + 61}),
    "without a day": lambda: signed(CITY_KEY, HEADER, {**CLAIMS, "iat": None}),
    "a bomb": lambda: signed(CITY_KEY, HEADER, {**CLAIMS, "status_list": bomb()}),
    "no bits": lambda: signed(CITY_KEY, HEADER, {**CLAIMS, "status_list": {"bits": 3, "lst": "eNrbuRgAAhcBXQ"}}),
    "no list": lambda: signed(CITY_KEY, HEADER, {**CLAIMS, "status_list": {"bits": 2, "lst": "!"}}),
    "a credential": lambda: signed(CITY_KEY, {**HEADER, "typ": "dc+sd-jwt"}, CLAIMS),
    "nothing": lambda: "",
}


class TestRefused:
    """What does not count: then the credential does not, either."""

    @pytest.mark.parametrize("lie", LIES)
    def test_lie(self, lie: str) -> None:
        """Refused as a whole."""
        with pytest.raises(NoStatus):
            read(LIES[lie]())

    @pytest.mark.parametrize("index", [32, 10**6, -1, 3])
    def test_no_status(self, index: int) -> None:
        """An index beyond the list, or a status that means something else, is no status."""
        with pytest.raises(NoStatus):
            read(signed(CITY_KEY, HEADER, CLAIMS)).of(index)
