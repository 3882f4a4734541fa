import pytest

from appliance.accounts import passwords, people
from appliance.accounts.errors import AccountError
from appliance.house import House

GOOD = "correct horse battery"


def test_a_person_is_found_by_name_in_any_case(house: House):
    people.add_person(house, "  Élise  van Dam ", GOOD)
    with house.database.read() as session:
        found = people.by_name(session, "e\u0301LISE van dam")
    assert found is not None and found.name == "Élise van Dam"


def test_the_password_proves_who_it_is_and_is_not_stored(house: House):
    user = people.add_person(house, "Ida", GOOD)
    assert GOOD not in user.password_hash and user.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    proved = people.authenticate(house, "ida", GOOD)
    assert proved is not None and proved.id == user.id
    assert people.authenticate(house, "ida", GOOD + " ") is None
    assert people.authenticate(house, "ben", GOOD) is None


def test_two_people_cannot_differ_in_case_only(house: House):
    people.add_person(house, "Ida", GOOD)
    with pytest.raises(AccountError, match="already a person called “IDA”"):
        people.add_person(house, "IDA", GOOD)


def test_only_the_first_person_can_be_the_first(house: House):
    people.add_person(house, "Ida", GOOD, only_first=True)
    with pytest.raises(AccountError, match="set up already"):
        people.add_person(house, "Ben", GOOD, only_first=True)
    with house.database.read() as session:
        assert [user.name for user in people.everybody(session)] == ["Ida"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "Ida\u202egnihton", "a\x00b"])
def test_a_name_that_cannot_be_shown_is_refused(house: House, name: str):
    with pytest.raises(AccountError):
        people.add_person(house, name, GOOD)
    with house.database.read() as session:
        assert not people.somebody(session)


@pytest.mark.parametrize("password", ["", "short", "x" * 1025])
def test_a_poor_password_is_refused(house: House, password: str):
    with pytest.raises(AccountError):
        people.add_person(house, "Ida", password)


def test_a_changed_password_replaces_the_old_one(house: House):
    user = people.add_person(house, "Ida", GOOD)
    people.change_password(house, user.id or 0, "another good one")
    assert people.authenticate(house, "Ida", "another good one")
    assert not people.authenticate(house, "Ida", GOOD)


def test_a_damaged_hash_is_no_way_in():
    assert not passwords.is_right("garbage", GOOD)
    assert not passwords.is_right("", GOOD)
    assert not passwords.is_right(None, GOOD)
