"""The sidecar as tables."""

import re

from howard.report.report_page import render_facts


def rows(sidecar):
    return dict(re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td>', render_facts(sidecar)))


def test_every_value_has_its_row():
    shown = rows({"source": {"width": 1, "colour": {"matrix": "bt709"}, "timecode": None}, "mixing": "linear"})
    assert shown == {"Width": "1", "Colour, matrix": "bt709", "Timecode": "-", "Mixing": "linear"}


def test_values_are_written_for_people():
    shown = rows({"settings": {"on": True, "off": False, "share": 0.1, "list": [1, 2.5], "none": [], "one": 1}})
    assert shown == {"On": "yes", "Off": "no", "Share": "0.1", "List": "1, 2.5", "None": "none", "One": "1"}


def test_times_are_dates():
    shown = rows({"source": {"fingerprint": {"modified_ns": 0}, "modified_ns": 10**40}})
    assert shown == {"Fingerprint, modified ns": "1970-01-01 00:00:00 UTC", "Modified ns": str(10**40)}


def test_one_output_needs_no_number_and_two_do():
    assert rows({"outputs": [{"codec": "png"}]}) == {"Codec": "png"}
    assert rows({"outputs": [{"codec": "png"}, {"codec": "h264"}]}) == {"1, codec": "png", "2, codec": "h264"}


def test_a_sidecar_that_says_nothing_makes_no_table():
    assert "<table" not in render_facts({})
