"""The few machine operations that numba has no name for, for `dupdetect._compiled`.

Each is some lines of LLVM's language. Vectors are wider than some processors': LLVM then splits them.
Indices are not checked: callers keep them within their arrays.
"""

# ruff: noqa: ARG001

from __future__ import annotations

from functools import reduce
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.extending import intrinsic

#: Bytes that `fold_block` reads and writes at a time.
BLOCK = 64
#: Permutations that `least` works on at a time: 4 vectors of 16, so that everything stays in registers.
LANES, GROUP = 16, 64

_ALLOCATING: dict[str, Any] = {"nogil": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_INNER: dict[str, Any] = {**_ALLOCATING, "_nrt": False}
_INLINED: dict[str, Any] = {**_INNER, "forceinline": True}
#: For functions that make arrays and that only other compiled functions call.
allocating = njit(**_ALLOCATING)
#: For those that make none. Without `_nrt` numba does not count references to each array at each call, which would
#: cost more than most of these functions do.
inner = njit(**_INNER)
#: For those called once a character: a call passes an array as seven numbers, tables of characters as sixty-three.
inlined = njit(**_INLINED)

_I32, _I64 = ir.IntType(32), ir.IntType(64)


def _address(context, builder, array_type, array, index, pointee):
    """Return a pointer to an array's item, as one to `pointee`."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), pointee.as_pointer())


def _constant(vector, value):
    return ir.Constant(vector, [value] * vector.count)


@intrinsic
def wide(typing):
    """Let LLVM make vectors of 512 bits of the loops of the calling function, where the processor has them.

    Left alone it stops at 256, for processors of old that slowed down.
    """

    def build(context, builder, signature, arguments):
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')  # a set that else takes no strings
        return context.get_dummy_value()

    return types.void(), build


@intrinsic
def load64(typing, array, index):
    """Return the 8 bytes from array[index] on, of uint8[n], as uint64, little endian."""

    def build(context, builder, signature, arguments):
        pointer = _address(context, builder, signature.args[0], *arguments, _I64)
        return builder.load(pointer, align=1)

    return types.uint64(array, types.intp), build


@intrinsic
def store64(typing, array, index, value):
    """Write uint64 to the 8 bytes from array[index] on, of uint8[n], little endian."""

    def build(context, builder, signature, arguments):
        pointer = _address(context, builder, signature.args[0], *arguments[:2], _I64)
        builder.store(arguments[2], pointer, align=1)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.uint64), build


@intrinsic
def lowest(typing, value):
    """Return the number of the lowest bit set in a uint64, 64 if none is."""

    def build(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), build


@intrinsic
def population(typing, value):
    """Return how many bits are set in a uint64."""

    def build(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), build


@intrinsic
def fold_block(typing, source, position, target, out):
    """Copy 64 bytes, capital letters of ASCII made small.

    Returns two uint64 of one bit per byte: which are word characters of ASCII, which are no ASCII.
    """

    def build(context, builder, signature, arguments):
        vector = ir.VectorType(ir.IntType(8), BLOCK)
        loaded = _address(context, builder, signature.args[0], *arguments[:2], vector)
        stored = _address(context, builder, signature.args[2], *arguments[2:], vector)

        def within(values, first, last):
            shifted = builder.sub(values, _constant(vector, ord(first)))
            return builder.icmp_unsigned("<=", shifted, _constant(vector, ord(last) - ord(first)))

        raw = builder.load(loaded, align=1)
        small = builder.or_(raw, _constant(vector, 0x20))
        folded = builder.select(within(raw, "A", "Z"), small, raw)
        builder.store(folded, stored, align=1)
        in_word = builder.or_(within(small, "a", "z"), within(raw, "0", "9"))
        in_word = builder.or_(in_word, builder.icmp_unsigned("==", raw, _constant(vector, ord("_"))))
        beyond = builder.icmp_signed("<", raw, _constant(vector, 0))
        masks = [builder.bitcast(mask, _I64) for mask in (in_word, beyond)]
        return context.make_tuple(builder, signature.return_type, masks)

    return types.UniTuple(types.uint64, 2)(source, types.intp, target, types.intp), build


@intrinsic
def prefetch(typing, array, index):
    """Have the processor fetch array[index], of uint8[n], ahead of its use; it may lie beyond the array."""

    def build(context, builder, signature, arguments):
        byte = ir.IntType(8)
        type_ = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), _I32, _I32, _I32])
        function = builder.module.declare_intrinsic("llvm.prefetch", (byte.as_pointer(),), type_)
        options = [ir.Constant(_I32, value) for value in (0, 3, 1)]  # to read, to keep, as data
        builder.call(function, [_address(context, builder, signature.args[0], *arguments, byte), *options])
        return context.get_dummy_value()

    return types.void(array, types.intp), build


def match_block(spans):
    """Make a function that finds characters among 64 bytes by the bytes that they begin with.

    Parameters
    ----------
    spans : tuple of tuples of (int, int)
        Of each sort of character the least and the largest value of its first byte, of its second, and so on.

    Returns
    -------
    function of uint8[n], position
        Returns a uint64 of one bit per byte from position on: whether such a character begins with it. It reads as many
        bytes more as the longest of `spans` has beyond the first.
    """

    @intrinsic
    def matched(typing, source, position):
        def build(context, builder, signature, arguments):
            vector = ir.VectorType(ir.IntType(8), BLOCK)
            address = _address(context, builder, signature.args[0], *arguments, ir.IntType(8))

            def bytes_from(step):
                pointer = builder.gep(address, [ir.Constant(_I64, step)])
                return builder.load(builder.bitcast(pointer, vector.as_pointer()), align=1)

            def within(values, first, last):
                if first == last:
                    return builder.icmp_unsigned("==", values, _constant(vector, first))
                shifted = builder.sub(values, _constant(vector, first)) if first else values
                return builder.icmp_unsigned("<=", shifted, _constant(vector, last - first))

            loaded = [bytes_from(step) for step in range(max(map(len, spans)))]
            found = [
                reduce(builder.and_, [within(values, *span) for values, span in zip(loaded, pattern, strict=False)])
                for pattern in spans
            ]
            return builder.bitcast(reduce(builder.or_, found), _I64)

        return types.uint64(source, types.intp), build

    return matched


@intrinsic
def least(typing, values, count, factors, terms, group, signature_, row):
    """Take the least of factor * value + term over values[:count], for 64 permutations from `group` on.

    values, factors, terms: uint32[...]; the result goes to signature_[row, group : group + 64].
    """

    def build(context, builder, signature, arguments):
        values, count, factors, terms, group, signatures, row = arguments
        argument_types = signature.args
        vector = ir.VectorType(_I32, LANES)

        def vectors(type_, array, start):
            offsets = (builder.add(start, ir.Constant(_I64, step)) for step in range(0, GROUP, LANES))
            return [_address(context, builder, type_, array, offset, vector) for offset in offsets]

        multipliers = [builder.load(pointer, align=4) for pointer in vectors(argument_types[2], factors, group)]
        increments = [builder.load(pointer, align=4) for pointer in vectors(argument_types[3], terms, group)]
        minima = [cgutils.alloca_once_value(builder, _constant(vector, 0xFFFFFFFF)) for _ in multipliers]
        source = context.make_array(argument_types[0])(context, builder, values).data
        with cgutils.for_range(builder, count) as loop:
            value = builder.load(builder.gep(source, [loop.index]))
            lane = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(_I32, 0))
            zeros = ir.Constant(ir.VectorType(_I32, LANES), [0] * LANES)
            spread = builder.shuffle_vector(lane, ir.Constant(vector, ir.Undefined), zeros)
            for minimum, multiplier, increment in zip(minima, multipliers, increments, strict=True):
                permuted = builder.add(builder.mul(spread, multiplier), increment)
                so_far = builder.load(minimum)
                smaller = builder.icmp_unsigned("<", permuted, so_far)
                builder.store(builder.select(smaller, permuted, so_far), minimum)
        array = context.make_array(argument_types[5])(context, builder, signatures)
        width = builder.extract_value(array.shape, 1)
        start = builder.add(builder.mul(row, width), group)
        for pointer, minimum in zip(vectors(argument_types[5], signatures, start), minima, strict=True):
            builder.store(builder.load(minimum), pointer, align=4)
        return context.get_dummy_value()

    numbers = types.intp
    return types.void(values, numbers, factors, terms, numbers, signature_, numbers), build
