"""What one rank of a two-process evaluation does.

A module of its own, found by `sys.path` like the other helpers: a spawned process imports it by name, and the name
`tests` may belong to somebody else (model-index, which openmim needs, installs a package of that name).
"""

import json


def evaluate_rank(rank: int, metric: dict, data: list, folder) -> None:
    """Evaluate this rank's share of `data`; rank 1 writes the result that every rank must hold."""
    import torch
    import torch.distributed as dist
    from mmengine.dataset import DefaultSampler
    from mmengine.registry import init_default_scope
    from mmpose.registry import METRICS

    torch.set_num_threads(1)
    init_default_scope("mmpose")
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    evaluator = METRICS.build({**metric, "collect_dir": f"{folder}/collect"})
    for i in DefaultSampler(data, shuffle=False):
        evaluator.process({}, [data[i]])
    result = evaluator.evaluate(size=len(data))
    if rank == 1:
        (folder / "result.json").write_text(json.dumps(result))
    dist.barrier()
    dist.destroy_process_group()
