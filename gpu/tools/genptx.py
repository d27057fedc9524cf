#!/usr/bin/env python3
"""Compiles kernels/cuda/*.cu to PTX with NVRTC: no nvcc, GPU or driver is needed.

  genptx.py --nvrtc PATH/libnvrtc.so.12 -I kernels/cuda -o gpu/ptx/softmax.ptx kernels/cuda/softmax.cu
  genptx.py --nvrtc PATH/libnvrtc.so.12 -I kernels/cuda --all kernels/cuda gpu/ptx            # every *.cu of a folder
  genptx.py ... --check                                                                       # exit 1 where a file is not what its source gives
"""
import argparse, ctypes as C, glob, os, re, sys


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--nvrtc", required=True, help="path of libnvrtc.so.12; its version decides the PTX version, so the least driver")
    ap.add_argument("--arch", default="compute_70", help="least compute capability")
    ap.add_argument("-I", action="append", default=[], metavar="FOLDER")
    ap.add_argument("-o", metavar="FILE.ptx")
    ap.add_argument("--check", action="store_true")
    ap.add_argument("--all", nargs=2, metavar=("SOURCES", "PTX"))
    ap.add_argument("source", nargs="?")
    a = ap.parse_args()
    if bool(a.all) == bool(a.source and a.o):
        ap.error("give either --all, or -o and one source")
    return a


class NVRTC:
    def __init__(self, path):
        self.lib = C.CDLL(path)
        self.lib.nvrtcGetErrorString.restype = C.c_char_p
        major, minor = C.c_int(), C.c_int()
        self.ok(self.lib.nvrtcVersion(C.byref(major), C.byref(minor)))
        self.version = f"{major.value}.{minor.value}"

    def ok(self, status):
        if status:
            raise SystemExit("nvrtc: " + self.lib.nvrtcGetErrorString(status).decode())

    def text(self, program, name):
        size = C.c_size_t()
        self.ok(getattr(self.lib, f"nvrtcGet{name}Size")(program, C.byref(size)))
        buffer = C.create_string_buffer(size.value)
        self.ok(getattr(self.lib, f"nvrtcGet{name}")(program, buffer))
        return buffer.value.decode()

    def compile(self, source, arch, include):
        """Returns the PTX text of one source, without NVRTC's own head (build ids), so that it is the same everywhere."""
        program = C.c_void_p()
        with open(source, "rb") as f:
            # the base name: a path would stand in the PTX of a kernel that asserts or has line numbers
            self.ok(self.lib.nvrtcCreateProgram(C.byref(program), f.read(), os.path.basename(source).encode(), 0, None, None))
        options = [f"--gpu-architecture={arch}", "--std=c++17"] + [f"--include-path={i}" for i in include]
        status = self.lib.nvrtcCompileProgram(program, len(options), (C.c_char_p * len(options))(*[o.encode() for o in options]))
        log = self.text(program, "ProgramLog").strip()
        if log:
            sys.stderr.write(f"{source}:\n{log}\n")
        self.ok(status)
        # nv::target: constants of NVRTC's own that it writes into every module and nothing reads. callseq: a number that counts
        # through everything that the process has compiled
        lines = [re.sub(r" // callseq \d+(, \d+)?$", "", l) for l in self.text(program, "PTX").rstrip("\n").split("\n")
                 if not l.startswith("//") and not (l.startswith(".global") and "2nv6target" in l)]
        self.ok(self.lib.nvrtcDestroyProgram(C.byref(program)))
        head = f"// {os.path.basename(source)} by NVRTC {self.version} for {arch}; made by gpu/tools/genptx.py, do not edit\n"
        return head + "\n".join(lines).lstrip("\n") + "\n"


def main():
    a = arguments()
    nvrtc = NVRTC(a.nvrtc)
    pairs = [(a.source, a.o)] if a.source else [
        (s, os.path.join(a.all[1], os.path.basename(s)[:-2] + "ptx")) for s in sorted(glob.glob(os.path.join(a.all[0], "*.cu")))]
    stale = []
    for source, out in pairs:
        ptx = nvrtc.compile(source, a.arch, a.I)
        old = open(out).read() if os.path.exists(out) else None
        if old == ptx:
            continue
        if a.check:
            stale.append(out)
            continue
        with open(out, "w") as f:
            f.write(ptx)
        print(out, len(ptx), "bytes")
    if a.all:
        known = {o for _, o in pairs}
        stale += [f"{p} (no source)" for p in sorted(glob.glob(os.path.join(a.all[1], "*.ptx"))) if p not in known]
    if stale:
        raise SystemExit("out of date, run `make ptx`: " + ", ".join(stale))


main()
