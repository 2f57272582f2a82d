"""What a consent agrees to, spelled out for its record: which data, by whom, how, how long (ISO/IEC TS 27560).

Said by the notice that was shown, the catalogue in force, the settings of the deployment and the recipient's
registration; fixed with the consent, so that a receipt says for ever what was agreed to then. PIPL articles 17, 23, 30.
"""

import uuid
from collections.abc import Iterable

from api.deps import House
from auth.consent.record import Party, PiiInformation, PrivacyNotice, Processing, ProcessingMethod, Purpose
from auth.notices import Notice, Recipient
from core import ids, sealed
from core.keys import Keyring
from scoring.book.kinds import Kind
from scoring.rulebook import RuleBook

CONTROLLER = "controller"
_BASIS = "个人信息保护法第十三条第一款第一项：个人同意"
_SEPARATE = "个人信息保护法第十三条第一款第一项，第二十三条：单独同意"
_SENSITIVE = "个人信息保护法第十三条第一款第一项，第二十九条：敏感个人信息的单独同意"
_BASES = {"score": _BASIS, "sensitive": _SENSITIVE, "occupational-report": _BASIS}
_COLLECTED = {
    "score": "由同意书列明的来源单位报送",
    "sensitive": "由同意书列明的来源单位报送",
    "occupational-report": "由告知书列明的职业主管部门报送",
}
_IDENTITY = PiiInformation("身份证号（只以密钥摘要与来源单位比对）", "id-number", pii_optional=False)
_ANSWER = PiiInformation("结论：可以享受，或按普通方式办理", "answer", pii_optional=False)
_CAREER = PiiInformation("执业资格和职业类奖惩记录", "occupational", pii_optional=False)
_RIGHTS = "查阅、复制、更正、删除、撤回同意、要求解释和人工复核、投诉（个人信息保护法第四十四条至第五十条）"


def describe(
    house: House,
    *,
    notice: Notice,
    purpose: str,
    citizen_id: uuid.UUID,
    kinds: Iterable[tuple[Kind, bool]] = (),
    recipient: Recipient | None = None,
) -> Processing:
    """What this consent agrees to; `kinds` are the records it lets in, each with whether it could be left out."""
    head = purpose.partition(":")[0]
    settings, base = house.settings, house.settings.base_url
    parties = _parties(house, recipient)
    where = f"CN, {settings.city}"
    return Processing(
        pii_principal_id=principal(house.ring, citizen_id, parties[-1].party_id),
        privacy_notice=PrivacyNotice(
            f"{base}/v1/rules/notices/{notice.purpose}/{notice.version}", notice.version, notice.digest
        ),
        language=notice.language,
        purpose=Purpose(purpose, notice.aim),
        purpose_type="public-credit-incentive",
        lawful_basis=_BASES.get(head, _SEPARATE),
        pii_information=_information(head, kinds),
        pii_controllers=(CONTROLLER,),
        collection_method=_COLLECTED.get(head, "由处理者按公开规则即时得出，不另行收集"),
        processing_method=_method(base, notice),
        storage_locations=(where,),
        retention_period=notice.retention,
        processing_locations=(where,),
        geographic_restrictions="不出境",
        service="桂花分",
        jurisdiction="CN",
        recipient_third_parties=tuple(party.party_id for party in parties[1:]),
        withdrawal_method=f"{base}/consents",
        privacy_rights=_RIGHTS,
        parties=parties,
        authority_party="网信部门",
    )


def principal(ring: Keyring, citizen_id: uuid.UUID, party: str) -> str:
    """What a record calls the citizen towards a party: the same each time, and another towards every other party."""
    mac = sealed.digest(ring.derive("consent-principal"), f"{citizen_id}|{party}")
    return ids.show("pp", uuid.UUID(bytes=mac[:16]))


def named(book: RuleBook, *, core: Iterable[str], optional: Iterable[str]) -> list[tuple[Kind, bool]]:
    """The kinds of record that these groups of sources send, with whether the group could be left out.

    Sensitive kinds are not among them: each has a consent of its own (PIPL article 29).
    """
    groups = {**dict.fromkeys(core, False), **dict.fromkeys(optional, True)}
    kinds = [book.catalogue.kinds[code] for code in sorted(book.kinds - book.sensitive)]
    return [(kind, groups[kind.group]) for kind in kinds if kind.group in groups]


def _information(head: str, kinds: Iterable[tuple[Kind, bool]]) -> tuple[PiiInformation, ...]:
    if head in {"share", "recognise"}:
        return (_ANSWER,)
    if head == "occupational-report":
        return (_IDENTITY, _CAREER)
    category = "与健康有关的信息" if head == "sensitive" else None
    held = [PiiInformation(kind.name, kind.code, choice, category) for kind, choice in kinds]
    return (_IDENTITY, *held)


def _method(base: str, notice: Notice) -> ProcessingMethod:
    how = "由计算机按公开规则自动计算" if notice.automated else "按您的要求办理，不作自动化决策"
    return ProcessingMethod(how, notice.automated, f"{base}/v1/rules/scorecards", notice.consequence)


def _parties(house: House, recipient: Recipient | None) -> tuple[Party, ...]:
    ours = house.settings
    office = f"{ours.city}政务服务中心信用窗口"
    held = Party(CONTROLLER, ours.controller, office, ours.contact, "公共机构", "controller")
    if recipient is None:
        return (held,)
    theirs = Party(recipient.id, recipient.name, recipient.address, recipient.contact, "组织", "recipient")
    return (held, theirs)
