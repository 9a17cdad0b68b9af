import pytest

from domain.tenants import Membership, Role, Team, TeamId, User, UserId

HOSTILE_IDS = ["", "a:b", "{a}", "a b", "a\n", "a\x00", "é", "²", "'--", "a" * 65]
HOSTILE_NAMES = ["", "  ", "a\r\nb", "a\x00", "\ud800", "a" * 201]


@pytest.mark.parametrize("text", HOSTILE_IDS)
def test_an_id_that_could_be_taken_for_more_does_not_construct(text: str) -> None:
    with pytest.raises(ValueError, match="expected a user id"):
        User(UserId(text), "a@example.org", Role.VIEWER)
    with pytest.raises(ValueError, match="expected a team id"):
        Team(TeamId(text), "search")
    with pytest.raises(ValueError, match="expected a user id"):
        Membership(UserId(text), TeamId("T"))
    with pytest.raises(ValueError, match="expected a team id"):
        Membership(UserId("U"), TeamId(text))


@pytest.mark.parametrize("text", HOSTILE_NAMES)
def test_a_team_without_a_proper_name_does_not_construct(text: str) -> None:
    with pytest.raises(ValueError, match="expected a team name"):
        Team(TeamId("T"), text)


@pytest.mark.parametrize("name", ["search", "Пошук та переклад", "R&D {1}", "a" * 200])
def test_a_team_is_named_as_people_like(name: str) -> None:
    assert Team(TeamId("T-1_a"), name).name == name


@pytest.mark.parametrize(
    "email",
    ["", "a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\r\nBcc: c@d", "a@b\x00", "a" * 250 + "@b.org"],
)
def test_a_user_without_an_address_does_not_construct(email: str) -> None:
    with pytest.raises(ValueError, match="expected an e-mail address"):
        User(UserId("U"), email, Role.VIEWER)


@pytest.mark.parametrize("email", ["a@example.org", "first.last+tag@example.org", "пошта@приклад.укр"])
def test_a_user_has_an_address(email: str) -> None:
    assert User(UserId("U"), email, Role.ADMIN).email == email


def test_no_team_makes_an_admin_of_the_gateway() -> None:
    with pytest.raises(ValueError, match="found admin"):
        Membership(UserId("U"), TeamId("T"), Role.ADMIN)
    assert Membership(UserId("U"), TeamId("T")).role is Role.VIEWER
    assert Membership(UserId("U"), TeamId("T"), Role.TEAM_ADMIN).role is Role.TEAM_ADMIN


def test_roles_are_called_as_on_the_wire() -> None:
    assert [role.value for role in Role] == ["admin", "viewer", "team-admin"]
