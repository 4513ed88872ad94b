from zoetrope.wheel.variety import most_varied


def test_what_is_held_already_comes_last() -> None:
    held = ["portrait of zoe, sad, front", "portrait of zoe, sad, front, park"]
    offered = ["portrait of zoe, sad, front", "portrait of zoe, angry, profile"]

    assert most_varied(held, offered, 2) == [1, 0]


def test_no_combination_comes_twice_before_each_came_once() -> None:
    offered = [f"portrait of zoe, {mood}, {side}" for _ in range(3) for mood in ("sad", "glad") for side in ("a", "b")]

    chosen = [offered[index] for index in most_varied([], offered, 4)]

    assert len(set(chosen)) == 4


def test_the_first_of_equals_is_taken_and_no_more_than_there_are() -> None:
    assert most_varied([], ["a, b", "a, b", "a, b"], 2) == [0, 1]
    assert sorted(most_varied([], ["a, b", ""], 9)) == [0, 1]


def test_what_is_wanted_comes_first() -> None:
    offered = ["standing of zoe, sad, night", "portrait of zoe, sad, front"]

    assert most_varied([], offered, 1) == [0]
    assert most_varied([], offered, 1, ["portrait of zoe, sad, front", "sitting of zoe, glad, profile"]) == [1]


def test_what_was_refused_is_asked_for_more_often() -> None:
    scenes = [f"portrait of zoe, {mood}, {side}" for mood in ("sad", "glad", "cross", "calm") for side in "abcd"]
    offered = [f"{scene}, {place}" for place in range(6) for scene in scenes]

    def often(refused: list[str]) -> int:
        chosen = [offered[index] for index in most_varied(scenes * 3, offered, 32, scenes, refused)]
        return sum("sad, a" in caption for caption in chosen)

    assert often([]) == 2
    assert often(["portrait of zoe, sad, a, x"] * 9) > 2


def test_what_is_worth_less_has_to_add_more() -> None:
    offered = ["portrait of zoe, sad, front", "portrait of zoe, sad, profile"]

    assert most_varied([], offered, 1, worth=[0.7, 1.0]) == [1]
    assert most_varied(["portrait of zoe, sad, profile"], offered, 1, worth=[0.7, 1.0]) == [0]
