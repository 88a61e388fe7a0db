"""Rosters as people may write them: every way that TOML has, comments everywhere, and any line ending."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from profilectl.toml.spelling import spelled

KEYS = ("alice", "bob-2", "chidi", "d_ora", "0xe")
SPACE = st.sampled_from(["", " ", "  ", "\t"])
REMARK = st.sampled_from(["", "", "", " # kept", "# tight", "  # [agents.x] is none", ' # "quoted', " # é ✓"])
BLANK = st.sampled_from(["", "", "\n", "\n\n", "# a line of its own\n", "\n# about what follows\n", "  # indented\n\n"])


@st.composite
def arrays(draw, items):
    """Return an array on one line, or on several with comments."""
    words = [spelled(item) for item in items]
    if draw(st.booleans()):
        return f"[{draw(SPACE)}{f',{draw(SPACE)}'.join(words)}{draw(SPACE)}]"
    tail = draw(st.sampled_from(["", ","]))
    separator = f",{draw(REMARK)}\n    "
    return f"[{draw(REMARK)}\n    {separator.join(words)}{tail}{draw(REMARK)}\n]"


@st.composite
def values(draw, number):
    """Return the fields of an agent, in any order, each with its value and how it is spelled."""
    name = f"Person {number}"
    spellings = [spelled(name), f"'{name}'", f'"""{name}"""', '"Person \\u003' + str(number) + '"']
    fields = {"name": draw(st.sampled_from(spellings))}
    if draw(st.booleans()):
        fields["title"] = draw(st.sampled_from(['"Care"', "'a # b'", '"""two\\\n   lines"""', '"= [x] {y}"']))
    if draw(st.booleans()):
        fields["until"] = spelled(date(2099, 1, draw(st.integers(1, 28))))
    if draw(st.booleans()):
        fields["operators"] = draw(arrays(draw(st.sampled_from([["ann"], ["ann", "bert"], ["uid:7", "x", "y"]]))))
    if draw(st.booleans()):
        fields["consent"] = f"{{{draw(SPACE)}name = true,{draw(SPACE)}photo=true}}"
    if draw(st.booleans()):
        fields["brands"] = draw(st.sampled_from(['["acme"]', "{ beta = false }", '{acme = {title = "T"}}']))
    return draw(st.permutations(list(fields.items())))


def _pair(draw, key, value):
    quoted = draw(st.sampled_from([key, key, f'"{key}"']))
    return f"{draw(SPACE)}{quoted}{draw(SPACE)}={draw(SPACE)}{value}{draw(SPACE)}{draw(REMARK)}\n"


def _sections(draw, keys):
    text = ""
    for number, key in enumerate(keys):
        fields, below = draw(values(number)), ""
        if draw(st.booleans()) and not any(field == "brands" for field, _ in fields):
            there = _pair(draw, "title", spelled("there"))
            below = f"{draw(BLANK)}[agents.{key}.brands.acme]{draw(REMARK)}\n{there}"
        header = draw(st.sampled_from([f"[agents.{key}]", f"[ agents . {key} ]", f"[\"agents\".'{key}']"]))
        text += f"{draw(BLANK)}{header}{draw(REMARK)}\n"
        text += "".join(draw(BLANK) + _pair(draw, field, value) for field, value in fields) + below
    return text


def _inline(draw, number):
    fields = [(field, value) for field, value in draw(values(number)) if "\n" not in value]
    comma = f",{draw(SPACE)}"
    return f"{{{draw(SPACE)}{comma.join(f'{field} = {value}' for field, value in fields)}{draw(SPACE)}}}"


def _under_one_header(draw, keys):
    """Return agents as inline tables and dotted keys under ``[agents]``."""
    text = f"{draw(BLANK)}[agents]{draw(REMARK)}\n"
    for number, key in enumerate(keys):
        if draw(st.booleans()):
            text += _pair(draw, key, _inline(draw, number))
        else:
            text += "".join(f"{key}{draw(SPACE)}.{field} = {value}\n" for field, value in draw(values(number)))
        text += draw(BLANK)
    return text


def _all_inline(draw, keys):
    agents = f",{draw(SPACE)}".join(f"{key} = {_inline(draw, number)}" for number, key in enumerate(keys))
    return f"agents = {{ {agents} }}{draw(REMARK)}\n"


def _dotted(draw, keys):
    return "".join(
        f"agents.{key}.{field} = {value}{draw(REMARK)}\n{draw(BLANK)}"
        for number, key in enumerate(keys)
        for field, value in draw(values(number))
    )


def _moves(draw, keys):
    way = draw(st.sampled_from(["none", "sections", "array"]))
    former = [(f"old{number}", key) for number, key in enumerate(keys[:2])]
    if way == "none":
        return "", ""
    if way == "array":
        return "moved = [" + ", ".join(f'{{from = "{old}", to = "{new}"}}' for old, new in former) + "]\n", ""
    return "", "".join(
        f'{draw(BLANK)}[[moved]]{draw(REMARK)}\nfrom = "{old}"\nto = "{new}"{draw(REMARK)}\n' for old, new in former
    )


@st.composite
def rosters(draw):
    """Return a roster without errors, and the keys of its agents in their order."""
    keys = draw(st.permutations(KEYS))[: draw(st.integers(2, 4))]
    way = draw(st.sampled_from(["sections", "header", "inline", "dotted"]))
    root, entries = _moves(draw, keys)
    top = {"inline": _all_inline, "dotted": _dotted}.get(way)
    text = f"{draw(BLANK)}version = 1{draw(REMARK)}\n{root}" + (top(draw, keys) if top else "")
    text += f'{draw(BLANK)}[brands.acme]\nhandle = "acmecare"\n{draw(BLANK)}[brands.beta]\nhandle = "betacare"\n'
    text += f'[defaults]{draw(REMARK)}\nkind = "human"\navatar = "a.png"\n'
    if way == "sections":
        text += _sections(draw, keys)
    elif way == "header":
        text += _under_one_header(draw, keys)
    text += entries + draw(BLANK)
    if draw(st.booleans()):
        text = text.rstrip("\n")
    return (text.replace("\n", "\r\n") if draw(st.booleans()) else text), keys
