"""Products of a query with rows that lie scattered over the arrays of many films: fetched by address, compiled.

A question reads a few hundred rows of 2 to 5 kB; taking each through Python costs as long as fetching it.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Addresses = NDArray[np.int64]


def address_of(array: Floats) -> int:
    """Where the first row of an array lies; raises ValueError where its rows do not follow each other."""
    if array.dtype != np.float32 or not array.flags.c_contiguous:
        raise ValueError("rows must be single precision, one after the other")
    return int(array.ctypes.data)


def products(addresses: Addresses, query: Floats) -> Floats:
    """The products of the rows at these addresses with a query [D], float32; whoever asks holds on to their arrays.

    Each row separately: of a product with a matrix the last bit depends on what else is in it, and equal shots would
    change places from one page of a list to the next.
    """
    found = np.empty(len(addresses), np.float32)
    compiled()(addresses, np.array(query, np.float32), found)
    return found


@cache
def compiled() -> Callable[..., None]:
    """The loop over the rows."""
    import numba
    from numba.extending import intrinsic

    carray: Any = getattr(numba, "carray")  # noqa: B009  its types do not name it
    types: Any = numba.types

    def to_pointer(_context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        return types.CPointer(types.float32)(address), generate

    pointer: Any = intrinsic(to_pointer)

    def multiply(addresses: Addresses, query: Floats, found: Floats) -> None:
        for k in range(len(addresses)):
            row = carray(pointer(addresses[k]), (len(query),))
            total = np.float32(0)
            for i in range(len(query)):
                total += row[i] * query[i]
            found[k] = total

    loop: Callable[..., None] = numba.njit("void(int64[::1], float32[::1], float32[::1])", nogil=True, fastmath=True)(
        multiply
    )
    return loop
