"""A gate that lets visitors of other cities in: with a line in the morning, and none for the rest of the day."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from core import bitlist
from core.signed import Signer
from incentives.recognition import statuslist, trust
from tests.incentives import gates
from tests.incentives.recognition.wallet import CITY, CITY_KEY, HERE, KID, NOW, PLACE, Place, Wallet

ROOTS = {f"root-{n}": ECKey.generate_key("P-256", private=True) for n in (1, 2, 3)}
DAY = 86_400
LISTS = f"{CITY}/status-lists"
SIZE = 8_192


class Morning:
    """A league of one neighbour and a gate here; every address that the gate may ask, and what it answers."""

    def __init__(self, folder: Path, **how: Any) -> None:
        """`how`: what the gate is set up with, besides."""
        self.folder, self.how, self.now, self.seq, self.keys = folder, how, float(NOW), 1, {KID: CITY_KEY}
        self.revoked, self.cut, self.uri, self.by = dict[int, int](), set[str](), PLACE.uri, list(ROOTS)[:2]
        self.gate = self.switched_on()

    def switched_on(self) -> Any:
        """The gate as it is after a power cut."""
        signers = {kid: root.as_dict(private=False) for kid, root in ROOTS.items()}
        set_up = {"host": HERE, "signers": signers, "audience": HERE, "accepts": {CITY: ["over_120"]}, **self.how}
        return gates.visitors.VisitorGate(self.folder, clock=lambda: self.now, **set_up)

    def learn(self) -> list[str]:
        """The gate fetches."""
        return self.gate.learn(self.fetch)

    def fetch(self, address: str) -> bytes:
        """What is there."""
        if any(address.startswith(one) for one in self.cut):
            raise ConnectionError(address)
        return {
            HERE + gates.visitors.TRUST: self.trust,
            CITY + gates.visitors.METADATA: lambda: json.dumps({gates.visitors.AGGREGATION: f"{LISTS}/all"}).encode(),
            f"{LISTS}/all": lambda: json.dumps({"status_lists": [self.uri]}).encode(),
            self.uri: self.statuses,
        }[address]()

    def trust(self) -> bytes:
        """The trust list of the moment."""
        jwks = trust.Keys(tuple({**key.as_dict(private=False), "kid": kid} for kid, key in self.keys.items()))
        about = trust.About("990100", "示范邻市", "urn:osmanthus:credential:points-reached:1", "1", (LISTS,))
        body = trust.Body(HERE, NOW, NOW + 7 * DAY, self.seq, (trust.Entry(CITY, jwks, about),))
        way = JWSRegistry.algorithms["ES256"]
        return trust.sign(body, [(kid, lambda data, kid=kid: way.sign(data, ROOTS[kid])) for kid in self.by])

    def statuses(self) -> bytes:
        """The status list of the moment."""
        held = bitlist.pack([self.revoked.get(index, 0) for index in range(SIZE)], statuslist.BITS)
        kid, key = next(reversed(self.keys.items()))
        signer = Signer(ECKey.import_key({**key.as_dict(private=True), "kid": kid}), statuslist.TYPE)
        return statuslist.make(signer, held, uri=PLACE.uri, now=int(self.now)).encode()

    def shows(self, wallet: Wallet, *names: str, **changes: Any) -> str:
        """What becomes of a visitor who answers the gate's question."""
        nonce = self.gate.question()["nonce"]
        return self.given(
            wallet.show(*(names or ("over_120", "city")), **{"nonce": nonce, "iat": int(self.now)} | changes)
        )

    def given(self, text: str) -> str:
        """What becomes of a text."""
        try:
            self.gate.admit(text)
        except gates.visitors.Refused as no:
            return no.why if no.reason == "standard_route" else no.reason
        return "open"


@pytest.fixture
def morning(tmp_path: Path) -> Morning:
    """A gate that has learnt."""
    made = Morning(tmp_path)
    assert made.learn() == []
    return made


def at(index: int) -> Wallet:
    """A copy at a place in the list."""
    return Wallet(place=Place(PLACE.uri, index))


class TestAdmit:
    """Without a line."""

    def test_what_is_asked(self, morning: Morning) -> None:
        """The question names the predicates that open, no more."""
        assert morning.gate.question()["any_of"] == ["over_120"]

    def test_too_little(self, morning: Morning) -> None:
        """Another predicate, or none, is the ordinary ticket."""
        assert (
            morning.shows(Wallet(), "over_110", "city")
            == morning.shows(Wallet(), "city")
            == "not what this perk asks for"
        )

    def test_once(self, morning: Morning) -> None:
        """The copy opens once, with a new question as with the old one, and also after a power cut."""
        wallet = Wallet()
        text = wallet.show("over_120", nonce=morning.gate.question()["nonce"])
        assert [morning.given(text), morning.given(text)] == ["open", "for another question"]
        assert morning.shows(wallet) == "this copy was shown here before"
        morning.gate = morning.switched_on()
        assert morning.shows(wallet) == "this copy was shown here before"
        assert morning.shows(at(4712)) == "open"

    def test_nobody_is_kept(self, morning: Morning) -> None:
        """What the gate keeps of a visitor is a digest of a place in a list."""
        morning.shows(Wallet())
        assert len((morning.folder / "used").read_text()) == 65

    def test_nothing_learnt(self, tmp_path: Path) -> None:
        """A gate that never had a line trusts nobody."""
        assert Morning(tmp_path).shows(Wallet()) == "no trusted city has this key"

    def test_an_old_question(self, morning: Morning) -> None:
        """A question is good for five minutes, and only those are remembered."""
        nonce = morning.gate.question()["nonce"]
        morning.now += 301
        assert morning.given(Wallet().show("over_120", nonce=nonce, iat=int(morning.now))) == "for another question"


class TestTaken:
    """What home took back."""

    def test_revoked_before(self, morning: Morning) -> None:
        """Whoever was taken back before the gate learnt is refused; a neighbour in the list is not."""
        morning.revoked = {4711: statuslist.INVALID, 4713: statuslist.SUSPENDED}
        morning.learn()
        assert [morning.shows(at(n)) for n in (4711, 4712, 4713)] == ["home took it back", "open", "home took it back"]

    def test_beyond_the_list(self, morning: Morning) -> None:
        """A place that the list does not have has no status."""
        assert morning.shows(at(SIZE)) == "no status of today"


class TestOld:
    """Lists that are older than they say."""

    def test_value(self, morning: Morning) -> None:
        """A status list lasts a day, a trust list a week; then it is the ordinary ticket."""
        morning.now += DAY - 1
        assert morning.shows(at(1)) == "open"
        morning.now += 1
        assert morning.shows(at(2)) == "no status of today"
        morning.now += 6 * DAY
        assert morning.shows(at(2)) == "the trust list is too old"

    def test_courtesy(self, tmp_path: Path) -> None:
        """What costs nobody anything goes on, but not for whom home took back when it was last heard."""
        morning = Morning(tmp_path, value=False)
        morning.revoked = {7: statuslist.INVALID}
        morning.learn()
        morning.now += 8 * DAY
        assert (morning.shows(at(1)), morning.shows(at(7))) == ("open", "home took it back")

    def test_a_clock_put_back(self, morning: Morning) -> None:
        """Before it learnt it cannot be: lists would live for ever."""
        morning.now -= 3600
        assert morning.shows(Wallet(), iat=int(morning.now)) in {
            "the clock is wrong",
            "not yet or no longer, or for too long",
        }


class TestLearn:
    """With a line."""

    def test_after_a_power_cut(self, morning: Morning) -> None:
        """What was learnt is on disk, and checked again."""
        morning.gate = morning.switched_on()
        assert morning.shows(Wallet()) == "open"

    def test_a_city_that_is_silent(self, morning: Morning) -> None:
        """Its last lists stay, and stand for their day; it is named."""
        morning.cut = {CITY}
        morning.now += DAY / 2
        assert morning.learn() == [CITY]
        assert morning.shows(at(1)) == "open"
        morning.now += DAY / 2
        assert morning.shows(at(2)) == "no status of today"
        morning.cut = set()
        assert morning.learn() == []
        assert morning.shows(at(2)) == "open"

    def test_no_host(self, morning: Morning) -> None:
        """Without the trust list it says so, and all stays as it was."""
        morning.cut = {HERE}
        with pytest.raises(ConnectionError):
            morning.learn()
        assert morning.shows(Wallet()) == "open"

    def test_a_key_that_turned(self, morning: Morning) -> None:
        """Credentials and lists by the new key count once the list names it; by one that was taken off no more."""
        new = ECKey.generate_key("P-256", {"kid": "vc-2"}, private=True)
        mine = Wallet()
        text = mine.altered("over_120", key=new, header={"alg": "ES256", "kid": "vc-2", "typ": "dc+sd-jwt"}).split("~")[
            0
        ]
        assert morning.shows(mine, issued=text) == "no trusted city has this key"
        morning.keys, morning.seq = {**morning.keys, "vc-2": new}, 2
        morning.learn()
        assert (morning.shows(mine, issued=text), morning.shows(at(1))) == ("open", "open")
        morning.keys, morning.seq = {"vc-2": new}, 3
        morning.learn()
        assert morning.shows(at(2)) == "no trusted city has this key"

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"seq": 1}, "older than"),
            ({"by": ["root-1"]}, "1 of the signers"),
            ({"by": ["root-1", "root-1"]}, "1 of the signers"),
            ({"keys": {KID: CITY_KEY, "again": CITY_KEY}}, "twice"),
        ],
    )
    def test_a_bad_trust_list(self, morning: Morning, change: Mapping[str, Any], why: str) -> None:
        """Rolled back, signed by too few, or with a key that comes twice: refused, and the last one stays."""
        morning.seq = 2
        morning.learn()
        morning.now += 60
        vars(morning).update({"seq": 3, **change})
        with pytest.raises(ValueError, match=why):
            morning.learn()
        assert morning.shows(Wallet()) == "open"

    @pytest.mark.parametrize(
        "elsewhere", ["https://evil.example/1", f"{LISTS}/../1", f"{LISTS}@evil.example/1", "file:///etc/1"]
    )
    def test_a_list_elsewhere(self, morning: Morning, elsewhere: str) -> None:
        """Nothing is fetched but below what the trust list says of a city."""
        morning.uri = elsewhere
        assert morning.learn() == [CITY]
