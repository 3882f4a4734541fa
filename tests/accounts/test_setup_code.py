from appliance.accounts import people, setup_code
from appliance.house import House
from appliance.models import Setting


def test_the_code_is_right_however_it_is_typed_and_only_its_hash_is_kept(house: House):
    code = setup_code.renew(house)
    assert code is not None and len(code) == 14
    with house.database.read() as session:
        assert setup_code.is_right(session, code)
        assert setup_code.is_right(session, f" {code.replace('-', ' ').lower()} ")
        assert not setup_code.is_right(session, code[:-1])
        assert not setup_code.is_right(session, "")
        assert code.replace("-", "") not in session.get_one(Setting, "setup_code_hash").value


def test_each_start_has_a_new_code_and_the_old_one_ends(house: House):
    old, new = setup_code.renew(house), setup_code.renew(house)
    with house.database.read() as session:
        assert new and setup_code.is_right(session, new)
        assert old and not setup_code.is_right(session, old)


def test_with_the_first_person_the_code_ends(house: House):
    code = setup_code.renew(house)
    people.add_person(house, "Ida", "correct horse battery")
    assert setup_code.renew(house) is None
    with house.database.read() as session:
        assert code and not setup_code.is_right(session, code)
