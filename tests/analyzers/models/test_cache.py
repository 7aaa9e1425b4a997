import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from analyzers import progress
from analyzers.models.base import ModelIdentity
from analyzers.models.cache import ModelCache, ModelLoadError, default_budget_mb
from analyzers.models.weights import ModelMissing
from tests.small_models import SmallModel


def identity(model_id, device="cpu"):
    return ModelIdentity("reader", model_id, "0" * 64, device, "native")


class Loader:
    """Makes models and counts; `errors` are raised by the first calls, one each."""

    def __init__(self, seconds=0.0, errors=()):
        self.seconds = seconds
        self.errors = list(errors)
        self.calls = 0
        self.made = []

    def for_(self, who):
        def load():
            self.calls += 1
            time.sleep(self.seconds)
            if self.errors:
                raise self.errors.pop(0)
            self.made.append(SmallModel(who, {}))
            return self.made[-1]

        return load


@pytest.fixture
def cache():
    """Room for 100 MB on each device."""
    return ModelCache(lambda device: 100.0)


def use(cache, model_id, memory_mb=10, loader=None, device="cpu"):
    who = identity(model_id, device)
    with cache.lend(who, memory_mb, (loader or Loader()).for_(who)) as model:
        return model


def stats(cache, model_id):
    return next(s for s in cache.stats() if s.identity.model_id == model_id)


def resident(cache):
    return {s.identity.model_id for s in cache.stats() if s.resident}


def test_loads_once_and_counts(cache):
    loader = Loader()
    assert use(cache, "a", loader=loader) is use(cache, "a", loader=loader)
    assert loader.calls == 1
    a = stats(cache, "a")
    assert (a.loads, a.hits, a.evictions, a.loans, a.resident) == (1, 1, 0, 0, True)


def test_many_threads_at_once_load_once(cache):
    loader = Loader(seconds=0.1)
    barrier = threading.Barrier(12)

    def borrow():
        barrier.wait()
        return use(cache, "a", loader=loader)

    with ThreadPoolExecutor(12) as pool:
        models = [f.result() for f in [pool.submit(borrow) for _ in range(12)]]
    assert loader.calls == 1
    assert len(set(map(id, models))) == 1
    assert stats(cache, "a").hits == 11


def test_two_models_load_side_by_side(cache):
    loading = threading.Barrier(2, timeout=5)

    def load(who):
        loading.wait()  # passes only when both are being loaded
        return SmallModel(who, {})

    def borrow(model_id):
        who = identity(model_id)
        with cache.lend(who, 10, lambda: load(who)):
            pass

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(borrow, ["a", "b"]))
    assert resident(cache) == {"a", "b"}


def test_the_least_recently_used_goes_first(cache):
    oldest = use(cache, "a", 40)
    use(cache, "b", 40)
    use(cache, "a", 40)
    use(cache, "c", 40)
    assert resident(cache) == {"a", "c"}
    assert not oldest.closed
    assert stats(cache, "b").evictions == 1
    use(cache, "d", 70)
    assert resident(cache) == {"d"}
    assert oldest.closed


def test_what_fits_evicts_nothing(cache):
    for model_id in "abcde":
        use(cache, model_id, 20)
    assert resident(cache) == set("abcde")


def test_a_model_on_loan_is_never_evicted(cache):
    who = identity("lent")
    with cache.lend(who, 60, Loader().for_(who)) as lent:
        use(cache, "small", 40)
        use(cache, "other", 40)
        assert resident(cache) == {"lent", "other"}
        cache.clear()
        assert resident(cache) == {"lent"}
        assert not lent.closed
    cache.clear()
    assert lent.closed


def test_devices_have_budgets_of_their_own(cache):
    use(cache, "a", 80, device="cpu")
    use(cache, "b", 80, device="cuda:0")
    assert resident(cache) == {"a", "b"}
    use(cache, "c", 80, device="cuda:0")
    assert resident(cache) == {"a", "c"}


def test_one_that_does_not_fit_beside_loans_waits(cache):
    order = []
    who = identity("light")

    def heavy():
        use(cache, "heavy", 90)
        order.append("heavy loaded")

    with cache.lend(who, 60, Loader().for_(who)):
        thread = threading.Thread(target=heavy)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        order.append("light returned")
    thread.join(5)
    assert order == ["light returned", "heavy loaded"]
    assert resident(cache) == {"heavy"}


def test_one_larger_than_the_budget_runs_alone(cache):
    use(cache, "small", 10)
    use(cache, "huge", 500)
    assert resident(cache) == {"huge"}


def test_a_thread_that_holds_a_loan_does_not_wait_for_another(cache):
    barrier = threading.Barrier(2, timeout=5)

    def both(first, second):
        a, b = identity(first), identity(second)
        with cache.lend(a, 45, Loader().for_(a)):
            barrier.wait()
            with cache.lend(b, 45, Loader().for_(b)):
                return True

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(both, "a", "b"), pool.submit(both, "c", "d")]
        assert [f.result(timeout=10) for f in done] == [True, True]


def test_a_waiting_loan_can_be_cancelled(cache):
    task = progress.Task("waits")
    outcome = []

    def wait():
        with progress.run_task(task):
            try:
                use(cache, "heavy", 90)
            except progress.Cancelled:
                outcome.append("cancelled")

    who = identity("light")
    with cache.lend(who, 60, Loader().for_(who)):
        thread = threading.Thread(target=wait)
        thread.start()
        task.cancel()
        thread.join(5)
    assert outcome == ["cancelled"]


def test_a_failed_load_frees_what_is_idle_and_tries_once_more(cache):
    idle = use(cache, "idle", 20)
    loader = Loader(errors=[RuntimeError("out of memory")])
    use(cache, "a", 20, loader)
    assert loader.calls == 2
    assert idle.closed
    assert resident(cache) == {"a"}


def test_a_second_failure_names_the_model_and_leaves_nothing(cache):
    loader = Loader(errors=[RuntimeError("first"), RuntimeError("out of memory")])
    with pytest.raises(ModelLoadError, match=r"model a \(reader\) .* on cpu.*out of memory"):
        use(cache, "a", 20, loader)
    assert resident(cache) == set()
    use(cache, "a", 20, loader)
    assert stats(cache, "a").loads == 1


def test_missing_weights_are_not_tried_twice(cache):
    idle = use(cache, "idle", 20)
    loader = Loader(errors=[ModelMissing("pull it"), ModelMissing("pull it")])
    with pytest.raises(ModelMissing, match="pull it"):
        use(cache, "a", 20, loader)
    assert loader.calls == 1
    assert not idle.closed


def test_others_who_waited_for_a_failed_load_try_themselves(cache):
    loader = Loader(seconds=0.1, errors=[RuntimeError("x"), RuntimeError("x")])
    barrier = threading.Barrier(2)

    def borrow():
        barrier.wait()
        try:
            return use(cache, "a", loader=loader)
        except ModelLoadError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        outcomes = [f.result(timeout=10) for f in [pool.submit(borrow), pool.submit(borrow)]]
    assert sorted(type(o).__name__ for o in outcomes) == ["ModelLoadError", "SmallModel"]


def test_a_model_that_cannot_be_closed_is_given_up_all_the_same(cache, monkeypatch):
    def refuse(self):
        raise OSError("stuck")

    monkeypatch.setattr(SmallModel, "close", refuse)
    use(cache, "a", 60)
    use(cache, "b", 60)
    assert resident(cache) == {"b"}


def test_an_error_of_the_borrower_returns_the_loan(cache):
    who = identity("a")
    with pytest.raises(ZeroDivisionError), cache.lend(who, 10, Loader().for_(who)):
        raise ZeroDivisionError
    assert stats(cache, "a").loans == 0


def test_many_threads_and_little_room_stay_within_the_budget():
    cache = ModelCache(lambda device: 30.0)
    most = []

    def work(number):
        for step in range(6):
            who = identity(f"m{(number + step) % 5}")
            with cache.lend(who, 10, Loader().for_(who)) as model:
                assert not model.closed
                here = [s for s in cache.stats() if s.resident or s.loans]
                most.append(sum(s.memory_mb for s in here))

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(work, n) for n in range(6)]:
            done.result(timeout=60)
    assert max(most) <= 30
    assert all(s.loans == 0 for s in cache.stats())


def test_the_default_budget_is_a_share_of_what_is_free(monkeypatch):
    monkeypatch.setattr("analyzers.memory.available_bytes", lambda: 10_000_000_000)
    assert default_budget_mb("cpu") == pytest.approx(6000)
