"""The language of `recognition.toml` as JSON Schema (2020-12), for editors and for whoever checks without us.

Pure. Drawn from the reader itself (`core.policysketch`). It covers form; what a map may not say of our perks is judged
by `policy check` and before a draft is kept. TOML dates appear as texts of their form.
"""

import json
import sys
from typing import Any

from core.policysketch import Sketch
from incentives.visitors import mapfile

ADDRESS = "/v1/rules/recognition.schema.json"

_WORDS = {
    "level": "互认等级，一级一个表；在城市里是该市属于的等级",
    "city": "互认的城市，一市一个表",
    "id": "等级的代号",
    "code": "城市代码（GB/T 2260，六位数字）",
    "name": "给市民看的名称",
    "issuer": "该市凭证的签发地址；写了就必须与互认名单一致",
    "rule": "一条互认规则：对方的一个门槛在本市相当于哪些便利；城市自己的规则优先于等级的",
    "predicate": "对方公布的门槛：over_ 加上整数分，例如 over_120；从不换算分数",
    "perks": "在本市可享受的便利的代号，内容与本市市民相同",
    "from": "从哪天起，不带引号；不写是生效日起",
    "until": "到哪天为止，含当天，不带引号",
    "kind": "依据的种类：demo 示范、city_decision 城市决定、policy 政策文件、law 法律条文",
    "cite": "引用的文件或条文；demo 不写",
    "basis": "依据",
}


def schema() -> dict[str, Any]:
    """Give the JSON Schema of the file."""
    sketch = Sketch(_WORDS, {})
    mapfile.read(sketch)
    said = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:osmanthus:{ADDRESS}"}
    return {**said, "title": "城市互认", **sketch.drawn()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(schema(), ensure_ascii=False, indent=1) + "\n")
