// CUDA's kernel language on the CPU, as far as invgraph's kernels use it, for tests on machines without a GPU.
//
// Blocks run one after the other; a block's threads are fibers that run until a barrier or a warp operation, in an order
// that set_schedule() shuffles. It is stricter than a GPU: a barrier that some threads of the block do not reach, or a warp
// operation that some lanes do not reach, is an error and not a hang.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "cuda/place.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static  // one block runs at a time, and what the last one left is as good as garbage

namespace emulation {

struct Index {
    unsigned x = 0, y = 0, z = 0;
};
extern Index thread, block, block_size, grid_size;  // of the thread that runs

void set_schedule(unsigned seed);
void run_blocks(const char* name, int64_t blocks, int threads, const std::function<void()>& body);
void block_barrier();                                // __syncthreads
int block_count(bool predicate);                     // how many threads of the block say so
const uint64_t* exchange(unsigned mask, uint64_t value);  // the values of the warp's 32 lanes

template <class T>
uint64_t to_bits(T value) {
    static_assert(sizeof(T) <= 8 && std::is_trivially_copyable<T>::value, "warp operations move up to 8 bytes");
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    return bits;
}
template <class T>
T from_bits(uint64_t bits) {
    T value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

}  // namespace emulation

#define threadIdx (emulation::thread)
#define blockIdx (emulation::block)
#define blockDim (emulation::block_size)
#define gridDim (emulation::grid_size)

inline void __syncthreads() { emulation::block_barrier(); }
inline int __syncthreads_and(int predicate) {
    return emulation::block_count(predicate != 0) == static_cast<int>(blockDim.x);
}
inline int __syncthreads_or(int predicate) { return emulation::block_count(predicate != 0) > 0; }
inline void __syncwarp(unsigned mask = 0xffffffffu) { emulation::exchange(mask, 0); }

inline unsigned __ballot_sync(unsigned mask, int predicate) {
    const uint64_t* lanes = emulation::exchange(mask, predicate != 0);
    unsigned bits = 0;
    for (int i = 0; i < 32; ++i) bits |= static_cast<unsigned>(lanes[i]) << i;
    return bits;
}
inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) == 0xffffffffu; }
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
template <class T>
T __shfl_sync(unsigned mask, T value, int lane) {
    return emulation::from_bits<T>(emulation::exchange(mask, emulation::to_bits(value))[lane & 31]);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes) {
    const int mine = static_cast<int>(threadIdx.x & 31);
    return emulation::from_bits<T>(emulation::exchange(mask, emulation::to_bits(value))[mine ^ lanes]);
}

inline int __ffs(int value) { return __builtin_ffs(value); }
inline int __popc(unsigned value) { return __builtin_popcount(value); }

// Fibers change places at barriers alone, so a plain operation is atomic.
template <class T>
T atomicMin(T* at, T value) {
    const T before = *at;
    *at = std::min(before, value);
    return before;
}
template <class T>
T atomicMax(T* at, T value) {
    const T before = *at;
    *at = std::max(before, value);
    return before;
}
template <class T>
T atomicCAS(T* at, T expected, T value) {
    const T before = *at;
    if (before == expected) *at = value;
    return before;
}

using std::exp;
using std::log;
using std::sqrt;

namespace invgraph {
namespace cuda {

template <class... P, class... A>
void launch(const char* name, const Place&, int64_t blocks, int threads, void (*kernel)(P...), A... arguments) {
    if (blocks == 0) return;
    if (blocks > 2147483647) throw std::overflow_error(std::string("invgraph CUDA, ") + name + ": more than 2^31 - 1 blocks");
    emulation::run_blocks(name, blocks, threads, [&] { kernel(static_cast<P>(arguments)...); });
}

}  // namespace cuda
}  // namespace invgraph
