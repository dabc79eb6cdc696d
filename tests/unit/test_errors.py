import pytest

from dupdetect import errors


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (errors.SettingsError, 2),
        (errors.InputError, 1),
        (errors.OutputError, 1),
        (errors.MismatchError, 1),
    ],
)
def test_all_errors_have_one_base_and_an_exit_code(error, exit_code):
    assert issubclass(error, errors.DupdetectError)
    assert error.exit_code == exit_code


def test_a_settings_error_is_a_value_error():
    assert issubclass(errors.SettingsError, ValueError)


def test_the_tree_in_the_docstring_is_the_tree_there_is():
    defined = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert {name for name in defined if name in errors.__doc__} == defined


def test_the_tree_is_drawn_as_deep_as_it_is():
    for line in errors.__doc__.splitlines():
        name = line.strip(" │├└─").partition(" ")[0]
        if "──" in line:
            depth = (
                len(getattr(errors, name).__mro__)
                - len(Exception.__mro__)
                - (ValueError in getattr(errors, name).__mro__)
            )
            assert line.index("──") == 4 * depth + 1, name
