"""The grammar of names in a graph."""

import pytest

from tf1hub import names


@pytest.mark.parametrize("name", ["a/b", "a/b:0", "a/b:12", "^a/b"])
def test_every_form_of_a_name_leads_to_its_node(name):
    assert names.node_name(name) == "a/b"


def test_a_tensor_name_has_an_output_index():
    assert [names.tensor_name(name) for name in ("a", "a:0", "a:3")] == ["a:0", "a:0", "a:3"]


def test_control_inputs_are_told_from_tensors():
    assert names.is_control_input(names.control_input("a"))
    assert not names.is_control_input("a:0")


def test_a_colocation_names_its_node_and_other_classes_none():
    assert names.colocated_node(names.colocation_group("ä/b")) == "ä/b"
    assert names.colocated_node(b"other") is None


@pytest.mark.parametrize(("name", "scoped"), [("x:1", "a/b/x:1"), ("^x", "^a/b/x"), ("x", "a/b/x")])
def test_names_go_under_a_scope(name, scoped):
    assert names.in_scope(name, "a/b") == scoped
    assert names.in_scope(name, "") == name


def test_scopes_come_apart():
    assert [names.last_part(scope) for scope in ("a/b/c/", "c/", "c", "")] == ["c", "c", "c", ""]
    assert [names.parent_scope(scope) for scope in ("a/b/c/", "c/", "c", "")] == ["a/b/", "", "", ""]
