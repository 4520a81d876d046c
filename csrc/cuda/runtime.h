// What the CUDA kernels need of the CUDA runtime: a place to run, a launch, and errors that become Python's.
//
// With INVGRAPH_EMULATED the same sources are plain C++ and run on the CPU, threads as fibers, for the tests
// (tests/cuda/emulation/emulation.h).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#if defined(INVGRAPH_EMULATED)
#include "emulation.h"
#else
#include <cuda_runtime.h>
#endif

#include "common/faces.h"
#include "cuda/place.h"

namespace invgraph {
namespace cuda {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;

#if !defined(INVGRAPH_EMULATED)

inline void check(cudaError_t error, const char* what) {
    if (error != cudaSuccess)
        throw std::runtime_error(std::string("invgraph CUDA, ") + what + ": " + cudaGetErrorString(error));
}

// Makes a device current for a scope, and the one before it afterwards.
class DeviceGuard {
    int before_ = -1;

public:
    explicit DeviceGuard(int device) {
        int current = -1;
        check(cudaGetDevice(&current), "asking for the current device");
        if (current == device) return;
        check(cudaSetDevice(device), "choosing the device");
        before_ = current;
    }
    ~DeviceGuard() {
        if (before_ >= 0) cudaSetDevice(before_);
    }
    DeviceGuard(const DeviceGuard&) = delete;
    DeviceGuard& operator=(const DeviceGuard&) = delete;
};

// Queues `blocks` blocks of `threads` threads on the caller's stream and returns at once.
template <class... P, class... A>
void launch(const char* name, const Place& place, int64_t blocks, int threads, void (*kernel)(P...), A... arguments) {
    if (blocks == 0) return;
    if (blocks > 2147483647) throw std::overflow_error(std::string("invgraph CUDA, ") + name + ": more than 2^31 - 1 blocks");
    const DeviceGuard guard(place.device);
    kernel<<<static_cast<unsigned>(blocks), threads, 0, reinterpret_cast<cudaStream_t>(place.stream)>>>(
        static_cast<P>(arguments)...);
    check(cudaGetLastError(), name);
}

#endif

inline int64_t blocks_for(int64_t count, int threads) { return (count + threads - 1) / threads; }

// The index of this thread among all of its launch.
__device__ inline int64_t thread_index() { return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; }

// The sum over a warp's lanes, in a fixed order, in every lane.
template <class T>
__device__ inline T warp_sum(T value) {
    for (int step = kWarp / 2; step > 0; step /= 2) value += __shfl_xor_sync(kAllLanes, value, step);
    return value;
}

}  // namespace cuda
}  // namespace invgraph
