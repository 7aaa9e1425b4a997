from resources.gpu import gpus


def test_gpus_are_listed_where_there_are_any_and_are_no_error_elsewhere():
    for number, gpu in enumerate(gpus()):
        assert gpu.index == number
        assert gpu.name
        assert 0 < gpu.memory_used_bytes <= gpu.memory_total_bytes
        assert gpu.utilization_ratio is None or 0 <= gpu.utilization_ratio <= 1
