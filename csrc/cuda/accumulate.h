// Sums over many items (pixels) for each of many units (faces), without atomics: the same bytes every run.
#pragma once

#include "common/pixel_box.h"
#include "cuda/runtime.h"

namespace invgraph {
namespace cuda {

constexpr int kAccumulateThreads = 256, kAccumulateWarps = kAccumulateThreads / kWarp;
constexpr int64_t kLargeUnit = 2048;  // items: a unit of more is summed by its whole block
constexpr int64_t kFewUnits = 2048;   // so few units get a block each

// Work is a plain struct, passed to the kernel by value:
//   using Number; static constexpr int kNumbers;             what is summed
//   struct Unit;                                             what the items of a unit share
//   int64_t open(int64_t unit, Unit&)                        the number of its items
//   void add(const Unit&, int64_t item, Number sums[])       adds one item's numbers
//   void close(int64_t unit, const Unit&, const Number sums[])   writes the sums (zeros for no items); by one thread
//
// A small unit is summed by a warp and a large one by a block: lanes take items in turn, then a tree of fixed shape adds
// the lanes. Which of the two depends on the unit alone.
template <class Work>
__global__ void accumulate_kernel(Work work, int64_t units, int units_a_block) {
    using T = typename Work::Number;
    constexpr int N = Work::kNumbers;
    __shared__ int large[kAccumulateWarps];
    __shared__ T partial[kAccumulateWarps][N];
    const int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
    const int64_t first = static_cast<int64_t>(blockIdx.x) * units_a_block;
    if (lane == 0) large[warp] = 0;
    if (warp < units_a_block && first + warp < units) {
        typename Work::Unit unit;
        const int64_t items = work.open(first + warp, unit);
        if (items > kLargeUnit) {
            if (lane == 0) large[warp] = 1;
        } else {
            T sums[N];
            for (int n = 0; n < N; ++n) sums[n] = 0;
            for (int64_t item = lane; item < items; item += kWarp) work.add(unit, item, sums);
            if (items > 0)
                for (int n = 0; n < N; ++n) sums[n] = warp_sum(sums[n]);
            if (lane == 0) work.close(first + warp, unit, sums);
        }
    }
    __syncthreads();
    for (int u = 0; u < units_a_block; ++u) {
        if (!large[u]) continue;
        typename Work::Unit unit;
        const int64_t items = work.open(first + u, unit);
        T sums[N];
        for (int n = 0; n < N; ++n) sums[n] = 0;
        for (int64_t item = threadIdx.x; item < items; item += kAccumulateThreads) work.add(unit, item, sums);
        for (int n = 0; n < N; ++n) {
            const T sum = warp_sum(sums[n]);
            if (lane == 0) partial[warp][n] = sum;
        }
        __syncthreads();
        if (threadIdx.x == 0) {
            for (int n = 0; n < N; ++n) {
                sums[n] = 0;
                for (int w = 0; w < kAccumulateWarps; ++w) sums[n] += partial[w][n];
            }
            work.close(first + u, unit, sums);
        }
        __syncthreads();
    }
}

template <class Work>
void accumulate(const char* name, const Place& place, const Work& work, int64_t units) {
    const int units_a_block = units < kFewUnits ? 1 : kAccumulateWarps;
    launch(name, place, blocks_for(units, units_a_block), kAccumulateThreads, accumulate_kernel<Work>, work, units,
           units_a_block);
}

// The item-th pixel of a box, row by row.
__device__ inline void pixel_of(const PixelBox& box, int64_t item, int& x, int& y) {
    const unsigned width = static_cast<unsigned>(box.x1 - box.x0 + 1), i = static_cast<unsigned>(item);
    x = box.x0 + static_cast<int>(i % width);
    y = box.y0 + static_cast<int>(i / width);
}
__device__ inline int64_t pixels_of(const PixelBox& box) {
    return box.empty() ? 0 : static_cast<int64_t>(box.x1 - box.x0 + 1) * (box.y1 - box.y0 + 1);
}

}  // namespace cuda
}  // namespace invgraph
