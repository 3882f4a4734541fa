import hashlib

import pytest

from appliance.accounts import devices, people, sessions
from appliance.accounts.errors import AccountError
from appliance.accounts.tokens import hash_token
from appliance.house import House
from appliance.models import Device, User
from tests.accounts.conftest import Clock


@pytest.fixture
def ida(house: House) -> User:
    return people.add_person(house, "Ida", "correct horse battery")


@pytest.fixture
def ben(house: House) -> User:
    return people.add_person(house, "Ben", "correct horse battery")


def test_a_kobo_is_known_by_its_token_and_only_the_hash_is_kept(house: House, ida: User):
    with house.database.write() as session:
        added = devices.add_device(house, session, ida, "kobo", "Libra")
    assert added.token is not None and len(added.token) == 32 and int(added.token, 16) >= 0
    with house.database.read() as session:
        found = devices.by_token(session, added.token)
        assert found is not None and found.name == "Libra" and found.user_id == ida.id
        assert devices.by_token(session, added.token.upper()) is None
        assert devices.by_token(session, "") is None
        assert added.token not in str(found.model_dump())


def test_a_kosync_login_stores_the_hash_of_what_travels(house: House, ida: User):
    with house.database.write() as session:
        added = devices.add_device(house, session, ida, "kosync", None)
    assert added.login is not None and added.login.startswith("ida-") and added.password is not None
    with house.database.read() as session:
        found = devices.by_login(session, added.login)
    assert found is not None
    assert found.token_hash == hash_token(hashlib.md5(added.password.encode()).hexdigest())


def test_logins_never_repeat_even_for_people_of_one_name(house: House):
    logins = set()
    for name in ("Ida", "İda", "本", "ＩＤＡ２"):
        user = people.add_person(house, name, "correct horse battery")
        with house.database.write() as session:
            for _ in range(30):
                login = devices.add_device(house, session, user, "kosync", None).login
                assert login is not None and login.isascii() and login == login.lower() and ":" not in login
                logins.add(login)
    assert len(logins) == 120


def test_names_are_numbered(house: House, ida: User):
    with house.database.write() as session:
        names = [devices.add_device(house, session, ida, "kobo", None).device.name for _ in range(3)]
    assert names == ["Kobo", "Kobo 2", "Kobo 3"]


def test_an_unknown_kind_is_refused(house: House, ida: User):
    with pytest.raises(AccountError, match="kobo, koreader, kosync"), house.database.write() as session:
        devices.add_device(house, session, ida, "toaster", None)


def test_nobody_touches_the_device_of_another(house: House, ida: User, ben: User):
    with house.database.write() as session:
        added = devices.add_device(house, session, ida, "kobo", "Libra")
    number = added.device.id or 0
    for touch in (
        lambda session: devices.rename(session, ben.id or 0, number, "Mine"),
        lambda session: devices.revoke(house, session, ben.id or 0, number),
        lambda session: devices.renew(session, ben.id or 0, number),
    ):
        with pytest.raises(AccountError, match="no such device"), house.database.write() as session:
            touch(session)
    with house.database.read() as session:
        assert devices.by_token(session, added.token or "") is not None


def test_a_revoked_device_is_shut_out_with_all_that_uses_its_login(house: House, ida: User):
    with house.database.write() as session:
        login = devices.add_device(house, session, ida, "kosync", "Shared")
        session.add(
            Device(
                user_id=ida.id,
                parent_id=login.device.id,
                client_key="a",
                kind="kosync",
                name="x",
                created_at=house.now(),
            )
        )
    with house.database.write() as session:
        devices.revoke(house, session, ida.id or 0, login.device.id or 0)
    with house.database.read() as session:
        assert devices.by_login(session, login.login or "") is None
        assert devices.of_person(session, ida.id or 0) == []
        gone = devices.of_person(session, ida.id or 0, with_revoked=True)
    assert len(gone) == 2 and all(device.revoked_at and device.token_hash is None for device in gone)


def test_the_login_of_a_revoked_device_is_not_given_again(house: House, ida: User):
    with house.database.write() as session:
        first = devices.add_device(house, session, ida, "kosync", None)
        devices.revoke(house, session, ida.id or 0, first.device.id or 0)
        others = {devices.add_device(house, session, ida, "kosync", None).login for _ in range(100)}
    assert first.login not in others


def test_a_renewed_secret_ends_the_old_one(house: House, ida: User):
    with house.database.write() as session:
        old = devices.add_device(house, session, ida, "kobo", None)
        new = devices.renew(session, ida.id or 0, old.device.id or 0)
        assert new.device.id == old.device.id
        assert devices.by_token(session, old.token or "") is None
        assert devices.by_token(session, new.token or "") is not None


def test_a_browser_that_signs_in_again_is_the_device_it_was(house: House, ida: User):
    with house.database.write() as session:
        first = sessions.sign_in(house, session, ida, "Firefox on Linux")
        second = sessions.sign_in(house, session, ida, "Firefox on Linux")
        sessions.sign_out(session, first)
        third = sessions.sign_in(house, session, ida, "Firefox on Linux")
        mine = devices.of_person(session, ida.id or 0)
    assert [device.name for device in mine] == ["Firefox on Linux", "Firefox on Linux 2"]
    assert sessions.find(house, first) is None
    found = [sessions.find(house, cookie) for cookie in (second, third)]
    assert [who.device_id for who in found if who] == [mine[1].id, mine[0].id]


def test_a_session_lives_from_visit_to_visit_and_ends_with_its_browser(house: House, ida: User, clock: Clock):
    with house.database.write() as session:
        cookie = sessions.sign_in(house, session, ida, "Firefox")
    for _ in range(3):
        clock.pass_by(days=60)
        who = sessions.find(house, cookie)
        assert who is not None and who.name == "Ida"
    clock.pass_by(days=91)
    assert sessions.find(house, cookie) is None
    with house.database.write() as session:
        cookie = sessions.sign_in(house, session, ida, "Firefox")
        mine = devices.of_person(session, ida.id or 0)
        assert len(mine) == 1
        devices.revoke(house, session, ida.id or 0, mine[0].id or 0)
    assert sessions.find(house, cookie) is None


def test_a_visit_writes_at_most_once_a_day(house: House, ida: User, clock: Clock):
    with house.database.write() as session:
        cookie = sessions.sign_in(house, session, ida, "Firefox")
    file = house.settings.data / "bookwake.sqlite3-wal"
    before = file.read_bytes()
    for _ in range(10):
        clock.pass_by(hours=2)
        assert sessions.find(house, cookie)
    assert file.read_bytes() == before
    clock.pass_by(hours=5)
    assert sessions.find(house, cookie)
    assert file.read_bytes() != before


def test_all_other_browsers_can_be_signed_out(house: House, ida: User):
    with house.database.write() as session:
        here = sessions.sign_in(house, session, ida, "Firefox")
        there = sessions.sign_in(house, session, ida, "Safari")
    who = sessions.find(house, here)
    assert who is not None
    with house.database.write() as session:
        sessions.sign_out_everywhere_else(session, who.user_id, who.device_id)
    assert sessions.find(house, here) and not sessions.find(house, there)
