// Interpolation on CUDA: the definitions are those of interpolate.h.
#include "cuda/accumulate.h"
#include "cuda/batch.h"
#include "cuda/kernels.h"

namespace invgraph {
namespace cuda {
namespace {

constexpr int kThreads = 256;

// The corners of the face that pixel `at` sees, or false.
__device__ inline bool seen_corners(const FaceBatch& batch, int64_t rows, int64_t pixels, const int32_t* face_id,
                                    int64_t at, int64_t corner[3]) {
    const int64_t image = at / pixels;
    const int32_t face = face_id[at];
    return face >= 0 && face < batch.count(image) && corners_at(batch, {image, face}, rows, corner);
}

template <class T>
__global__ void forward_kernel(FaceBatch batch, int64_t rows, const T* attributes, int64_t channels, int64_t pixels,
                               const int32_t* face_id, const T* barycentric, T* out) {
    const int64_t index = thread_index();
    if (index >= batch.images * pixels * channels) return;
    const int64_t at = index / channels, c = index % channels;
    int64_t corner[3];
    T sum = 0;
    if (seen_corners(batch, rows, pixels, face_id, at, corner))
        for (int k = 0; k < 3; ++k) sum += barycentric[3 * at + k] * attributes[corner[k] * channels + c];
    out[index] = sum;
}

template <class T>
__global__ void barycentric_kernel(FaceBatch batch, int64_t rows, const T* attributes, int64_t channels, int64_t pixels,
                                   const int32_t* face_id, const T* grad_out, T* grad_barycentric) {
    const int64_t at = thread_index();
    if (at >= batch.images * pixels) return;
    int64_t corner[3];
    T sums[3] = {0, 0, 0};
    if (seen_corners(batch, rows, pixels, face_id, at, corner))
        for (int k = 0; k < 3; ++k)
            for (int64_t c = 0; c < channels; ++c)
                sums[k] += grad_out[at * channels + c] * attributes[corner[k] * channels + c];
    for (int k = 0; k < 3; ++k) grad_barycentric[3 * at + k] = sums[k];
}

__global__ void slots_kernel(FaceBatch batch, int64_t slots, int64_t pixels, const int32_t* face_id, int32_t* slot) {
    const int64_t at = thread_index();
    if (at >= batch.images * pixels) return;
    const int64_t image = at / pixels;
    const int32_t face = face_id[at];
    slot[at] = static_cast<int32_t>(face >= 0 && face < batch.count(image) ? batch.slot(image, face) : slots);
}

// The gradient of one channel at a face's three corners, over the pixels that see it.
template <class T>
struct ChannelGradient {
    using Number = T;
    static constexpr int kNumbers = 3;
    int64_t channels;
    const int64_t* order;
    const int64_t* begin;
    const T* barycentric;
    const T* grad_out;
    T* grad_faces;

    struct Unit {
        int64_t first, channel;
    };
    __device__ int64_t open(int64_t index, Unit& unit) const {
        const int64_t slot = index / channels;
        unit.first = begin[slot];
        unit.channel = index % channels;
        return begin[slot + 1] - begin[slot];
    }
    __device__ void add(const Unit& unit, int64_t item, T sums[3]) const {
        const int64_t at = order[unit.first + item];
        const T g = grad_out[at * channels + unit.channel];
        for (int k = 0; k < 3; ++k) sums[k] += barycentric[3 * at + k] * g;
    }
    __device__ void close(int64_t index, const Unit& unit, const T sums[3]) const {
        for (int k = 0; k < 3; ++k) grad_faces[(index / channels * 3 + k) * channels + unit.channel] = sums[k];
    }
};

}  // namespace

template <class T>
void interpolate_forward(const Place& place, const FaceBatch& batch, int64_t rows, const T* attributes, int64_t channels,
                         int64_t pixels, const int32_t* face_id, const T* barycentric, T* out) {
    launch("interpolate_forward", place, blocks_for(batch.images * pixels * channels, kThreads), kThreads,
           forward_kernel<T>, batch, rows, attributes, channels, pixels, face_id, barycentric, out);
}

template <class T>
void interpolate_backward_barycentric(const Place& place, const FaceBatch& batch, int64_t rows, const T* attributes,
                                      int64_t channels, int64_t pixels, const int32_t* face_id, const T* grad_out,
                                      T* grad_barycentric) {
    launch("interpolate_backward_barycentric", place, blocks_for(batch.images * pixels, kThreads), kThreads,
           barycentric_kernel<T>, batch, rows, attributes, channels, pixels, face_id, grad_out, grad_barycentric);
}

void visible_slots(const Place& place, const FaceBatch& batch, int64_t slots, int64_t pixels, const int32_t* face_id,
                   int32_t* slot) {
    launch("visible_slots", place, blocks_for(batch.images * pixels, kThreads), kThreads, slots_kernel, batch, slots,
           pixels, face_id, slot);
}

template <class T>
void interpolate_backward_faces(const Place& place, int64_t slots, int64_t channels, const int64_t* order,
                                const int64_t* begin, const T* barycentric, const T* grad_out, T* grad_faces) {
    const ChannelGradient<T> work{channels, order, begin, barycentric, grad_out, grad_faces};
    accumulate("interpolate_backward_faces", place, work, slots * channels);
}

#define INSTANTIATE(T)                                                                                               \
    template void interpolate_forward<T>(const Place&, const FaceBatch&, int64_t, const T*, int64_t, int64_t,        \
                                         const int32_t*, const T*, T*);                                             \
    template void interpolate_backward_barycentric<T>(const Place&, const FaceBatch&, int64_t, const T*, int64_t,    \
                                                      int64_t, const int32_t*, const T*, T*);                       \
    template void interpolate_backward_faces<T>(const Place&, int64_t, int64_t, const int64_t*, const int64_t*,      \
                                                const T*, const T*, T*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace cuda
}  // namespace invgraph
