"""Text that is not UTF-8: read correctly and reported, or refused with a message that says "encoding"."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symtune.tables import load_tables
from symtune.tables.encodings import check_encoding, decode
from symtune.tables.model import BrokenSource
from symtune.types import InputError

WORDS = {
    "ru": "город население москва казань река область страна имя дата сумма товар цена склад клиент улица погода",
    "uk": "місто населення київ львів річка країна ціна область вулиця їжа",
    "zh": "城市 人口 年份 北京 上海 广州 河流 国家 名称 日期 金额 商品 价格 客户 街道 订单 苹果 姓名 地址",
    "ja": "都市 人口 東京 大阪 名前 日付 金額 商品 価格 顧客 りんご ミルク パン 住所 山田太郎 とうきょう カタカナ",
    "ko": "도시 인구 연도 서울 부산 국가 이름 날짜 금액 상품 가격 고객 주문 사과 우유 주소",
    "zh-tw": "城市 人口 臺北 高雄 國家 名稱 金額 商品 價格 客戶 街道 訂單 蘋果 姓名 電話",
    "fr": "ville année Orléans Béziers région prix château forêt reçu français numéro Québec",
    "de": "Stadt München Köln Düsseldorf Straße Größe Käse Öl Übung Bär Menge",
    "es": "ciudad población año Málaga Almería Coruña España niño señor río teléfono",
    "pl": "miasto ludność Łódź Kraków Gdańsk imię źródło ćma ślub żółw rzeka województwo",
    "cs": "město počet Plzeň Děčín Třebíč jméno řeka žena čas škola Příbram",
    "tr": "şehir nüfus yıl İstanbul İzmir Muğla ağaç çiçek ırmak Eskişehir",
    "el": "πόλη πληθυσμός έτος Αθήνα Θεσσαλονίκη όνομα τιμή χώρα ποτάμι",
    "he": "עיר אוכלוסיה שנה ירושלים חיפה מחיר מדינה תאריך",
    "ar": "مدينة السكان سنة القاهرة بغداد اسم سعر دولة تاريخ",
    "th": "เมือง ประชากร กรุงเทพ เชียงใหม่ ชื่อ ราคา ประเทศ",
}
ENCODINGS = [  # language, encoding, whether a whole small table in it is to be read (others may be refused)
    ("ru", "cp1251", True), ("ru", "koi8_r", True), ("ru", "cp866", True), ("uk", "cp1251", True),
    ("zh", "gbk", True), ("zh", "gb18030", True), ("zh-tw", "big5", True), ("ja", "shift_jis", True),
    ("ja", "cp932", True), ("ja", "euc_jp", True), ("ja", "iso2022_jp", True), ("ko", "euc_kr", True),
    ("fr", "cp1252", True), ("de", "cp1252", True), ("es", "latin-1", True), ("el", "cp1253", True),
    ("he", "cp1255", True), ("ar", "cp1256", True), ("th", "cp874", True), ("pl", "cp1250", True),
    ("pl", "iso8859_2", True), ("cs", "cp1250", False), ("tr", "cp1254", False), ("de", "cp850", False),
    ("fr", "mac_roman", False),
]  # fmt: skip
WIDE = ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-16", "utf-32", "utf-8-sig"]


@pytest.mark.parametrize(("language", "encoding", "read"), ENCODINGS)
def test_a_table_is_read_right_or_refused(tmp_path: Path, language: str, encoding: str, read: bool) -> None:
    words = WORDS[language].split()
    for size in (1, 2, 4, 12, 40):
        rows = [f"{words[at % len(words)]},{words[(at * 7 + 3) % len(words)]},{at}" for at in range(size)]
        text = "\n".join([f"{words[0]},{words[1]},n", *rows]) + "\n"
        path = tmp_path / "t.csv"
        path.write_bytes(text.encode(encoding))
        refused = ""
        try:
            loaded = load_tables(path)
        except InputError as error:
            refused = str(error)
        if refused:
            assert "encoding" in refused
            assert not read or size < 12, size
        else:
            assert loaded.tables[0].rows == tuple(tuple(row.split(",")) for row in rows), size
            assert text.isascii() or any("not UTF-8: read as" in kind for kind in loaded.repaired), size
        assert load_tables(path, encoding=encoding).tables[0].header == tuple(text.split("\n", 1)[0].split(","))


@pytest.mark.parametrize("encoding", WIDE)
@pytest.mark.parametrize("language", WORDS)
def test_utf_16_and_its_kin_are_known_without_a_mark(tmp_path: Path, language: str, encoding: str) -> None:
    words = WORDS[language].split()
    for size in (1, 5, 300):
        rows = [f"{words[at % len(words)]};{at};x" for at in range(size)]
        text = "\r\n".join([f"{words[0]};n;a", *rows]) + "\r\n"
        path = tmp_path / "t.csv"
        path.write_bytes(text.encode(encoding))
        loaded = load_tables(path)
        assert loaded.tables[0].rows == tuple(tuple(row.split(";")) for row in rows)
        assert bool(loaded.repaired) == encoding.endswith(("le", "be"))


FEW = [  # a few letters that are not ASCII in a file that is: what they are is known, or is not
    ("caf\xe9", "cp1252", True), ("K\xf6ln", "cp1252", True), ("5 °C", "cp1252", True), ("€5", "cp1252", True),
    ("don’t", "cp1252", True), ("S\xe3o Paulo", "cp1252", True), ("Gdańsk", "cp1250", False),
    ("şehir", "cp1254", False), ("москва", "cp1251", False), ("客户", "gbk", False), ("東京", "euc_jp", False),
    ("価格", "shift_jis", False), ("상품", "euc_kr", False), ("є", "koi8_u", False), ("château", "cp850", False),
    ("שם", "cp1255", False),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "encoding", "read"), FEW)
def test_a_single_foreign_cell_is_never_read_wrong(cell: str, encoding: str, read: bool) -> None:
    text = "id,name,n\n" + "".join(f"{number},item,{number}\n" for number in range(20)) + f"20,{cell},1\n"
    if not read:
        with pytest.raises(BrokenSource, match="encoding"):
            decode(text.encode(encoding), "t.csv")
        return
    got, notes = decode(text.encode(encoding), "t.csv")
    assert got == text
    assert notes == {"file is not UTF-8: read as Windows-1252 (guessed)": 1}


def test_utf_8_with_a_broken_byte_is_utf_8() -> None:
    text = "".join(f"Köln {number}, Orléans\n" for number in range(9))
    assert decode(text.encode() + b"\xff\n", "t.csv") == (
        text + "\ufffd\n",
        {"byte that is not UTF-8: replaced by U+FFFD": 1},
    )
    assert decode(b"a,b\n\0,1\n" * 3, "t.csv") == ("a,b\n\0,1\n" * 3, {})
    assert decode("a\x1b[0m,é\n".encode(), "t.csv") == ("a\x1b[0m,é\n", {})


TOLD = [
    ("utf-8", "é,ü\n".encode("latin-1"), "not in the encoding utf-8"),
    ("ascii", "é".encode(), "not in the encoding ascii"),
    ("utf-16", b"abc", "not in the encoding utf-16-le"),
    ("idna", b"xn--a\xff,", "not in the encoding idna"),
]


@pytest.mark.parametrize(("encoding", "data", "told"), TOLD)
def test_an_encoding_that_is_not_the_files_is_refused(encoding: str, data: bytes, told: str) -> None:
    with pytest.raises(BrokenSource, match=told) as raised:
        decode(data, "t.csv", check_encoding(encoding))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["klingon", "base64", "", "rot13", "a\0"])
def test_names_that_are_no_encoding_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    with pytest.raises(InputError, match=r"--encoding .*encoding"):
        load_tables(tmp_path, encoding=name)


@given(st.binary(max_size=60))
def test_any_bytes_are_text_or_one_line(data: bytes) -> None:
    try:
        text, _ = decode(data, "t.csv")
    except BrokenSource as error:
        text = str(error) if "encoding" in str(error) else "?\n"
        assert "\n" not in text
    text.encode("utf-8")


def sqlite_file(path: Path, values: list[bytes]) -> Path:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (id INTEGER, name TEXT)")
    connection.executemany("INSERT INTO t VALUES (?, CAST(? AS TEXT))", enumerate(values))
    connection.commit()
    connection.close()
    return path


def test_a_name_in_sqlite_that_is_not_utf_8_costs_its_table(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.executescript("CREATE TABLE tXb (a); CREATE TABLE d (coXl); CREATE TABLE ok (a);")
    connection.executescript("INSERT INTO tXb VALUES (1); INSERT INTO d VALUES (1); INSERT INTO ok VALUES (1);")
    connection.close()
    data = (tmp_path / "a.db").read_bytes()
    (tmp_path / "a.db").write_bytes(data.replace(b"tXb", b"t\xe9b").replace(b"coXl", b"co\xe9l"))
    loaded = load_tables(tmp_path)
    assert [table.name for table in loaded.tables] == ["ok"]
    assert loaded.dropped == {"name of a table or column that is not UTF-8": 2}


def test_text_of_sqlite_that_is_not_utf_8_is_read_or_mended_and_counted(tmp_path: Path) -> None:
    names = ["Almería", "Málaga", "Oslo", "A Coruña", "Köln"]
    path = sqlite_file(tmp_path / "a.db", [name.encode("latin-1") for name in names])
    loaded = load_tables(path)
    assert [row[1] for row in loaded.tables[0].rows] == names
    assert loaded.repaired == {"text that is not UTF-8: read as Windows-1252 (guessed)": 4}
    path = sqlite_file(tmp_path / "b.db", [b"Oslo", "Gdańsk".encode("cp1250"), "Köln".encode()])
    loaded = load_tables(path)
    assert [row[1] for row in loaded.tables[0].rows] == ["Oslo", "Gda\ufffdsk", "Köln"]
    assert loaded.repaired == {"text that is not UTF-8: U+FFFD for what is broken": 1}
    loaded = load_tables(path, encoding="cp1250")
    assert [row[1] for row in loaded.tables[0].rows] == ["Oslo", "Gdańsk", "Köln"]
    assert loaded.repaired == {"text that is not UTF-8: read as cp1250": 1}
