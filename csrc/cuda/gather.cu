// Numbers of corners, added up per vertex in a fixed order that a stable sort of the corners gives.
#include "cuda/kernels.h"
#include "cuda/runtime.h"

namespace invgraph {
namespace cuda {
namespace {

constexpr int kThreads = 256;

template <class T>
__global__ void gather_kernel(const int64_t* order, const int64_t* begin, int64_t blocks, int64_t groups, int64_t repeats,
                              int64_t stride, int64_t numbers, int64_t width, const T* values, T* out) {
    const int64_t index = thread_index();
    if (index >= blocks * groups * numbers) return;
    const int64_t n = index % numbers, g = index / numbers % groups, b = index / numbers / groups;
    T sum = 0;
    for (int64_t r = 0; r < repeats; ++r) {
        const T* from = values + (b * repeats + r) * stride * numbers + n;
        for (int64_t k = begin[g]; k < begin[g + 1]; ++k) sum += from[order[k] * numbers];
    }
    out[(b * groups + g) * width + n] = sum;
}

}  // namespace

template <class T>
void gather(const Place& place, const int64_t* order, const int64_t* begin, int64_t blocks, int64_t groups,
            int64_t repeats, int64_t stride, int64_t numbers, int64_t width, const T* values, T* out) {
    launch("gather", place, blocks_for(blocks * groups * numbers, kThreads), kThreads, gather_kernel<T>, order, begin,
           blocks, groups, repeats, stride, numbers, width, values, out);
}

#define INSTANTIATE(T)                                                                                            \
    template void gather<T>(const Place&, const int64_t*, const int64_t*, int64_t, int64_t, int64_t, int64_t,     \
                            int64_t, int64_t, const T*, T*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace cuda
}  // namespace invgraph
