#!/usr/bin/env python3
"""Has NVIDIA's assembler take the checked-in PTX for real chips, without one at hand.

  ptxas.py [--spills] gpu/ptx PTXAS sm_75,sm_80,sm_90 [PTXAS sm_120 ...]

Every module has to assemble. Every kernel has to fit the register file with the largest block that it allows: what
__launch_bounds__ says, else 1024 threads; a kernel that does not is "too many resources requested for launch" on a GPU only.
--spills lists kernels that keep registers in memory.
"""
import glob, os, re, subprocess, sys
from concurrent.futures import ThreadPoolExecutor

REGISTERS = 65536  # of a multiprocessor, of which a block can have all


def largest_blocks(ptx):
    """Threads of the largest block of each kernel."""
    blocks = {}
    for name, directives in re.findall(r"\.entry (\w+)\s*\([^)]*\)([^{]*)\{", ptx):
        bound = re.search(r"\.(?:maxntid|reqntid)\s+(\d+)(?:\s*,\s*(\d+))?(?:\s*,\s*(\d+))?", directives)
        threads = 1024
        if bound:
            threads = 1
            for n in bound.groups():
                threads *= int(n or 1)
        blocks[name] = threads
    return blocks


def assemble(ptxas, arch, path):
    """Returns complaints about one module, and its kernels that spill."""
    run = subprocess.run([ptxas, "-v", "-arch=" + arch, path, "-o", os.devnull], capture_output=True, text=True)
    if run.returncode:
        return [f"{path} for {arch}:\n{run.stdout}{run.stderr}"], []
    with open(path) as f:
        blocks = largest_blocks(f.read())
    complaints, spills, kernel = [], [], None
    for line in run.stderr.split("\n"):
        if m := re.search(r"Compiling entry function '(\w+)'", line):
            kernel = m.group(1)
        elif m := re.search(r"(\d+) bytes spill stores", line):
            if int(m.group(1)):
                spills.append(f"{os.path.basename(path)} {kernel} on {arch}: {m.group(1)} bytes of spills")
        elif m := re.search(r"Used (\d+) registers", line):
            used = -(-int(m.group(1)) // 8) * 8  # handed out in eights
            if used * blocks[kernel] > REGISTERS:
                complaints.append(f"{path}: {kernel} uses {m.group(1)} registers on {arch}: a block of {blocks[kernel]} threads cannot start; "
                                  f"give it __launch_bounds__ of at most {REGISTERS // used // 32 * 32}")
    return complaints, spills


def main():
    args = sys.argv[1:]
    show = "--spills" in args
    args = [a for a in args if a != "--spills"]
    if len(args) < 3 or len(args) % 2 == 0:
        raise SystemExit(__doc__)
    files = sorted(glob.glob(os.path.join(args[0], "*.ptx")))
    if not files:
        raise SystemExit(f"{args[0]} has no PTX")
    jobs = [(args[i], arch, f) for i in range(1, len(args), 2) for arch in args[i + 1].split(",") for f in files]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda job: assemble(*job), jobs))
    if show:
        for line in sorted(s for _, spills in results for s in spills):
            print(line)
    complaints = [c for r, _ in results for c in r]
    if complaints:
        raise SystemExit("\n".join(complaints))
    print(f"{len(files)} modules assemble for {', '.join(a for i in range(2, len(args), 2) for a in args[i].split(','))}")


main()
