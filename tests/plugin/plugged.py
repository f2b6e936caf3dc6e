"""Repositories whose Feast uses Banquet, and what their runs say."""

ENGINE = "banquet.feast.BanquetEngine"


def plug(repository, **options):
    """The one line in feature_store.yaml, with options of the engine's block."""
    words = "".join(f", {key}: {value}" for key, value in options.items())
    repository.append_configuration(f"batch_engine: {{type: {ENGINE}{words}}}\n")
    return repository


def run(feast, repository, arguments):
    """A recorded command, such as ["materialize", START, END, "-v", "stats"], by Feast; returns the jobs."""
    words = iter(arguments[1:])
    times, views, version = [], [], None
    for word in words:
        if word == "-v":
            views.append(next(words))
        elif word == "--version":
            version = next(words)
        else:
            times.append(word)
    assert len(times) == (2 if arguments[0] == "materialize" else 1), arguments
    return feast.jobs_of(repository, *times, views=views or None, version=version)


def by_banquet(result, *views):
    """Asserts that Banquet itself did these views, all of them well and nothing else; returns the jobs."""
    jobs = result["jobs"]
    assert result["raised"] is None, result
    assert not views or set(jobs) == set(views), jobs
    assert jobs, "no view was materialized"
    for name, job in jobs.items():
        assert (job["status"], job["error"], job["fallback_reason"]) == ("SUCCEEDED", None, None), job
        assert job["report"]["name"] == name and job["report"]["status"] == "SUCCEEDED", job
    return jobs
