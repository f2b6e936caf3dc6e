"""The comparison itself: a difference must show, and only what has no order may differ."""
import pytest
from compare import differences, same_value
from fixes import encoded, listed, mapped

CELL = ("view", "key", "feature", "value")


def test_equal_cells_are_no_difference():
    assert differences({CELL: "2001"}, {CELL: "2001"}) == []


@pytest.mark.parametrize("actual", [{}, {CELL: "2002"}, {CELL: ""}, {CELL: None}, {CELL: "2001", ("x", *CELL[1:]): ""}])
def test_a_cell_that_lacks_differs_or_is_too_much_is_one_difference(actual):
    assert len(differences({CELL: "2001"}, actual)) == 1


def test_only_values_are_decoded():
    time = ("view", "key", "", "_ts")
    sets = listed("int64_set_val", [1, 2]), listed("int64_set_val", [2, 1])
    assert len(differences({time: sets[0]}, {time: sets[1]})) == 1


def test_sets_and_maps_have_no_order_but_lists_have():
    assert same_value(listed("int64_set_val", [1, 2]), listed("int64_set_val", [2, 1]))
    assert not same_value(listed("int64_set_val", [1, 2]), listed("int64_set_val", [1, 2, 2]))
    assert not same_value(listed("int64_set_val", [1]), listed("int32_set_val", [1]))
    assert not same_value(listed("int64_list_val", [1, 2]), listed("int64_list_val", [2, 1]))
    # {"a": 1, "b": 2} with its entries either way round.
    entries = "0a070a016112022001", "0a070a016212022002"
    assert same_value("a20112" + entries[0] + entries[1], "a20112" + entries[1] + entries[0])
    assert not same_value("a20112" + entries[0] + entries[1], mapped("map_val", a={"int64_val": 1}))


def test_a_double_is_no_int_inside_a_map():
    assert not same_value(mapped("map_val", a={"int64_val": 1}), mapped("map_val", a={"double_val": 1.0}))
    assert not same_value(encoded(double_val=0.0), encoded(double_val=-0.0))
