"""What `sandbox` prints to people: a block for each brand, and rules as a table."""

from __future__ import annotations

import subprocess


def test_settings_of_several_brands_do_not_overwrite_each_other(desk):
    """Pasted as a whole, each brand's settings are a function of its own; one brand's are plain lines."""
    process = desk.start("sandbox", "serve", "--port", "0", "--handle", "acmecare", "--handle", "betacare")
    try:
        lines = []
        while lines.count("}\n") < 2:
            lines.append(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate()
    script = (
        "".join(lines) + 'use_acmecare; a=$PROFILECTL_ACCESS_TOKEN; use_betacare; echo "$a $PROFILECTL_ACCESS_TOKEN"'
    )
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, timeout=20)
    first, second = shown.stdout.split()

    assert first != second
    assert "# @acmecare: paste this, then type use_acmecare\n" in lines


def test_rules_are_a_table_to_a_person_and_json_to_a_pipe(desk):
    """The table names what is armed and how often it was met; the pipe gets all of it."""
    rule = '{"call": "create", "kind": "drop-after", "times": null}'
    code, screen = desk.watch("--sandbox", "sandbox", "faults", rule)
    piped = desk.run("--sandbox", "sandbox", "faults")
    emptied, nothing = desk.watch("--sandbox", "sandbox", "faults", "--clear")

    assert (0, 0) == (code, emptied)
    assert all(word in screen for word in ("create", "drop-after", "always", "kind"))
    assert ("profilectl.faults/1", 1) == (piped.document["schema"], len(piped.document["faults"]))
    assert "no fault is armed" in nothing
