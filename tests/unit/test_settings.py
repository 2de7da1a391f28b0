"""Settings: what is read, what is refused, and that each is documented."""

import dataclasses
import pathlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings import Settings, inherited_descriptors, read_settings

ROOT = pathlib.Path(__file__).parents[2]


def test_without_any_configuration_there_are_defaults():
    """Nothing has to be set to start."""
    settings = read_settings([], {})
    assert (settings.port, settings.address, settings.poll_seconds) == (8080, "127.0.0.1", 25)
    assert settings.database_url == "sqlite:///board.db"


def test_a_flag_wins_over_the_environment_and_empty_counts_as_not_set():
    """PORT comes from the environment, as on Heroku; a flag has the last word."""
    assert read_settings([], {"PORT": "5000"}).port == 5000
    assert read_settings(["--port=6000"], {"PORT": "5000"}).port == 6000
    assert read_settings([], {"PORT": ""}).port == 8080


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"), ("PORT", "-1"), ("PORT", "65536"), ("PORT", "８０"), ("PORT", "1e3"),
        ("PORT", "9" * 5000), ("ADDRESS", " "), ("DATABASE_URL", "board.db"), ("DATABASE_URL", "mysql://x/y"),
        ("DATABASE_URL", "sqlite:///"), ("PUBLIC_URL", "board.example.org"), ("PUBLIC_URL", "https://a/b"),
        ("PUBLIC_URL", "https://user:secret@a"), ("TITLE", "two\nlines"), ("TITLE", "x" * 81), ("POSTING", "all"),
        ("READING", "Public"), ("READING_ORDER", "Oldest"), ("MESSAGE_LENGTH", "0"), ("POLL_SECONDS", "0"), ("MAX_PARKED", "many"),
        ("FACEBOOK_APP_ID", "app"), ("FACEBOOK_GRAPH_VERSION", "24"), ("FACEBOOK_GRAPH_VERSION", "v24.0/../x"),
        ("FACEBOOK_FAKE", "http://192.0.2.1:80"), ("FACEBOOK_FAKE", "https://127.0.0.1:1"),
        ("FACEBOOK_FAKE", "http://localhost.example.org"), ("FACEBOOK_FAKE", "http://127.0.0.1:1/path"),
        ("PRIVACY_TEXT", "\0"),
        ("PORT", "0" * 20 + "99999"), ("PUBLIC_URL", "https://bücher.example"), ("PUBLIC_URL", "https://a:0"),
        ("PUBLIC_URL", "https://a:99999"), ("PUBLIC_URL", "https://a:"), ("PUBLIC_URL", "https://[::1"), ("PUBLIC_URL", "https://a?b"),
        ("LIMITS", "yes"), ("VARYING_HEADERS", "a b"), ("VARYING_HEADERS", "X-Request-Id, cookie"), ("REPEATS", "yes"), ("CLIENT_HEADER", "X:0"), ("SIGNUP", "maybe"), ("TOKEN_HOURS", "0"), ("LOG_REQUESTS", "1"),
    ],
)  # fmt: skip
def test_a_bad_value_is_named_in_one_line_and_ends_with_2(name, value, capsys):
    """A mistyped setting is named, with what it should be."""
    with pytest.raises(SystemExit) as end:
        read_settings([], {name: value})
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert said.startswith(f"longboard: {name} must be ") and said.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("https://Board.Example.org:443/", "https://board.example.org"), ("http://a:80", "http://a"),
        ("http://a:8080", "http://a:8080"), ("https://[::1]", "https://[::1]"), ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)  # fmt: skip
def test_the_public_url_is_read_as_browsers_send_their_origin(text, read):
    """A port that goes without saying, capitals or a slash at the end don't make it another origin."""
    assert read_settings([], {"PUBLIC_URL": text}).public_url == read


@pytest.mark.parametrize("value", ["on", "1", "https://board.example.org", "http://127.0.0.1:8090/x"])
def test_where_the_fake_facebook_is_is_asked_for_by_an_address_that_works(value, capsys):
    """One example for all that is wrong, and whoever follows it gets no other refusal."""
    with pytest.raises(SystemExit):
        read_settings([], {"FACEBOOK_FAKE": value})
    said = capsys.readouterr().err
    assert said.count("http") == 2 + value.count("http") and "such as http://127.0.0.1:8090" in said
    assert read_settings([], {"FACEBOOK_FAKE": "http://127.0.0.1:8090"}).facebook_fake


def test_zeros_in_front_of_a_number_mean_nothing():
    """However many there are."""
    assert read_settings([], {"PORT": "0" * 5000 + "80"}).port == 80


@given(st.dictionaries(st.sampled_from([f.name.upper() for f in dataclasses.fields(Settings)]), st.text()))
def test_whatever_is_in_the_environment_gives_settings_or_a_clear_end(environ):
    """No value of any setting ends in a traceback."""
    try:
        settings = read_settings([], environ)
    except SystemExit as end:
        assert end.code == 2
    else:
        assert 0 <= settings.port <= 65535


def test_help_and_readme_name_every_setting():
    """A setting that nobody can find does not exist."""
    help = subprocess.run(
        [sys.executable, "server.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    readme = (ROOT / "README.md").read_text()
    for field in dataclasses.fields(Settings):
        assert f"--{field.name.replace('_', '-')}" in help
        assert f"`{field.name.upper()}`" in readme, f"README does not explain {field.name.upper()}"


def test_a_wrong_flag_ends_with_2():
    """An unknown flag is not ignored."""
    run = subprocess.run([sys.executable, "server.py", "--prot=1"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 2 and "--prot" in run.stderr


def test_sockets_are_taken_over_only_when_they_are_meant_for_this_process():
    """LISTEN_FDS for another process (sd_listen_fds(3)) is left alone."""
    assert inherited_descriptors({"LISTEN_PID": "1", "LISTEN_FDS": "1"}) == []
    assert inherited_descriptors({}) == []


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"FACEBOOK_APP_ID": "1"}, "together"),
        ({"FACEBOOK_APP_SECRET": "s" * 32}, "together"),
        ({"FACEBOOK_APP_ID": "1", "FACEBOOK_APP_SECRET": "s" * 32, "ADDRESS": "0.0.0.0"}, "PUBLIC_URL must be set"),
        ({"FACEBOOK_APP_ID": "1", "FACEBOOK_APP_SECRET": "s" * 32, "PUBLIC_URL": "http://a.example"}, "https://"),
    ],
)
def test_what_facebook_needs_is_asked_for_at_the_start(environ, expected, capsys):
    """Half a configuration, or one that Facebook would refuse, doesn't start."""
    with pytest.raises(SystemExit) as end:
        read_settings([], environ)
    assert end.value.code == 2 and expected in capsys.readouterr().err


def test_the_header_that_names_the_client_is_not_one_that_means_nothing(capsys):
    """Else polls of many clients would be taken for one client's."""
    with pytest.raises(SystemExit) as end:
        read_settings([], {"CLIENT_HEADER": "X-Forwarded-For:2", "VARYING_HEADERS": "traceparent, x-forwarded-for"})
    assert end.value.code == 2 and "VARYING_HEADERS" in capsys.readouterr().err


def test_the_app_secret_is_never_shown(capsys):
    """Neither a wrong one nor a right one, in no message and no representation."""
    secret = "0123456789abcdef-very-secret"
    with pytest.raises(SystemExit):
        read_settings([], {"FACEBOOK_APP_SECRET": secret + " "})
    assert "FACEBOOK_APP_SECRET must be" in (said := capsys.readouterr().err) and "0123" not in said
    settings = read_settings([], {"FACEBOOK_APP_ID": "1", "FACEBOOK_APP_SECRET": secret})
    assert settings.facebook_app_secret == secret and secret not in repr(settings)
    for address in ({}, {"PUBLIC_URL": "http://localhost:8080"}, {"PUBLIC_URL": "https://board.example.org"}):
        assert read_settings([], address | {"FACEBOOK_APP_ID": "1", "FACEBOOK_APP_SECRET": secret})


@pytest.mark.parametrize(
    ("url", "query"),
    [
        ("postgres://u:p@ec2-1.amazonaws.com:5432/d", "sslmode=require"),
        ("postgres://u:p@ec2-1.amazonaws.com/d?application_name=us", "application_name=us&sslmode=require"),
        ("postgres://u:p@h/d?sslmode=verify-full", "sslmode=verify-full"), ("postgres://u:p@h/d?ssl=true", "ssl=true"),
        ("postgres://u:p@127.0.0.1:6000/d", ""), ("postgres:///d", ""), ("postgres://u:[p/x@h/d", ""),
    ],
)  # fmt: skip
def test_on_a_dyno_the_way_to_postgresql_is_encrypted(url, query):
    """Nobody between the two can talk them out of it; whoever says otherwise is obeyed, here as everywhere."""
    assert read_settings([], {"DYNO": "web.1", "DATABASE_URL": url}).database_url.partition("?")[2] == query
    assert read_settings([], {"DATABASE_URL": url}).database_url == url
