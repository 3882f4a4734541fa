"""Highlights and notes in the reader, in a real browser, and what the server and other readers have of them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from appliance.house import House
from appliance.reading.annotations.report import Said
from tests.chromium import DESKTOP, PHONE, signed_in
from tests.server import BOOKS, Server, eventually, running_server
from tests.webreader.marking_hand import Hand
from tests.webreader.open_reader import OpenReader, books, query
from tests.webreader.other_reader import OtherReader, ink

# Each test is the visit of a person, with its pauses; together they take minutes.
pytestmark = pytest.mark.slow

NOVEL = "l-frank-baum_the-marvelous-land-of-oz.epub"
VERTICAL = "ebooklib_kokoro-vertical-ruby.epub"
ARABIC = "regime-anticancer-arabic.epub"

CHAPTER = "Tip Manufactures a Pumpkinhead"
WORDS = "In the Country of the Gillikins, which is at the North of the Land of Oz"
FAR = "Great was the amazement of Queen Jinjur"
OTHER = "lived a youth called Tip"
FIRST_NAME = "Tippetarius"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(books=[BOOKS / name for name in (NOVEL, VERTICAL, ARABIC)]) as server:
        yield server


@pytest.fixture
def reader(page: Page, server: Server) -> OpenReader:
    reader = OpenReader(page, server, books(server)[NOVEL]).open()
    reader.jump(CHAPTER)
    return reader


@pytest.fixture
def hand(reader: OpenReader) -> Hand:
    return Hand(reader.page)


def quotes(server: Server, person: str) -> list[tuple[str, str, str, str, str]]:
    """Words by their canonical range, text, note, colour and style of the person's living annotations."""
    return query(
        server,
        "SELECT json_extract(quote, '$.exact'), text, note, colour, style"
        " FROM annotation JOIN user ON user_id = user.id"
        " WHERE user.name = ? AND deleted_at IS NULL ORDER BY first",
        person,
    )


def seen_again(page: Page) -> None:
    """The page comes to the front."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_highlight_with_the_mouse_reload_and_it_is_on_the_same_words(
    server: Server, person: str, reader: OpenReader, hand: Hand
) -> None:
    hand.drag(WORDS)
    hand.paint("Green")
    (covered,) = hand.wait_drawn(1).values()
    assert covered == ink(WORDS)
    reader.wait_saved()
    assert quotes(server, person) == [(ink(WORDS), WORDS, "", "web:#a5d6a7", "highlight")]
    for size in (PHONE, {"width": 600, "height": 800}, DESKTOP):
        reader.page.set_viewport_size(size)
        reader.open()
        assert list(hand.wait_drawn(1).values()) == [ink(WORDS)]
    assert len(quotes(server, person)) == 1
    expect(reader.page.locator("#mark-bar")).to_be_hidden()


def test_recolour_underline_note_delete_and_undo(server: Server, person: str, reader: OpenReader, hand: Hand) -> None:
    page = reader.page
    hand.drag(OTHER)
    hand.paint("Yellow")
    reader.wait_saved()
    here = reader.cfi
    hand.tap(OTHER)
    hand.paint("Blue")
    reader.wait_saved()
    assert quotes(server, person)[0][3:] == ("web:#90caf9", "highlight")
    hand.tap(OTHER)
    page.click("#mark-underline")
    reader.wait_saved()
    assert quotes(server, person)[0][4] == "underline"
    assert list(hand.wait_drawn(1).values()) == [ink(OTHER)]
    hand.tap(OTHER)
    page.click("#mark-write")
    page.keyboard.type("He is the hero.\nRemember him.")
    page.click("#mark-note >> text=Save >> nth=-1")
    reader.wait_saved()
    assert quotes(server, person)[0][2] == "He is the hero.\nRemember him."
    hand.tap(OTHER)
    page.click("#mark-delete")
    assert hand.wait_drawn(0) == {}
    reader.wait_saved()
    assert quotes(server, person) == []
    page.click("#notice >> text=Undo")
    hand.wait_drawn(1)
    reader.wait_saved()
    assert quotes(server, person) == [(ink(OTHER), OTHER, "He is the hero.\nRemember him.", "web:#90caf9", "underline")]
    assert reader.cfi == here, "no tap turned a page"


def test_a_bar_that_was_open_while_the_server_told_of_the_last_act(
    server: Server, person: str, reader: OpenReader, hand: Hand
) -> None:
    page = reader.page
    hand.drag(OTHER)
    hand.paint("Yellow")
    reader.wait_saved()
    page.route("**/annotations?*", lambda route: None)  # waits until nobody routes it any more
    hand.tap(OTHER)
    hand.paint("Blue")
    reader.wait_saved()
    hand.tap(OTHER)  # the bar is about the highlight as it was told before it was blue
    with page.expect_response("**/annotations?*"):
        page.unroute("**/annotations?*")
    page.wait_for_timeout(300)
    page.click("#mark-delete")
    hand.wait_drawn(0)
    reader.wait_saved()
    assert quotes(server, person) == []


def test_its_ends_are_moved_by_hand_and_by_keyboard(
    server: Server, person: str, reader: OpenReader, hand: Hand
) -> None:
    page = reader.page
    start, stop = page.locator("#mark-start"), page.locator("#mark-stop")
    hand.drag(OTHER)
    hand.paint("Yellow")
    reader.wait_saved()
    hand.tap(OTHER)
    hand.pull(start, *hand.ends(WORDS)[:2])
    both = f"{WORDS}, {OTHER}"
    hand.wait_covered(both)
    reader.wait_saved()
    assert quotes(server, person) == [(ink(both), both, "", "web:#ffe066", "highlight")]

    page.keyboard.press("Escape")
    page.keyboard.press("m")
    page.click("#marks >> text=Move its ends")
    expect(start).to_be_focused()
    page.keyboard.press("Tab")
    expect(stop).to_be_focused()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    hand.wait_covered(both.removesuffix(" Tip"))
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Escape")
    expect(hand.bar).to_be_hidden()
    expect(start).to_be_hidden()
    hand.wait_covered(both.removesuffix(" Tip"))
    reader.wait_saved()
    assert quotes(server, person)[0][1] == both.removesuffix(" Tip")

    # An end does not pass the other, and what was begun is kept when another place is tapped.
    hand.tap(WORDS)
    hand.pull(stop, *hand.ends("Gillikins")[2:])
    hand.wait_covered("In the Country of the Gillikins")
    start.focus()
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    page.mouse.click(300, 600)
    hand.wait_covered("Gillikins")
    reader.wait_saved()
    reader.open()
    hand.wait_covered("Gillikins")


def test_a_selection_can_be_noted_copied_and_put_away(
    server: Server, person: str, reader: OpenReader, hand: Hand
) -> None:
    page = reader.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    hand.drag(OTHER)
    page.click("#mark-copy")
    page.locator("#notice", has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == OTHER
    hand.drag(OTHER)
    page.click("#mark-write")
    page.keyboard.type("not this")
    page.click("#mark-note >> text=Cancel")
    hand.drag(OTHER)
    here = reader.cfi
    page.mouse.click(300, 600)
    expect(hand.bar).to_be_hidden()
    page.wait_for_timeout(400)
    assert reader.cfi == here, "the tap put the bar away and turned no page"
    assert quotes(server, person) == []
    hand.drag(OTHER)
    page.click("#mark-write")
    page.keyboard.type("but this")
    page.keyboard.press("Escape")
    hand.wait_drawn(1)
    reader.wait_saved()
    assert quotes(server, person)[0][1:3] == (OTHER, "but this")


def test_by_keyboard_alone(server: Server, person: str, reader: OpenReader, hand: Hand) -> None:
    page = reader.page
    hand.select(OTHER)
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Yellow"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    hand.wait_drawn(1)
    reader.wait_saved()
    assert quotes(server, person)[0][3] == "web:#a5d6a7"
    page.keyboard.press("m")
    page.locator("#marks[open]").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.type("typed")
    page.keyboard.press("Escape")
    eventually(lambda: quotes(server, person)[0][2] == "typed")
    seen_again(page)  # the list is made anew
    stays = "document.activeElement.dataset.key?.startsWith('write-')"
    eventually(lambda: page.evaluate(stays))
    # The same while the window to write in is open.
    page.keyboard.press("Enter")
    page.evaluate("document.querySelector('#marks [data-key^=write-]').isOld = true")
    seen_again(page)
    eventually(lambda: not page.evaluate("document.querySelector('#marks [data-key^=write-]').isOld"))
    page.keyboard.press("Escape")
    eventually(lambda: page.evaluate(stays))


def test_those_of_other_readers_arrive_at_the_same_words(
    server: Server, house: House, person: str, reader: OpenReader, hand: Hand
) -> None:
    book = books(server)[NOVEL]
    koreader, kobo = OtherReader(house, person, "koreader", book), OtherReader(house, person, "kobo", book)
    koreader.highlight("1", WORDS, colour="purple", note="from KOReader")
    kobo.highlight("uuid-1", OTHER, colour="#B2E1E8")
    assert hand.drawn() == {}
    seen_again(reader.page)
    assert sorted(hand.wait_drawn(2).values()) == sorted([ink(WORDS), ink(OTHER)])
    # What is done to it here, goes back to where it came from.
    hand.tap(OTHER)
    hand.paint("Pink")
    reader.wait_saved()
    assert {one.native_id: one.fields["colour"] for one in kobo.sync()}["uuid-1"] == "#E8AFCF"
    # What is done there, shows here.
    koreader.delete("1")
    seen_again(reader.page)
    assert list(hand.wait_drawn(1).values()) == [ink(OTHER)]


def test_the_list_goes_there_and_tells_why_not(
    server: Server, house: House, person: str, reader: OpenReader, hand: Hand
) -> None:
    page = reader.page
    koreader = OtherReader(house, person, "koreader", books(server)[NOVEL])
    lost = ["/body/DocFragment[99]/body/p[1]/text().0", "/body/DocFragment[99]/body/p[1]/text().5"]
    koreader.say(Said("lost", "highlight", lost, {"text": "words of another edition", "note": "mine"}))
    koreader.highlight("far", FAR)
    koreader.highlight("near", WORDS)
    page.keyboard.press("m")
    items = page.locator("#marks .content > ul").first.locator("li .quote")
    expect(items).to_have_count(2)
    assert items.all_inner_texts() == [WORDS, FAR]
    gone = page.locator("#marks ul").nth(1)
    assert "words of another edition" in gone.inner_text() and "mine" in gone.inner_text()
    assert "It is in a part that this file of the book does not have." in gone.inner_text()
    before = reader.cfi
    items.nth(1).click()
    reader.wait_moved(before)
    expect(page.locator("#marks")).to_be_hidden()
    assert ink(FAR) in hand.wait_drawn(1).values()
    assert ink(FAR) in ink(reader.top(3000))
    page.click("#notice >> text=Go back")
    reader.wait_moved(reader.cfi)


def test_two_notes_are_merged_by_the_person(
    server: Server, house: House, person: str, reader: OpenReader, hand: Hand
) -> None:
    page = reader.page
    koreader = OtherReader(house, person, "koreader", books(server)[NOVEL])
    koreader.highlight("1", OTHER)
    seen_again(page)
    hand.wait_drawn(1)
    koreader.highlight("1", OTHER, note="written on the reader")
    hand.tap(OTHER)
    page.click("#mark-write")
    page.keyboard.type("written here")
    page.click("#mark-note >> text=Save >> nth=-1")
    page.locator("#notice", has_text="Both are kept").wait_for()
    reader.wait_saved()
    expect(page.locator("#open-marks")).to_have_attribute("data-questions", "1")
    page.click("#open-marks")
    assert "written on the reader" in page.inner_text("#marks") and "written here" in page.inner_text("#marks")
    page.click("#marks >> text=Merge the notes")
    area = page.locator("#mark-note textarea")
    assert {"written on the reader", "written here"} == set(area.input_value().split("\n\n"))
    area.fill("both thoughts")
    page.click("#mark-note >> text=Save >> nth=-1")
    reader.wait_saved()
    assert quotes(server, person)[0][2] == "both thoughts"
    assert query(server, "SELECT other_notes FROM annotation WHERE note = 'both thoughts'") == [("[]",)]
    expect(page.locator("#open-marks")).to_have_attribute("data-questions", "")


def test_many_deletions_of_a_reader_are_decided_here(
    server: Server, house: House, person: str, reader: OpenReader, hand: Hand
) -> None:
    page = reader.page
    koreader = OtherReader(house, person, "koreader", books(server)[NOVEL])
    names = [str(n) for n in range(12)]
    for name, words in zip(names, WORDS.replace(",", "").split() * 2, strict=False):
        place = ["/body/DocFragment[99]/body/p[1]/text().0"] * 2
        koreader.say(Said(name, "highlight", place, {"text": f"{words} {name}", "note": ""}))
    koreader.highlight("real", WORDS)
    koreader.delete(*names, "real")
    page.keyboard.press("m")
    question = page.locator("#marks .question")
    assert "My koreader asked to delete 13 highlights at once" in question.inner_text()
    assert len(quotes(server, person)) == 13
    page.locator("#marks li", has_text=WORDS).locator("text=Keep").click()
    expect(question).to_contain_text("12 highlights")
    question.locator("text=Delete all").click()
    expect(question).to_have_count(0)
    reader.wait_saved()
    assert [row[1] for row in quotes(server, person)] == [WORDS]
    assert [one.due for one in koreader.sync()] == ["give"]
    page.click("#marks summary")
    page.locator("#marks details li").first.locator("text=Restore").click()
    reader.wait_saved()
    assert len(quotes(server, person)) == 2


def test_without_network_nothing_is_lost(server: Server, person: str, reader: OpenReader, hand: Hand) -> None:
    page = reader.page
    hand.drag(WORDS)
    hand.paint("Yellow")
    reader.wait_saved()
    page.context.set_offline(True)
    hand.drag(OTHER)
    hand.paint("Pink")
    hand.wait_drawn(2)
    hand.tap(OTHER)
    page.click("#mark-write")
    page.keyboard.type("written on the train")
    page.click("#mark-note >> text=Save >> nth=-1")
    hand.tap(WORDS)
    hand.paint("Blue")
    hand.tap(WORDS)
    hand.paint("Green")
    page.locator("#marks-saving", has_text="not saved yet").wait_for()
    assert len(quotes(server, person)) == 1
    page.context.set_offline(False)
    reader.wait_saved()
    rows = {row[1]: row[2:4] for row in quotes(server, person)}
    assert rows == {WORDS: ("", "web:#a5d6a7"), OTHER: ("written on the train", "web:#f8bbd0")}
    expect(page.locator("#marks-saving")).to_have_text("")
    assert query(server, "SELECT count(*) FROM annotation WHERE other_notes != '[]'") == [(0,)]


def test_closed_without_network_is_sent_at_the_next_visit(
    server: Server, person: str, reader: OpenReader, hand: Hand
) -> None:
    context = reader.page.context
    context.set_offline(True)
    hand.drag(OTHER)
    hand.paint("Pink")
    hand.wait_drawn(1)
    reader.page.close()
    context.set_offline(False)
    assert quotes(server, person) == []
    again = OpenReader(context.new_page(), server, reader.book_id).open()
    Hand(again.page).wait_drawn(1)
    again.wait_saved()
    assert quotes(server, person)[0][:2] == (ink(OTHER), OTHER)


def test_an_end_that_is_moved_before_the_highlight_is_sent(
    server: Server, person: str, reader: OpenReader, hand: Hand
) -> None:
    page = reader.page
    page.route("**/annotations", lambda route: None)  # waits until nobody routes it any more
    hand.drag(FIRST_NAME)
    with page.expect_request("**/annotations"):
        hand.paint("Yellow")
    hand.drag(WORDS)
    hand.paint("Green")  # waits behind the first
    hand.wait_drawn(2)
    hand.tap(WORDS)
    hand.pull(page.locator("#mark-stop"), *hand.ends("Gillikins")[2:])
    page.unroute("**/annotations")
    reader.wait_saved()
    assert [row[1] for row in quotes(server, person)] == ["In the Country of the Gillikins", FIRST_NAME]
    assert ink("In the Country of the Gillikins") in hand.drawn().values()


def test_an_answer_that_was_lost_makes_nothing_twice(
    server: Server, person: str, reader: OpenReader, hand: Hand
) -> None:
    page = reader.page

    def lose(route) -> None:  # type: ignore[no-untyped-def]
        if route.request.method == "POST":
            route.fetch()
            route.abort()
        else:
            route.fallback()

    page.route("**/annotations", lose)
    hand.drag(OTHER)
    hand.paint("Pink")
    page.locator("#marks-saving", has_text="not saved yet").wait_for()
    assert len(quotes(server, person)) == 1
    page.unroute("**/annotations", lose)
    hand.tap(OTHER)
    page.click("#mark-write")
    page.keyboard.type("one")
    page.click("#mark-note >> text=Save >> nth=-1")
    reader.wait_saved()
    assert [row[1:3] for row in quotes(server, person)] == [(OTHER, "one")]
    assert query(server, "SELECT count(*) FROM annotation WHERE other_notes != '[]'") == [(0,)]


def test_what_the_server_refuses_is_said_and_kept(server: Server, person: str, reader: OpenReader, hand: Hand) -> None:
    page = reader.page
    refuse = lambda route: (  # noqa: E731
        route.fulfill(status=400, json={"detail": "The disk is full."})
        if route.request.method == "POST"
        else route.fallback()
    )
    page.route("**/annotations", refuse)
    hand.drag(OTHER)
    hand.paint("Pink")
    page.locator("#notice", has_text="The disk is full.").wait_for()
    page.unroute("**/annotations", refuse)
    page.click("#open-marks")
    assert "not saved: The disk is full." in page.inner_text("#marks .question")
    page.click("#marks >> text=Try again")
    reader.wait_saved()
    assert quotes(server, person)[0][1] == OTHER
    expect(page.locator("#marks .question")).to_have_count(0)


@pytest.mark.parametrize(("name", "turns"), [(VERTICAL, 3), (ARABIC, 3)], ids=["vertical with ruby", "right to left"])
def test_other_scripts(page: Page, server: Server, person: str, name: str, turns: int) -> None:
    reader = OpenReader(page, server, books(server)[name]).open()
    reader.turn(turns)
    hand = Hand(page)
    words = ink(reader.top(60))[:12]
    hand.select(words)
    hand.paint("Blue")
    (covered,) = hand.wait_drawn(1).values()
    assert words in covered or covered in words
    reader.wait_saved()
    assert quotes(server, person)[0][0] == words
    reader.open()
    assert list(hand.wait_drawn(1).values()) == [covered]


def test_across_paragraphs_and_a_heading(server: Server, person: str, reader: OpenReader, hand: Hand) -> None:
    words = f"{CHAPTER} {WORDS}"
    hand.select(words)
    hand.paint("Green")
    (covered,) = hand.wait_drawn(1).values()
    assert covered == ink(words)
    reader.wait_saved()
    assert quotes(server, person)[0][0] == ink(words)


def test_across_chapters_it_is_drawn_in_both(
    server: Server, house: House, person: str, reader: OpenReader, hand: Hand
) -> None:
    koreader = OtherReader(house, person, "koreader", books(server)[NOVEL])
    documents = koreader.book.summary.documents
    first = next(at for at, one in enumerate(documents) if one.path.endswith("chapter-1.xhtml"))
    end, start = (koreader.book.canonical_text(one) for one in documents[first : first + 2])
    place = [koreader.range(end[-40:])[0], koreader.range(start[:30])[1]]
    koreader.say(Said("across", "highlight", place, {"text": "", "note": ""}))
    seen_again(reader.page)
    assert list(hand.wait_drawn(1).values()) == [end[-40:]]
    reader.page.evaluate("document.querySelector('foliate-view').renderer.nextSection()")
    for _ in range(50):
        reader.page.wait_for_timeout(100)
        if list(hand.drawn().values()) == [start[:30]]:
            return
    raise AssertionError(f"{hand.drawn()}")


def test_with_a_finger_on_a_phone(browser: Browser, server: Server, person: str) -> None:
    page = signed_in(browser, server, person, viewport=PHONE, has_touch=True, is_mobile=True)
    reader = OpenReader(page, server, books(server)[NOVEL]).open()
    reader.jump(CHAPTER)
    hand = Hand(page)
    # Chromium without a touch screen does not select by a long press; all that follows is done by touch.
    hand.select("Gillikins")
    x, y, *_ = hand.ends("Gillikins")
    assert page.evaluate("getComputedStyle(document.getElementById('mark-bar')).bottom") != "auto"
    page.tap("#mark-bar [aria-label=Yellow]")
    assert list(hand.wait_drawn(1).values()) == ["Gillikins"]
    reader.wait_saved()
    assert quotes(server, person)[0][:2] == ("Gillikins", "Gillikins")
    here = reader.cfi
    page.touchscreen.tap(x + 10, y)
    expect(page.locator("#mark-delete")).to_be_visible()
    page.tap("#mark-delete")
    hand.wait_drawn(0)
    page.wait_for_timeout(400)
    assert reader.cfi == here
    page.click("#notice >> text=Undo")
    for words in ("Gillikins", "brought when quite young"):
        hand.select(words)
        page.wait_for_timeout(400)
        _, top, _, bottom = hand.ends(words)
        bar = hand.bar.bounding_box()
        assert bar["y"] > bottom or bar["y"] + bar["height"] < top, "the bar does not lie on the words"
    page.context.close()


def test_nobody_there_nothing_asked(reader: OpenReader, hand: Hand) -> None:
    asked: list[str] = []
    reader.page.on("request", lambda request: asked.append(request.url) if "annotations" in request.url else None)
    reader.turn(6)
    reader.page.wait_for_timeout(3000)
    assert len(asked) <= 1
