"""A few plain words about a device, for its owner to tell one login from another. Pure.

Promises: the words come from the lists below and from nowhere else, so what a browser says of itself (which may single
it out among millions) is not kept. Promises nothing about truth: a browser may say anything.
"""

UNKNOWN = "未知设备"
_SYSTEMS = (
    ("HarmonyOS", "鸿蒙手机"),
    ("iPhone", "苹果手机"),
    ("iPad", "苹果平板"),
    ("Android", "安卓手机"),
    ("Windows", "Windows 电脑"),
    ("Macintosh", "苹果电脑"),
    ("Linux", "Linux 电脑"),
)
_BROWSERS = (
    ("MicroMessenger", "微信"),
    ("AlipayClient", "支付宝"),
    ("Edg", "Edge 浏览器"),
    ("Firefox", "火狐浏览器"),
    ("Chrome", "Chrome 浏览器"),
    ("Safari", "Safari 浏览器"),
)


def hint(user_agent: str) -> str:
    """The words for a User-Agent header, e.g. 苹果手机 · 微信."""
    found = [next((words for mark, words in known if mark in user_agent), "") for known in (_SYSTEMS, _BROWSERS)]
    return " · ".join(words for words in found if words) or UNKNOWN
