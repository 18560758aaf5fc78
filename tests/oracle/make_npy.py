#!/usr/bin/env python3
"""Writes tests/oracle/npy/: arrays as NumPy 2 saves them, of every dtype and layout that io/npy.c reads or refuses.
tests/test_npy.c knows what is in them.

    python tests/oracle/make_npy.py      (run with NumPy 2.4.6)
"""
import os
import numpy as np

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "npy")
ramp = np.arange(24).reshape(2, 3, 4)


def save(name, array, **how):
    with open(os.path.join(folder, name + ".npy"), "wb") as file:
        if how:
            np.lib.format.write_array(file, array, **how)
        else:
            np.save(file, array)


for code in ["<f4", ">f4", "<f8", ">f8", "<f2", "<i4", ">i4", "<i8", ">i8", "|u1", "|i1", "<i2", ">i2", "<u2", "<u4", "<u8"]:
    save("ramp_" + code.replace("<", "le_").replace(">", "be_").replace("|", ""), (ramp - (0 if "u" in code else 5)).astype(code))
save("bool", ramp % 2 == 0)
save("fortran_f4", np.asfortranarray(ramp.astype("<f4")))
save("fortran_be_i2", np.asfortranarray(ramp.astype(">i2")))
save("scalar", np.float64(2.5))
save("empty", np.zeros((0, 3), "<f4"))
save("version_2", ramp.astype("<f4"), version=(2, 0))
save("version_3", ramp.astype("<f4"), version=(3, 0))
save("too_large", np.array([1, 2**63], "<u8"))
save("text", np.array(["a", "bc"]))
save("bytes", np.array([b"a", b"bc"]))
save("complex", np.array([1 + 2j]))
save("records", np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f8")]))
save("dates", np.array(["2024-01-31"], dtype="M8[D]"))
save("objects", np.array([None, 1], dtype=object), allow_pickle=True)
x, y = ramp.reshape(6, 4).astype("<f4"), np.arange(6, dtype="<i8")
np.savez(os.path.join(folder, "stored.npz"), x=x, y=y)
np.savez_compressed(os.path.join(folder, "deflated.npz"), x_train=x, y_train=y)
