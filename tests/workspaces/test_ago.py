"""How long ago something was is said as Django says it, in every language."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils import formats, translation

from workspaces import ago
from workspaces.written import number

LENGTHS = [0, 1, 59, 60, 119, 3599, 3600, 7_300, 86_399, 86_400, 90_000, 700_000, 2_419_199]
LENGTHS += [2_419_200, 2_700_000, 40_000_000]


@pytest.mark.parametrize("language", ["en", "ca", "es"])
def test_it_says_the_same(language: str) -> None:
    ago._said.cache_clear()
    with translation.override(language):
        for seconds in LENGTHS:
            for length in (timedelta(seconds=seconds + 0.3), -timedelta(seconds=seconds + 0.3)):
                moment = datetime.now(UTC) - length
                assert [ago.ago(moment), ago.ago(moment)] == [str(naturaltime(moment))] * 2


@pytest.mark.parametrize("language", ["en", "ca", "es"])
def test_a_whole_number_is_written_as_django_writes_it(language: str) -> None:
    with translation.override(language):
        for value in (0, 999, 1_000, -1_234_567, 10**12):
            usual = formats.number_format(value, use_l10n=True, force_grouping=True)
            assert number(value) == usual
