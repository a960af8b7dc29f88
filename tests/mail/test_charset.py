"""Texts of servers in the character sets of their homes."""

from hypothesis import given, strategies as st
import pytest

from custom_components.email_courier.mail.charset import decode
from custom_components.email_courier.mail.reply import Reply, clean_text


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("gbk", "Error: 请使用授权码登录"),
        ("gbk", "用户名或密码错误"),
        ("gbk", "登录失败"),
        ("gb18030", "Error: 请使用授权码登录。详情请看: http://service.mail.qq.test"),
        ("big5", "驗證失敗：使用者名稱或密碼錯誤"),
        ("big5", "密碼錯誤"),
        ("shift_jis", "認証に失敗しました。パスワードが違います"),
        ("shift_jis", "メールボックスがいっぱいです"),
        ("euc-kr", "인증에 실패했습니다"),
        ("euc-kr", "비밀번호 오류"),
        ("windows-1251", "Неверное имя пользователя или пароль"),
        ("windows-1251", "Доступ запрещён"),
        ("windows-1253", "Λάθος όνομα χρήστη ή κωδικός"),
        ("windows-1252", "Ungültiger Benutzername oder Passwort"),
        ("windows-1252", "Échec de l\u2019authentification"),
        ("latin-1", "Identifiant ou mot de passe erroné"),
        ("latin-1", "Usuário ou senha inválidos"),
        ("windows-1250", "Nieprawidłowa nazwa użytkownika"),
        ("windows-1250", "Błędne hasło"),
        ("windows-1254", "Geçersiz kullanıcı adı veya şifre"),
        ("utf-8", "请使用授权码登录, naïve"),
    ],
)
def test_words_are_read_in_the_charset_in_which_they_make_sense(charset: str, text: str) -> None:
    raw = b"5.7.8 " + text.encode(charset)
    assert decode(raw) == f"5.7.8 {text}"
    assert Reply.parse(535, raw).lines == (f"5.7.8 {text}",)


def test_what_makes_no_sense_becomes_replacement_characters() -> None:
    assert clean_text(b"ok \xff\xfe") == "ok \ufffd\ufffd"


@given(st.binary(max_size=200))
def test_any_bytes_become_a_text(raw: bytes) -> None:
    assert isinstance(decode(raw), str)
