"""How a KOReader becomes somebody's device, and who does not become one."""

from datetime import timedelta

import pytest
from sqlmodel import select

from appliance.accounts import devices, pairing, people
from appliance.accounts.errors import AccountError
from appliance.accounts.pairing import Paired, TooManyWaiting
from appliance.house import House
from appliance.models import Device, Pairing, User
from tests.accounts.conftest import Clock

KOBO = {"model": "Kobo_spaBW", "koreader": "v2026.07.2", "plugin": "1.0.0", "device_id": "A" * 32}


@pytest.fixture
def ida(house: House) -> User:
    return people.add_person(house, "Ida", "correct horse battery")


def offered(house: House, user: User, **options) -> str:
    with house.database.write() as session:
        return pairing.offer_code(house, session, user.id, **options)[0]


def redeemed(house: House, code: str, about=KOBO, name=None) -> Paired | None:
    with house.database.write() as session:
        return pairing.redeem(house, session, code, about, name)


def test_a_typed_code_makes_a_device(house: House, ida: User):
    code = offered(house, ida)
    assert len(code) == 6 and not set(code) & set("01IO")
    paired = redeemed(house, f" {code[:3].lower()}-{code[3:]} ")
    assert paired is not None and paired.person == "Ida" and paired.device.name == "Kobo_spaBW"
    with house.database.read() as session:
        found = devices.by_token(session, paired.token)
        assert found is not None and (found.kind, found.user_id, found.details) == ("koreader", ida.id, KOBO)
        kept = session.exec(select(Pairing)).one()
    assert code not in str(kept.model_dump()) and paired.token not in str(found.model_dump())


def test_a_code_works_once(house: House, ida: User):
    code = offered(house, ida)
    assert redeemed(house, code)
    assert redeemed(house, code, {**KOBO, "device_id": "B" * 32}) is None
    assert redeemed(house, code, {}) is None


def test_an_answer_that_was_lost_may_be_asked_for_again(house: House, ida: User):
    code = offered(house, ida)
    first, again = redeemed(house, code), redeemed(house, code)
    assert first and again and first.device.id == again.device.id and first.token != again.token
    with house.database.write() as session:
        assert devices.by_token(session, first.token) is None
        device = devices.by_token(session, again.token)
        assert device is not None
        device.last_seen_at = house.now()
    assert redeemed(house, code) is None, "it has its token"


def test_a_code_ends(house: House, ida: User, clock: Clock):
    code, enclosed = offered(house, ida), offered(house, ida, is_enclosed=True)
    clock.now += timedelta(minutes=11)
    assert redeemed(house, code) is None
    clock.now += timedelta(hours=23)
    assert redeemed(house, enclosed) is not None
    late = offered(house, ida, is_enclosed=True)
    clock.now += timedelta(hours=25)
    assert redeemed(house, late) is None
    offered(house, ida)
    with house.database.read() as session:
        assert len(session.exec(select(Pairing)).all()) == 1, "those that ended are gone"


@pytest.mark.parametrize("code", ["", "AAAAAA", "a" * 4000, "\0", "Ⅷ" * 6])
def test_a_wrong_code_makes_nothing(house: House, ida: User, code: str):
    offered(house, ida)
    assert redeemed(house, code) is None
    with house.database.read() as session:
        assert session.exec(select(Device)).all() == []


def test_a_shown_code_is_accepted_by_whoever_is_signed_in(house: House, ida: User, clock: Clock):
    ben = people.add_person(house, "Ben", "correct horse battery")
    with house.database.write() as session:
        shown = pairing.begin(house, session, KOBO, "Nightstand")
        assert pairing.poll(house, session, shown.secret) is True
        assert pairing.poll(house, session, "no secret") is False
        assert pairing.redeem(house, session, shown.code, KOBO, None) is None, "it is not the device that is asked"
        assert pairing.accept(house, session, ida.id, shown.code) == "Nightstand"
    with pytest.raises(AccountError, match="No KOReader shows this code"), house.database.write() as session:
        pairing.accept(house, session, ben.id, shown.code)
    with house.database.write() as session:
        paired = pairing.poll(house, session, shown.secret)
        assert isinstance(paired, Paired) and paired.person == "Ida" and paired.device.name == "Nightstand"
    clock.now += timedelta(minutes=11)
    with house.database.write() as session:
        assert pairing.poll(house, session, shown.secret) is False


def test_a_code_that_is_offered_is_not_one_that_is_shown(house: House, ida: User):
    code = offered(house, ida)
    with pytest.raises(AccountError), house.database.write() as session:
        pairing.accept(house, session, ida.id, code)


def test_strangers_cannot_fill_the_table(house: House, ida: User):
    with house.database.write() as session:
        for _ in range(pairing.MAX_WAITING):
            pairing.begin(house, session, {}, None)
        with pytest.raises(TooManyWaiting):
            pairing.begin(house, session, {}, None)


def test_names_that_cannot_be_shown_are_not_taken_from_a_reader(house: House, ida: User):
    paired = redeemed(house, offered(house, ida), {"model": "\x1b[31m"}, "x" * 200)
    assert paired is not None and paired.device.name == "KOReader"
    named = redeemed(house, offered(house, ida, name="Tolino"), KOBO, "Something else")
    assert named is not None and named.device.name == "Tolino", "as its owner said"


def test_a_removed_device_does_not_come_back_by_its_code(house: House, ida: User):
    code = offered(house, ida)
    paired = redeemed(house, code)
    assert paired is not None and paired.device.id is not None
    with house.database.write() as session:
        devices.revoke(house, session, ida.id, paired.device.id)
    assert redeemed(house, code) is None
