# SPDX-License-Identifier: MIT
"""Ids of every form that a namespace may have, dense enough that names share ancestors, each made from a source of randomness."""


def any_label(source):
    length = source.choice((1, 2, 3, 8, 8, 8, 20, 63))
    return "".join(source.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(length))


def any_text(source):
    """For private labels, which carry any printable text."""
    return "".join(source.choice("abcXYZ019 .@/*_-äßя中") for _ in range(source.randint(1, 12))).strip() or "x"


def digits(source):
    """Some are the beginning of others: names with data and with names below."""
    return str(source.randrange(3000))


def nibbles(source):
    return f"{source.randrange(3000):x}"


def eui48(source):
    return f"02-50-c2-00-0{source.randrange(16):x}-{source.randrange(256):02x}"


def eui64(source):
    return f"02:50:c2:00:00:00:0{source.randrange(16):x}:{source.randrange(256):02x}"


def imei(source):
    """3GPP TS 23.003 annex B: from the right, every second digit doubled and its digits added."""
    body = f"3520990000{source.randrange(3000):04d}"
    total = sum(int(digit) if place % 2 else sum(divmod(2 * int(digit), 10)) for place, digit in enumerate(reversed(body)))
    return body + str(-total % 10)


def gs1(source):
    """GTIN-14 with a serial number; GS1 General Specifications 7.9: weights 3 and 1 from the right."""
    body = f"0950600013{source.randrange(4):03d}"
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(body)))
    return f"{body}{-total % 10}.s{source.randrange(3000)}"


def telephone(source):
    return f"+49 30 {source.randrange(1000, 4000)}"


ENUM_FORMS = (digits, nibbles, eui48, eui64, imei, gs1, telephone)  # in the order of the message EnumForm, from 1
