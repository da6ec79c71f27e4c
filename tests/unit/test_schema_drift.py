"""What differs between two looks at a database's objects."""

from daap_operator.schema.drift import Change, Drift, Key, Object, changes, drift, of_ledger

TABLE = Key("table", "public.a")
COLUMN = Key("column", "public.a.x")
INDEX = Key("index", "public.i")


def thing(digest: str, definition: str = "", **more: object) -> Object:
    return Object(digest, definition or digest, **more)  # type: ignore[arg-type]


def test_nothing_differs_where_all_is_as_recorded() -> None:
    objects = {TABLE: thing("1"), COLUMN: thing("2", parent="public.a")}
    assert drift(objects, objects) == []


def test_of_a_table_that_is_gone_or_unknown_the_table_alone_is_told() -> None:
    objects = {
        TABLE: thing("1", file="001.sql"),
        COLUMN: thing("2", parent="public.a"),
        INDEX: thing("3", parent="public.a"),
    }
    assert [(each.change, each.key) for each in drift(objects, {})] == [(Change.GONE, TABLE)]
    assert [(each.change, each.key) for each in drift({}, objects)] == [(Change.UNKNOWN, TABLE)]


def test_what_goes_with_a_table_that_stays_is_told_by_itself() -> None:
    before = {TABLE: thing("1"), COLUMN: thing("2", parent="public.a")}
    assert [each.key for each in drift(before, {TABLE: thing("1")})] == [COLUMN]


def test_another_major_version_may_write_a_definition_in_other_words() -> None:
    recorded = {INDEX: thing("1", major=15)}
    assert drift(recorded, {INDEX: thing("2", major=16)}) == []
    assert [each.change for each in drift(recorded, {INDEX: thing("2", major=15)})] == [
        Change.CHANGED
    ]


def test_an_invalid_index_is_told_as_such_whether_it_is_known_or_not() -> None:
    seen = {INDEX: thing("2", "INVALID CREATE INDEX i", major=16)}
    for recorded in ({}, {INDEX: thing("1", major=16, file="002.sql")}):
        (found,) = drift(recorded, seen)
        assert found.change is Change.INVALID
        assert "is invalid" in found.told()


def test_a_difference_is_shown_from_where_it_begins() -> None:
    was = "owner daap " + "the same words again " * 10 + "RETURN OLD; END"
    now = was.replace("OLD", "NEW")
    told = Drift(Change.CHANGED, INDEX, file="001.sql", was=was, now=now).told()
    assert told.startswith("index public.i is not as 001.sql made it: …")
    assert "RETURN OLD; END was made" in told
    assert "RETURN NEW; END is there" in told
    assert len(told) < 300


def test_a_difference_beyond_what_is_kept_is_told_as_that() -> None:
    told = Drift(Change.CHANGED, INDEX, was="the same", now="the same").told()
    assert "further back than what is recorded" in told


def test_names_and_definitions_are_shown_with_all_they_hold() -> None:
    hostile = Key("table", '"a\x1b]0;x\u202e"')
    told = Drift(Change.UNKNOWN, hostile, now="b\nc\x07").told()
    assert told.isprintable()


def test_changes_are_what_came_about_between_two_looks() -> None:
    before = {TABLE: thing("1"), COLUMN: thing("2")}
    after = {TABLE: thing("1"), COLUMN: thing("3"), INDEX: thing("4")}
    assert changes(before, after) == ({COLUMN: thing("3"), INDEX: thing("4")}, [])
    assert changes(after, before) == ({COLUMN: thing("2")}, [INDEX])


def test_each_ledger_is_told_of_its_own_and_of_what_is_nobodys() -> None:
    table, other = Key("table", "a"), Key("table", "b")
    recorded = {
        table: Object("1", file="001.sql", ledger="mine"),
        other: Object("1", file="001.sql", ledger="theirs"),
    }
    column, more, stray = Key("column", "a.x"), Key("column", "b.x"), Key("table", "c")
    seen = {
        table: Object("1"),
        column: Object("1", parent="a"),
        more: Object("1", parent="b"),
        stray: Object("1"),
    }
    found = drift(recorded, seen)
    assert [each.key for each in of_ledger(found, recorded, seen, "mine")] == [column, stray]
    assert [each.key for each in of_ledger(found, recorded, seen, "theirs")] == [more, other, stray]
