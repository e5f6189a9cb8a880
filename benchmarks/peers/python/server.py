"""Runs the works of the peers in Python, one thread each: reads a JSON object a line, answers one a line.

{"do": "versions"}                              what is here; null for what is not
{"do": "make", "id", "work", "settings"}        prepares a work: data, model, a first check that it runs
{"do": "result", "id"}                          runs it once from its start; answers its numbers as a flat list
{"do": "run", "id", "count"}                    runs it `count` times; answers milliseconds, CPU and wall
"""

import json
import sys
import time


def find_blas(pattern=("openblas", "mkl", "blis", "libblas")):
    """The library that NumPy's products come from, as loaded; with OpenBLAS its own description of itself."""
    import ctypes
    import re

    import numpy

    numpy.ones((2, 2)) @ numpy.ones((2, 2))
    with open("/proc/self/maps", encoding="utf8") as maps:
        paths = {line.split()[-1] for line in maps if re.search(r"\.so", line)}
    for name in pattern:
        for path in sorted(paths):
            if name not in path.rsplit("/", 1)[-1] and f"/{name}" not in path:
                continue
            library = ctypes.CDLL(path)
            for suffix in ("openblas_get_config", "scipy_openblas_get_config64_"):
                if hasattr(library, suffix):
                    describe = getattr(library, suffix)
                    describe.restype = ctypes.c_char_p
                    return describe().decode().strip()
            return path.rsplit("/", 1)[-1]
    return "unknown BLAS"


def versions():
    found = {"python": sys.version.split()[0], "numpy": None, "blas": None, "torch": None, "capability": None}
    try:
        import numpy

        found["numpy"] = numpy.__version__
        found["blas"] = find_blas()
    except (ImportError, OSError):
        pass
    try:
        import torch

        found["torch"] = torch.__version__
        capability = [line for line in torch.__config__.show().split("\n") if "CPU capability" in line]
        found["capability"] = capability[0].split()[-1] if capability else "unknown"
    except ImportError:
        pass
    return found


def make(work, settings):
    module, name = work.split(".")
    if module not in ("regression", "network", "merging", "predicting", "bayesian"):
        raise ValueError(f"there is no work {work}")
    return getattr(__import__(module), name)(**settings)


def answer(works, request):
    do = request["do"]
    if do == "versions":
        return versions()
    if do == "make":
        works[request["id"]] = make(request["work"], request["settings"])
        return {}
    work = works[request["id"]]
    if do == "result":
        return {"values": [float(value) for value in work.result()]}
    run = work.run
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(request["count"]):
        run()
    return {
        "cpuMs": 1000 * (time.process_time() - cpu),
        "wallMs": 1000 * (time.perf_counter() - wall),
    }


def main():
    works = {}
    for line in sys.stdin:
        try:
            reply = answer(works, json.loads(line))
        except Exception as error:  # Whatever it is, the other end must hear of it instead of waiting.
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


main()
