"""Writes circuit.json: what small circuits give, by full matrices of the gates (Kronecker products), and the gradients of
their measured outputs by the parameter-shift rule. Needs numpy alone; run in this folder.

One case a line: {"qubits", "depth", "gates", "encoding", "output", "trash", "inverse", "x": N rows, "angles": rows of rotations,
"y": N rows, "weights": of a weighted sum of y, "d_angles": its gradient (measured outputs only)}.
"""

import json

import numpy as np

rng = np.random.default_rng(3)
PAULI = {"x": np.array([[0, 1], [1, 0]]), "y": np.array([[0, -1j], [1j, 0]]), "z": np.array([[1, 0], [0, -1]])}


def on(matrices, qubits):
    """The Kronecker product of a matrix a qubit, qubit 0 first; identity where none is given."""
    whole = np.eye(1)
    for q in range(qubits):
        whole = np.kron(whole, matrices.get(q, np.eye(2)))
    return whole


def rotation(axis, angle):
    return np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * PAULI[axis]


def controlled(kind, control, target, qubits):
    off, set_ = np.diag([1, 0]), np.diag([0, 1])
    return on({control: off}, qubits) + on({control: set_, target: PAULI[kind]}, qubits)


def unitary(c, angles):
    u, row = np.eye(2 ** c["qubits"]), 0
    for repetition in range(c["depth"] + 1):
        for gate in c["gates"]:
            if gate in ("rx", "ry", "rz"):
                u = on({q: rotation(gate[1], a) for q, a in enumerate(angles[row])}, c["qubits"]) @ u
                row += 1
            elif repetition < c["depth"]:
                for q in range(c["qubits"]):
                    if q + 1 < c["qubits"] or c["qubits"] > 2:
                        u = controlled("x" if gate == "cnot" else "z", q, (q + 1) % c["qubits"], c["qubits"]) @ u
    return u


def prepare(c, x):
    size = 2 ** c["qubits"]
    if c["encoding"] == "angle":
        return on({q: rotation("y", a) for q, a in enumerate(x)}, c["qubits"])[:, 0]
    half = len(x) // 2
    both = len(x) > size or c["inverse"] and c["trash"] > 0
    amplitudes = x[:half] + 1j * x[half:] if both else x + 0j
    state = np.zeros(size, complex)
    state[: len(amplitudes)] = amplitudes
    return state / np.linalg.norm(state)


def run(c, x, angles):
    u = unitary(c, angles)
    state = (u.conj().T if c["inverse"] else u) @ prepare(c, x)
    if c["output"] == "state":
        kept = state if c["inverse"] else state[: 2 ** (c["qubits"] - c["trash"])]
        return np.concatenate([kept.real, kept.imag])
    return np.array([(abs(state) ** 2 * np.diag(on({q: PAULI["z"]}, c["qubits"])).real).sum() for q in range(c["qubits"])])


def case(qubits, depth, gates, encoding, output, inputs, trash=0, inverse=False):
    c = dict(qubits=qubits, depth=depth, gates=gates, encoding=encoding, output=output, trash=trash, inverse=inverse)
    rows = (depth + 1) * sum(g in ("rx", "ry", "rz") for g in gates)
    x, angles = np.round(rng.normal(size=(3, inputs)), 3), np.round(rng.uniform(-3, 3, size=(rows, qubits)), 3)
    y = np.array([run(c, r, angles) for r in x])
    weights = np.round(rng.normal(size=y.shape), 3)
    c.update(x=x, angles=angles, y=y, weights=weights)
    if output == "z":  # d/dθ = (f(θ + π/2) - f(θ - π/2)) / 2
        gradient = np.zeros_like(angles)
        for at in np.ndindex(*angles.shape):
            shift = np.zeros_like(angles)
            shift[at] = np.pi / 2
            ends = [sum((weights[i] * run(c, r, angles + s)).sum() for i, r in enumerate(x)) for s in (shift, -shift)]
            gradient[at] = (ends[0] - ends[1]) / 2
        c["d_angles"] = gradient
    return json.dumps({k: np.vectorize(lambda v: float(f"{v:.12g}"))(v).tolist() if isinstance(v, np.ndarray) else v for k, v in c.items()})


with open("circuit.json", "w") as f:
    print(case(3, 2, ["ry", "rz", "cnot"], "angle", "z", 3), file=f)
    print(case(4, 1, ["rx", "cz"], "angle", "z", 2), file=f)
    print(case(2, 2, ["rx", "ry", "rz", "cnot"], "amplitude", "z", 4), file=f)
    print(case(3, 1, ["ry", "cz", "rz", "cnot"], "amplitude", "z", 16, inverse=True), file=f)
    print(case(3, 2, ["ry", "rz", "cnot"], "amplitude", "state", 16, trash=1), file=f)
    print(case(3, 2, ["ry", "rz", "cnot"], "amplitude", "state", 8, trash=1, inverse=True), file=f)
    print(case(1, 1, ["rz", "rx"], "angle", "z", 1), file=f)
    print(case(3, 1, ["rx", "cz"], "amplitude", "state", 5), file=f)
