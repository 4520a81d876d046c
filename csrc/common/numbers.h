// What the triangle math needs of its numbers, on the CPU (numbers or vectors of them) and in CUDA kernels (numbers).
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

// Functions that CUDA kernels share with the CPU's.
#if defined(__CUDACC__)
#define INVGRAPH_HD __host__ __device__
#else
#define INVGRAPH_HD
#endif

// The inline namespace that keeps the copies compiled for different instruction sets apart.
#ifndef INVGRAPH_ISA
#define INVGRAPH_ISA baseline
#endif

namespace invgraph {
inline namespace INVGRAPH_ISA {

// Beyond this product of (1 + e^x) over faces a soft alpha is 1 to the last bit.
template <class T>
constexpr T kSaturated = sizeof(T) == 4 ? T(1 << 26) : T(1ll << 55);

template <class M, class V>
INVGRAPH_HD inline V select(M m, V a, V b) {
    return m ? a : b;
}
template <class V>
INVGRAPH_HD inline V minimum(V a, V b) {
    return select(a < b, a, b);
}
template <class V>
INVGRAPH_HD inline V maximum(V a, V b) {
    return select(a > b, a, b);
}

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
