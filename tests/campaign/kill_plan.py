# SPDX-License-Identifier: MIT
"""Who dies next, and at which call: each step of each flow in each process that takes part in it, and only then more calls of the same.

A flow is a style of roll, a cut, a tree of a width; a step of it has a kind, such as "publishing, caches" or "order". Steps of a kind have
about the same calls, whichever flow they belong to, so that they are counted once. A process takes part in a step if calls of it were counted.
Where nobody comes by at the points of a process, again and again, the step is counted anew for that flow alone: what was seen elsewhere may have
come by chance, as a heartbeat does.
"""
import collections
import dataclasses
import math

# Of a side one dies in a stage: a signer that dies takes its connections of PostgreSQL along.
SIDES = (("signerd", "postgresql"), ("feedd", "replicad"), ("provisiond",))


MISSED_MAX = 3  # in a step, of a process that has not died in it: then it is counted anew


class KillPlan:
    def __init__(self, random):
        self.random = random
        self.points = {}  # {kind: {process: points}}
        self.own_points = {}  # {(flow, kind): {process: points}}, where it was counted anew
        self.took_no_part = set()  # (flow, kind, process), as that showed
        self.used = collections.Counter()  # (kind, process): how often a point was handed out
        self.steps = {}  # {(flow, kind): {process: kills}}, in the order of their coming
        self.missed = collections.Counter()  # (flow, kind, process): chosen, and no such call came
        self.deaths = collections.Counter()  # of a process

    def knows(self, kind):
        return kind in self.points

    def learn(self, kind, points):
        """What was counted in a step of that kind."""
        self.points[kind] = self._by_process(points)

    def doubts(self, flow, kind):
        """Says whether the step should be counted anew."""
        return any(kills == 0 and self.missed[flow, kind, process] >= MISSED_MAX for process, kills in self.steps.get((flow, kind), {}).items())

    def learn_anew(self, flow, kind, points):
        self.own_points[flow, kind] = own = self._by_process(points)
        step = self.steps[flow, kind]
        for process in [process for process, kills in step.items() if kills == 0]:
            self.missed[flow, kind, process] = 0
            if process not in own:
                del step[process]
                self.took_no_part.add((flow, kind, process))

    def _by_process(self, points):
        found = collections.defaultdict(list)
        for point in points:
            found[point.process].append(point)
        for each in found.values():
            self.random.shuffle(each)
        return dict(found)

    def _points(self, flow, kind):
        return {**self.points.get(kind, {}), **self.own_points.get((flow, kind), {})}

    def all(self, kind):
        return [point for points in self.points[kind].values() for point in points]

    def meet(self, flow, kind):
        step = self.steps.setdefault((flow, kind), {})
        for process in self._points(flow, kind):
            if (flow, kind, process) not in self.took_no_part:
                step.setdefault(process, 0)
        return step

    def next(self, flow, kind, most):
        """The points to die at in this step, each of another process: of each side the one that has died least in it."""
        step, chosen = self.meet(flow, kind), []
        for side in SIDES:
            processes = [process for process in side if process in step]
            if processes:
                chosen.append(min(processes, key=lambda process: (step[process], self.missed[flow, kind, process], self.deaths[process])))
        chosen.sort(key=lambda process: (step[process], self.deaths[process]))
        return [self._point(flow, kind, process) for process in chosen[:most]]

    def _point(self, flow, kind, process):
        points, missed = self._points(flow, kind)[process], self.missed[flow, kind, process]
        if missed:  # this flow has fewer of that call, or none
            firsts = self._firsts(points)
            return dataclasses.replace(firsts[(missed - 1) % len(firsts)], flow=f"{flow}: {kind}")
        number, self.used[kind, process] = self.used[kind, process], self.used[kind, process] + 1
        # Far apart at first: few kills, too, meet the whole of a step.
        point = points[number * stride(len(points)) % len(points)]
        return dataclasses.replace(point, flow=f"{flow}: {kind}")

    @staticmethod
    def _firsts(points):
        """The first call of each thread and kind of call, the commonest first."""
        last = {(point.threads, point.call): point for point in sorted(points, key=lambda point: point.number)}
        return [dataclasses.replace(point, number=1) for point in sorted(last.values(), key=lambda point: -point.number)]

    def died(self, flow, kind, point):
        self.steps[flow, kind][point.process] += 1
        self.deaths[point.process] += 1

    def did_not_die(self, flow, kind, point):
        self.missed[flow, kind, point.process] += 1

    def report(self):
        kills = {f"{flow}: {kind}: {process}": count for (flow, kind), step in self.steps.items() for process, count in step.items()}
        return {"steps": len(self.steps), "steps_and_processes": len(kills), "killed_twice_or_more": sum(count > 1 for count in kills.values()),
                "killed_once": [pair for pair, count in kills.items() if count == 1], "never_killed": [pair for pair, count in kills.items() if count == 0],
                "counted_anew": [f"{flow}: {kind}" for flow, kind in self.own_points],
                "took_no_part": sorted(f"{flow}: {kind}: {process}" for flow, kind, process in self.took_no_part),
                "kills": {pair: count for pair, count in kills.items() if count}}


def stride(count):
    """About five eighths of it, without a common divisor: every point comes once."""
    return next(step for step in range(max(1, count * 5 // 8), count + 2) if math.gcd(step, count) == 1)
