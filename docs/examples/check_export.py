"""Count an exported score again, without us: python check_export.py export.zip [jwks.json]

Needs Python 3.11 and nothing else; no network. It reads the archive of GET /v1/me/export, checks that no file was
changed, and counts every indicator anew from the records and the text of the rules, to the tenth of a point.
With jwks.json (the file behind /.well-known/jwks.json) it also checks who signed the archive.

All points are whole tenths (121.5 is 1215), so nothing is ever rounded. Exit 0: everything agrees. Exit 1: it does not.
"""

import base64
import calendar
import hashlib
import json
import sys
import tomllib
import zipfile
from collections import defaultdict
from datetime import date
from decimal import Decimal

# Counted by month: however many bills a month brings, it is one month.
MONTHLY = {"P01", "P02", "P03", "P04", "P06", "P07", "P12", "P17", "P21", "P22"}
HOURS_A_DAY = 8
faults = []


def check(what, ok):
    """Note what does not agree."""
    if not ok:
        faults.append(what)


# ------------------------------------------------------------------------------------------------- days and tenths


def day(text):
    return date.fromisoformat(text) if text else None


def back(when, months):
    """The same day so many calendar months before; a 31st falls on the last day of a shorter month."""
    years, month = divmod(when.year * 12 + when.month - 1 - months, 12)
    return date(years, month + 1, min(when.day, calendar.monthrange(years, month + 1)[1]))


def tenths(value):
    return int(Decimal(value) * 10)


# ------------------------------------------------------------------------------------------------- what counts


def counting(records, adult_on, as_of):
    """The records that may count on `as_of`, by kind: (day, amount, level, from, until).

    Only active ones, nothing from before the 18th birthday. Monthly kinds stand on the first of their month. Hours of
    one day are added up, at most eight, whichever organisations confirmed them. A deduction that was disputed counts in
    what its suspensions leave of its days.
    """
    rows, hours = defaultdict(list), defaultdict(int)
    for one in records:
        when = day(one["occurred_on"])
        if one["kind"] in MONTHLY:
            when = when.replace(day=1)
        stands = one["status"] == "active" or (one["status"] == "disputed" and one["suspended"])
        if not stands or when < adult_on:
            continue
        if one["kind"] == "P08":
            hours[when] += one["quantity"]
        else:
            rows[one["kind"]] += [(when, one["quantity"], one["level"], *days) for days in uninterrupted(one)]
    for when, amount in hours.items():
        rows["P08"].append((when, min(HOURS_A_DAY, amount), None, None, None))
    return rows


def uninterrupted(one):
    """The days (from, until) of a record without those on which it was suspended; until is None while it goes on."""
    start, end = day(one["from_on"]), day(one["until_on"])
    for span in one["suspended"]:
        pause, again = day(span["from_on"]), day(span["until_on"])
        if end is not None and pause >= end:
            break
        if start < pause:
            yield start, pause
        if again is None:
            return
        start = max(start, again)
    if end is None or start is None or start < end or not one["suspended"]:
        yield start, end


def inside(rows, window, as_of):
    """Those whose day lies in the window of so many months that ends on `as_of`; 0 is without end."""
    return [row for row in rows if row[0] <= as_of and (not window or row[0] > back(as_of, window))]


def living(rows, hard_stop, as_of):
    """Deductions that hold on `as_of`: from their first day until the day before their last, never after the stop."""
    young = [row for row in rows if not hard_stop or row[0] > back(as_of, hard_stop)]
    return [row for row in young if row[3] and row[3] <= as_of and (row[4] is None or as_of < row[4])]


# ------------------------------------------------------------------------------------------------- how it is counted


def indicator(rule, rows, deducted, as_of):
    """The tenths of one indicator after its cap."""
    each, cap = tenths(rule.get("points", 0)), tenths(rule["cap"])
    if rule["measure"] == "clean_years":
        bad = [row for kind in rule["kinds"] for row in deducted.get(kind, ())]
        touched = min(rule["years"], (as_of - min(row[3] for row in bad)).days // 365 + 1) if bad else 0
        return min(cap, (rule["years"] - touched) * each)
    found = inside([row for kind in rule["kinds"] for row in rows[kind]], rule["window_months"], as_of)
    if rule["measure"] == "months":
        return min(cap, len({(row[0].year, row[0].month) for row in found}) * each)
    if rule["measure"] == "sum":
        return min(cap, sum(row[1] for row in found) * each)
    if rule["measure"] == "count":
        return min(cap, len(found) * each)
    table = {level["level"]: tenths(level["points"]) for level in rule["levels"]}  # best
    return min(cap, max((table.get(row[2], 0) for row in found), default=0))


def count(rules, records, adult_on, as_of):
    """Everything: each indicator (i_), each dimension (d_), each deduction (n_), the points, the tier."""
    rows = counting(records, adult_on, as_of)
    stops = {rule["kind"]: rule.get("hard_stop", {}).get("months", 0) for rule in rules.get("deduction", ())}
    deducted = {kind: living(rows[kind], stop, as_of) for kind, stop in stops.items()}
    parts, names = {}, {}
    points = tenths(rules["scale"]["base"])
    for dimension in rules["dimension"]:
        inner = 0
        for rule in dimension["indicator"]:
            if rule.get("enabled", True):
                parts["i_" + rule["id"]] = indicator(rule, rows, deducted, as_of)
                names["i_" + rule["id"]] = rule["name"]
                inner += parts["i_" + rule["id"]]
        parts["d_" + dimension["id"]] = min(inner, tenths(dimension["cap"]))
        names["d_" + dimension["id"]] = dimension["name"] + "（合计）"
        points += parts["d_" + dimension["id"]]
    off = 0
    for rule in rules.get("deduction", ()):
        lost = min(tenths(rule["cap"]), len(deducted[rule["kind"]]) * tenths(rule["points"]))
        parts["n_" + rule["id"]], names["n_" + rule["id"]] = lost, rule["name"] + "（扣分）"
        off += lost
    points -= min(off, tenths(rules["scale"]["deduction_cap"]))
    points = max(tenths(rules["scale"]["low"]), min(tenths(rules["scale"]["high"]), points))
    held = any(living(rows[rule["kind"]], 0, as_of) for rule in rules.get("hold", ()))
    reached = [tier["name"] for tier in rules["tier"] if tenths(tier["from"]) <= points]
    tier = rules["tier"][0]["name"] if held else reached[-1]
    return {"points_tenths": points, "tier": tier, "held": held, **parts}, names


# ------------------------------------------------------------------------------------------------- the signature

P, Q = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(one, other):
    """The sum of two points of the curve (RFC 8032, section 5.1.4)."""
    x1, y1, x2, y2 = *one, *other
    k = D * x1 * x2 * y1 * y2 % P
    return (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P


def times(number, point):
    total = (0, 1)
    while number:
        if number & 1:
            total = add(total, point)
        point, number = add(point, point), number >> 1
    return total


def point(data):
    """The point that 32 bytes name (section 5.1.3); None when they name none."""
    y, sign = int.from_bytes(data, "little") & (1 << 255) - 1, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square or y >= P:
        return None
    return (P - x if x & 1 != sign else x), y


BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def signed(key, message, signature):
    """Whether this is the key's Ed25519 signature (section 5.1.7)."""
    a, r, s = point(key), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= Q or len(signature) != 64:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % Q
    return times(s, BASE) == add(r, times(k, a))


def bytes_of(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def payload(jws, jwks):
    """What the signature is over; with keys, checked against the one that its header names."""
    head, body, signature = jws.split(".")
    header = json.loads(bytes_of(head))
    check("manifest.jws is no signed manifest", header["typ"] == "export-manifest+jwt")
    if jwks is not None:
        keys = [one for one in jwks["keys"] if one.get("kid") == header["kid"] and one.get("crv") == "Ed25519"]
        held = any(signed(bytes_of(one["x"]), f"{head}.{body}".encode(), bytes_of(signature)) for one in keys)
        check("the signature is not by a key of jwks.json", held)
    return json.loads(bytes_of(body))


# ------------------------------------------------------------------------------------------------- the whole archive


def main(path, jwks=None):
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files["manifest.json"])
    check("manifest.json is not what was signed", payload(files["manifest.jws"].decode(), jwks) == manifest)
    check("files were added or taken away", set(manifest["files"]) | {"manifest.json", "manifest.jws"} == set(files))
    for name, said in manifest["files"].items():
        check(f"{name} was changed", hashlib.sha256(files.get(name, b"")).hexdigest() == said["sha256"])
    enrolment = json.loads(files["export.json"])["enrolment"]
    if enrolment is None:
        print("没有加入，没有分数可核对。")
        return
    digest = enrolment["score"]["scorecard"]["digest"]
    text = files.get(f"rules/{digest}.toml", b"")
    check("the rules are not those that the score names", hashlib.sha256(text).hexdigest() == digest)
    rules = tomllib.loads(text.decode(), parse_float=Decimal)
    as_of = day(enrolment["as_of"])
    found, names = count(rules, enrolment["records"], day(enrolment["adult_on"]), as_of)
    said = enrolment["parts"]
    for name in {**said, **found}:
        same = said.get(name) == found.get(name)
        check(f"{name}: exported {said.get(name)}, counted {found.get(name)}", same)
        shown = [value / 10 if type(value) is int else value for value in (said.get(name), found.get(name))]
        print(f"{'一致' if same else '不符'}  {names.get(name, name)}  导出 {shown[0]}  重算 {shown[1]}")
    check("the score shows other points", round(enrolment["score"]["points"] * 10) == said["points_tenths"])
    held = {one["id"] for one in enrolment["records"]}
    named = [one for part in enrolment["score"]["dimensions"] for one in part["indicators"]]
    for one in [*named, *enrolment["score"]["deductions"]]:
        check(f"{one['id']} rests on records that are not in the archive", set(one["records"]) <= held)


if __name__ == "__main__":
    keys = json.load(open(sys.argv[2], encoding="utf-8")) if len(sys.argv) > 2 else None
    try:
        main(sys.argv[1], keys)
    except (KeyError, ValueError, TypeError, IndexError, zipfile.BadZipFile) as error:
        check(f"the archive cannot be read: {type(error).__name__} {error}", False)
    for fault in faults:
        print("不符：", fault, file=sys.stderr)
    print("全部一致" if not faults else f"{len(faults)}处不符")
    sys.exit(1 if faults else 0)
