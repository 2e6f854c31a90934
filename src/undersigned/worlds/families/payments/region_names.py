"""Which invented names do people and companies of the region carry, as their records write them?

Data only. Every family name, given name and trade is common; every company root is coined, so
that no combination is meant to be an existing person or company. Pairs hold the official form
(script of the country's own records) and the romanised form (passport, cross-border messages).

Invariants:
- All values are frozen; no entry is repeated within its tuple.
- Romanised forms are ASCII.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, NamedTuple


class Written(NamedTuple):
    """A name. official: as the country's own records write it. latin: romanised, ASCII."""

    official: str
    latin: str


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _pairs(text: str) -> tuple[Written, ...]:
    words = text.split()
    return tuple(Written(*pair) for pair in zip(words[::2], words[1::2], strict=True))


CHINESE_FAMILIES: Final = _words(
    "Tan Lim Lee Ng Wong Goh Chua Chan Koh Teo Ong Yeo Chong Low Sim Foo Quek Seah Toh Ho"
)
"""Family names as Singapore and Malaysia write them (Hokkien, Teochew, Cantonese, Hainanese)."""
CHINESE_GIVEN: Final = (
    *("Wei Ling", "Jun Hao", "Hui Min", "Kok Leong", "Siew Lan", "Jia Hui", "Zhi Xuan"),
    *("Mei Fong", "Boon Kiat", "Pei Shan", "Chee Keong", "Xin Yi", "Yong Sheng", "Li Ting"),
)

MALAY_MEN: Final = (
    *("Muhammad Hafiz", "Ahmad Faizal", "Mohd Ridzuan", "Amirul Hakim", "Khairul Anuar"),
    *("Zulkifli", "Shahrul Nizam", "Iskandar", "Firdaus"),
)
MALAY_WOMEN: Final = (
    *("Nurul Aisyah", "Siti Mariam", "Noraini", "Farah Nabilah", "Rohana", "Nur Syafiqah"),
    *("Hajar", "Zaleha", "Intan Suraya"),
)
MALAY_FATHERS: Final = _words(
    "Rosli Kamarudin Othman Yusof Jamaludin Ismail Sulaiman Zainal Hamzah Bakar Latif Shaari"
)

TAMIL_MEN: Final = _words(
    "Ravichandran Selvakumar Prakash Muthukumar Ganesan Karthik Saravanan Dinesh Vikneswaran"
)
TAMIL_WOMEN: Final = _words(
    "Kavitha Shanthi Priya Vijayalakshmi Revathi Thenmozhi Malathi Kalaiselvi Yamini"
)
TAMIL_FATHERS: Final = _words(
    "Murugesan Subramaniam Krishnasamy Perumal Govindasamy Rajendran Nadarajan Veerappan Suppiah"
)

INDONESIAN_SINGLE: Final = _words(
    "Sutrisno Wahyuni Suparman Kusnadi Sumarni Paijo Mulyani Ngatiyem Tukiran Rohayati"
)
INDONESIAN_GIVEN: Final = _words(
    "Agus Dewi Bambang Ratna Eko Sri Hendra Wulan Rizky Ayu Dimas Fitri Made Ketut Yudi Maya"
)
INDONESIAN_LATER: Final = _words(
    "Prasetyo Handayani Nugroho Kurniawan Puspitasari Siregar Simanjuntak Hidayat Permata "
    "Setiawan Rahmawati Wirawan Lumbantobing Anggraini"
)

THAI_GIVEN: Final = _pairs(
    "สมชาย Somchai สุดารัตน์ Sudarat ณัฐวุฒิ Natthawut กมลชนก Kamonchanok ปิยะพงษ์ Piyaphong "
    "อรทัย Orathai วรพล Woraphon ศิริพร Siriphon ธนกร Thanakon พิมพ์ชนก Phimchanok "
    "อนุชา Anucha จันทร์เพ็ญ Chanphen"
)
THAI_FAMILIES: Final = _pairs(
    "ใจมั่นคง Chaimankhong ทองประเสริฐ Thongprasoet ศรีสุขวัฒนา Sisukwatthana "
    "บุญเรืองชัย Bunrueangchai แก้วกาญจนา Kaeokanchana วงศ์ไพศาล Wongphaisan "
    "พูนทรัพย์ดี Phunsapdi นาคสวัสดิ์ Naksawat แสงอรุณวงศ์ Saengarunwong "
    "คำหล้า Khamla มีสุขเจริญ Misukcharoen"
)

VIETNAMESE_FAMILIES: Final = _pairs(
    "Nguyễn Nguyen Trần Tran Lê Le Phạm Pham Hoàng Hoang Huỳnh Huynh Phan Phan Vũ Vu Đặng Dang "
    "Bùi Bui Đỗ Do Ngô Ngo"
)
VIETNAMESE_MIDDLE: Final = _pairs(
    "Thị Thi Văn Van Minh Minh Ngọc Ngoc Quốc Quoc Thanh Thanh Đức Duc Hữu Huu Thu Thu"
)
VIETNAMESE_GIVEN: Final = _pairs(
    "Hà Ha Hùng Hung Lan Lan Tuấn Tuan Hương Huong Dũng Dung Mai Mai Khánh Khanh Linh Linh "
    "Phúc Phuc Yến Yen Thảo Thao"
)

HAN_FAMILIES: Final = _pairs(
    "王 Wang 李 Li 张 Zhang 刘 Liu 陈 Chen 杨 Yang 赵 Zhao 黄 Huang 周 Zhou 吴 Wu 徐 Xu 孙 Sun "
    "欧阳 Ouyang"
)
HAN_GIVEN: Final = _pairs(
    "建国 Jianguo 丽华 Lihua 志强 Zhiqiang 晓燕 Xiaoyan 海涛 Haitao 雪梅 Xuemei 文博 Wenbo "
    "静 Jing 伟 Wei 思远 Siyuan 雨桐 Yutong 振东 Zhendong"
)

ENGLISH_ROOTS: Final = _words(
    "Kelindan Serumbu Arunara Pelangira Tekunara Jelutara Merantika Bakauris Cengaluma Rimbunika "
    "Ombakari Selarasta Tenggira Nilamora Gaharuna Kemunira Sentosari Beringka Lestanika Pualima"
)
"""Coined roots for Singapore, Malaysia and Indonesia."""
ENGLISH_TRADES: Final = (
    *("Precision Engineering", "Packaging", "Marine Supplies", "Office Systems", "Cold Chain"),
    *("Printing", "Facilities Services", "Electrical Works", "Textiles", "Food Ingredients"),
    *("Freight", "Safety Equipment", "Laboratory Supplies", "Timber Products"),
)
MALAY_TRADES: Final = (
    *("Pembungkusan", "Kejuruteraan", "Bekalan Pejabat", "Logistik", "Percetakan"),
    *("Peralatan Makmal", "Perkhidmatan Penyelenggaraan", "Hasil Laut"),
)
INDONESIAN_TRADES: Final = (
    *("Kemasan", "Logistik", "Sarana Teknik", "Percetakan", "Bahan Pangan", "Tekstil"),
    *("Perkakas Laut", "Jasa Perawatan", "Alat Kantor"),
)

THAI_ROOTS: Final = _pairs(
    "ศรีนภาวรรณ Sinaphawan เพชรอัมพุช Phetamphut ธารารุ่งนคร Thararungnakhon "
    "ไพรวัลย์สาคร Phraiwansakhon มณีจันทรา Manichanthra กรองเกียรติ Krongkiat "
    "ฟ้าใสวัฒน์ Fasaiwat ดารารัศมิ์ชล Dararatchon บัวบูรพา Buaburapha นพเก้าพิมาน Nopkaophiman"
)
THAI_TRADES: Final = (
    Written("บรรจุภัณฑ์", "Packaging"),
    Written("วิศวกรรม", "Engineering"),
    Written("โลจิสติกส์", "Logistics"),
    Written("การพิมพ์", "Printing"),
    Written("อาหารทะเล", "Seafood"),
    Written("เครื่องเขียน", "Stationery"),
)

VIETNAMESE_ROOTS: Final = (
    Written("Lạc Thành Vân", "Lac Thanh Van"),
    Written("Mộc Hải Nguyên", "Moc Hai Nguyen"),
    Written("Bích Sơn Khê", "Bich Son Khe"),
    Written("Thạch Giang Minh", "Thach Giang Minh"),
    Written("Tân Diệp Hòa", "Tan Diep Hoa"),
    Written("Quế Lâm Phong", "Que Lam Phong"),
    Written("An Trúc Hưng", "An Truc Hung"),
    Written("Đông Sa Lĩnh", "Dong Sa Linh"),
    Written("Ngân Hà Thụy", "Ngan Ha Thuy"),
)
VIETNAMESE_TRADES: Final = (
    Written("Bao bì", "Packaging"),
    Written("Cơ khí", "Engineering"),
    Written("Vận tải", "Transport"),
    Written("Dệt may", "Textiles"),
    Written("Thiết bị", "Equipment"),
    Written("Thực phẩm", "Foods"),
)

HAN_CITIES: Final = _pairs(
    "苏州 Suzhou 厦门 Xiamen 佛山 Foshan 南宁 Nanning 昆明 Kunming 宁波 Ningbo"
)
HAN_ROOTS: Final = _pairs(
    "禾屿川 Heyuchuan 岑澜石 Cenlanshi 砚川木 Yanchuanmu 沐舟岭 Muzhouling 朗岫风 Langxiufeng "
    "桐溆谷 Tongxugu 霁禾田 Jihetian 榆泊湾 Yubowan"
)
HAN_TRADES: Final = (
    Written("包装", "Packaging"),
    Written("精密机械", "Precision Machinery"),
    Written("电子", "Electronics"),
    Written("纺织", "Textiles"),
    Written("物流", "Logistics"),
    Written("仪器", "Instruments"),
)

OFFICERS: Final = MappingProxyType(
    {
        "SG": _words("tan lim rahman pillai goh seah"),
        "MY": _words("aziz wong hassan nair chong salleh"),
        "ID": _words("nugroho siregar handayani wijaya hidayat putri"),
        "TH": _words("wongphaisan khamla saengthong prasoet naksawat bunruang"),
        "VN": _words("nguyen tran le pham hoang vu"),
        "CN": _words("wang li zhang liu chen zhao"),
    }
)
"""Last parts of officers' ids by country; no name is in two countries."""
