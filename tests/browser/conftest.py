"""What the tests of several boards share."""

import pytest

from tests.browser.test_tabs import TOKEN
from tests.support.boards import make_club


@pytest.fixture
def club(start):
    return make_club(start, metrics_token=TOKEN)
