"""Interleaved rounds (A B C A B C …) after a warm-up, and what is said of them."""
import statistics


def interleaved(rounds, contestants, warm_up=True):
    """contestants: name -> callable. Results by name, one per round; the warm-up round is dropped."""
    results = {name: [] for name in contestants}
    for number in range(-1 if warm_up else 0, rounds):
        for name, measure in contestants.items():
            result = measure()
            if number >= 0:
                results[name].append(result)
    return results


def spread(values, form="{:.2f}"):
    """Median (least–greatest)."""
    if len(values) == 1:
        return form.format(values[0])
    return f"{form.format(statistics.median(values))} ({form.format(min(values))}–{form.format(max(values))})"


def paired(above, below):
    """Quotients of the same round."""
    return [a / b for a, b in zip(above, below, strict=True)]
