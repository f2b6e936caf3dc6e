"""What a goal's measuring gives, and the table made of it."""
import dataclasses
import statistics

from compare.rounds import spread


@dataclasses.dataclass
class Result:
    """One line of the table. values: one per round; empty: not measured, and `note` says why."""
    goal: str
    case: str
    values: list = dataclasses.field(default_factory=list)
    at_least: float | None = None
    at_most: float | None = None
    unit: str = "×"
    form: str = "{:.2f}"
    note: str = ""
    runs: dict = dataclasses.field(default_factory=dict)  # What the values are made of.

    @property
    def median(self):
        return statistics.median(self.values) if self.values else None

    @property
    def met(self):
        if not self.values or (self.at_least is None and self.at_most is None):
            return None
        return (self.at_least is None or self.median >= self.at_least) and (
            self.at_most is None or self.median <= self.at_most)

    def bound(self):
        if self.at_least is None and self.at_most is None:
            return "–"
        sign, bound = ("≥", self.at_least) if self.at_least is not None else ("≤", self.at_most)
        return f"{sign} {bound:g} {self.unit}"

    def row(self):
        value = f"{spread(self.values, self.form)} {self.unit}" if self.values else "not measured"
        reached = {True: "yes", False: "**no**", None: "–"}[self.met]
        return f"| {self.goal} | {self.case} | {self.bound()} | {value} | {reached} | {self.note} |"

    def as_json(self):
        return dataclasses.asdict(self) | {"median": self.median, "met": self.met}


def not_measured(goal, case, why):
    return Result(goal, case, note=why)


def table(results):
    head = ["| goal | what | bound | median (least–greatest) | reached | note |", "|---|---|---|---|---|---|"]
    return "\n".join(head + [result.row() for result in results])
