"""Tables of what `run.py` found: lists of pairs (bare, with a profiler), each a dictionary, or a word that says why it is none."""

import statistics

import ways


def cell(values, form):
    """Median, least and largest."""
    if not values:
        return ""
    return (form + " (" + form + "…" + form + ")") % (statistics.median(values), min(values), max(values))


def ended(pairs):
    return [(bare, tool) for bare, tool in pairs if isinstance(bare, dict) and isinstance(tool, dict)]


def failures(pairs):
    """`hangs 2 of 2`"""
    words = [tool for _, tool in pairs if not isinstance(tool, dict)]
    return ", ".join("**%s %d of %d**" % (word, words.count(word), len(pairs)) for word in sorted(set(words)))


def table(title, head, rows):
    if not rows:
        return
    print(title + ":\n")
    print("| " + " | ".join(head) + " |")
    print("|---" + "|--:" * (len(head) - 1) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def ratio(pairs, name):
    return cell([tool[name] / bare[name] for bare, tool in ended(pairs)], "%.3f")


def got_and_due(pairs, hz):
    """Sums over all rounds: a round alone has few samples."""
    said = [tool for _, tool in ended(pairs) if "samples" in tool]
    if not said:
        return ""
    got, due = sum(tool["samples"] for tool in said), sum(tool["cpu_ns"] for tool in said) / 1e9 * hz
    lost = sum(tool.get("lost", 0) for tool in said)
    return "%d/%d" % (got, due) + (", %d lost" % lost if lost else "")


def weight(pairs):
    """Of the process's CPU time, the profiler's own threads' included."""
    return cell([tool["weight_ns"] / tool["cpu_ns"] for _, tool in ended(pairs) if "weight_ns" in tool], "%.3f")


def cpu(found, all_ways, workloads, rates):
    def one(title, figure, but=()):
        for hz in rates:
            rows = []
            for way in all_ways:
                if way in but or not any((way, workload, hz) in found for workload in workloads):
                    continue
                pairs = [found.get((way, workload, hz), []) for workload in workloads]
                rows.append([way] + [failures(those) or figure(those, hz) for those in pairs])
            table("%s, %d Hz" % (title, hz), ["way", *workloads], rows)

    one("CPU time, ratio to bare", lambda pairs, hz: ratio(pairs, "cpu_ns"))
    one("Sum of weights / CPU time of the process", lambda pairs, hz: weight(pairs), ["bare again"])
    one("Samples got/due", got_and_due, ["bare again"])


def within(found, all_ways, workloads, rates):
    """A median's standard error is 1.25 times a mean's where values are normal; a tenth at either end is left out for it."""
    def figure(pairs):
        failed = [pair for pair in pairs if isinstance(pair, str)]
        if failed or not pairs:
            return ", ".join(sorted("**%s**" % word for word in set(failed)))
        ratios = sorted(on / off for off, on in pairs)
        usual = ratios[len(ratios) // 10:len(ratios) - len(ratios) // 10]
        error = 1.25 * statistics.pstdev(usual) / len(usual) ** 0.5
        sums = sum(on for _, on in pairs) / sum(off for off, _ in pairs)
        return "%.4f ± %.4f / %.4f" % (statistics.median(ratios), error, sums)

    for hz in rates:
        ours = [way for way in all_ways if any((way, workload, hz) in found for workload in workloads)]
        table("Turns within a process, CPU time with / without: median ± its standard error / of all turns, %d Hz" % hz,
              ["way", *workloads], [[way] + [figure(found.get((way, workload, hz), [])) for workload in workloads] for way in ours])


def memory(found, all_ways):
    rows = []
    for way in all_ways:
        one_core, all_cores = found.get((way, False), []), found.get((way, True), [])
        pairs = one_core + all_cores
        if not pairs:
            continue
        those = ended(pairs)
        truth = [tool["alloc_seen"] / tool["allocated"] for _, tool in those if "alloc_seen" in tool]
        more = [(tool["rss_kib"] - bare["rss_kib"]) / 1024 for bare, tool in those]
        lost = ["%d" % sum(tool["lost"] for _, tool in those if "lost" in tool)] if any("lost" in t for _, t in those) else [""]
        report = [tool.get("report_us", tool.get("write_us")) for _, tool in those if "start_us" in tool]
        rows.append([way, failures(one_core) or ratio(one_core, "cpu_ns"), failures(all_cores) or ratio(all_cores, "cpu_ns"),
                     ratio(all_cores, "wall_ns"), cell(truth, "%.3f"), cell(more, "%+.1f"),
                     cell([us for us in report if us is not None], "%.0f"), *lost])
    table("`alloc`, a sample each 512 KiB",
          ["way", "CPU, on one core", "CPU, on two", "wall, on two", "bytes sampled / allocated", "peak MiB", "report, µs", "lost"],
          rows)


def costs(found, all_ways):
    rows = []
    bare_size = ways.stripped_size("bare")
    for way, (program, _, _, _) in all_ways.items():
        if ways.program(program) is None or way == "bare again":
            continue
        runs = [tool for key, pairs in found.items() if key[0] == way and key[2] == 1000 for _, tool in ended(pairs)]
        if not runs:
            continue
        more = [(tool["rss_kib"] - bare["rss_kib"]) / 1024
                for bare, tool in ended(found.get((way, "compute", 1000), []))]
        times = {name: cell([run[name] for run in runs if name in run], "%.0f")
                 for name in ["start_us", "start_cpu_us", "again_us", "write_us", "stop_us"]}
        reports = [cell([tool["report_us"] for _, tool in ended(found.get((way, workload, 1000), [])) if "report_us" in tool], "%.0f")
                   for workload in ["compute", "churn1"]]
        linked, build = ways.crates(program)
        rows.append([way, times["start_us"], times["start_cpu_us"], times["again_us"], *reports, times["write_us"], times["stop_us"],
                     cell(more, "%+.1f"), "%+.2f MB" % ((ways.stripped_size(program) - bare_size) / 1e6),
                     "%d + %d" % (linked, build)])
    table("Microseconds at 1000 Hz, and what a program has more",
          ["way", "first start", "its CPU time", "later start", "report, compute", "report, churn1", "file", "stop", "peak MiB, compute",
           "binary, stripped", "crates + for building"], rows)


def labels(costs):
    if not costs:
        return
    table("Guard of a label, ns for entering and leaving", ["guard", "1 thread", "2 threads"],
          [[name] + ["%.1f (%.1f…%.1f)" % of[threads] for threads in [1, 2]] for name, of in costs.items()])
