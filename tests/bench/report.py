# SPDX-License-Identifier: MIT
"""The table for people: one row a figure, one column a server, and how many times the peer's figure ours is."""


def _number(value):
    if value is None:
        return ""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 10 else f"{value:.1f}"


# What is set beside what: figures of the peers under other names than ours.
COMPARED = {"single_names_per_s": "single_names_per_s",
            **{f"import_{part}names_per_s": "batch_names_per_s" for part in ("", "last_tenth_", "full_size_", "all_verified_")},
            "import_cpu_us_per_name": "batch_cpu_us_per_name",
            **{f"{ours}{kind}_{unit}": f"{kind}_{unit}" for ours in ("cached_", "uncached_")
               for kind in ("existing", "absent", "nodata", "hot") for unit in ("qps", "cpu_us")},
            **{f"{ours}{figure}": figure for ours in ("cached_", "uncached_") for figure in ("restart_s", "anon_mib")}}


def _grid(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]).rstrip() for row in rows)


def table(result, peers):
    rows = [["", "idzone", *(part for peer in peers for part in (peer, "ratio"))]]
    details = []
    for key, value in result.items():
        if key.startswith("peer."):
            continue
        if "." in key:
            details.append([key, _number(value)])
            continue
        row = [key, _number(value)]
        for peer in peers:
            theirs = result.get(f"peer.{peer}.{COMPARED.get(key, key)}")
            row += [_number(theirs), f"×{value / theirs:.2f}" if theirs else ""]
        rows.append(row)
    details += [[key, _number(value)] for key, value in result.items() if key.startswith("peer.") and key.count(".") > 2]
    return "\n" + _grid(rows) + "\n\n" + (_grid(details) + "\n" if details else "")
