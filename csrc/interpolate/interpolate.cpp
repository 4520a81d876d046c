#include "interpolate/interpolate.h"

#include <algorithm>
#include <memory>

#include "common/parallel.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {
namespace {

constexpr int64_t kPixels = 4096;  // pixels a work item, and at most in a segment
constexpr int64_t kSegments = 64;  // segments a work item

// Calls body(image, first pixel, last + 1) for pieces of all images.
template <class Body>
void each_piece(int64_t images, int64_t pixels, int threads, const Body& body) {
    const int64_t pieces = (pixels + kPixels - 1) / kPixels;
    parallel_for(images * pieces, threads, [&](int64_t item) {
        const int64_t begin = item % pieces * kPixels;
        body(item / pieces, begin, std::min(begin + kPixels, pixels));
    });
}

// Pixels of one image in the order of the faces that they see, and in segments: at most kPixels pixels of one face.
struct Segments {
    std::unique_ptr<int32_t[]> pixel;
    std::unique_ptr<int32_t[]> face;   // of each segment
    std::unique_ptr<int64_t[]> begin;  // in pixel, of each segment and the end
    int64_t count = 0;

    void build(const int32_t* face_id, int64_t pixels, int64_t faces) {
        std::unique_ptr<int64_t[]> cursor(new int64_t[faces + 1]());
        for (int64_t p = 0; p < pixels; ++p)
            if (face_id[p] >= 0) ++cursor[face_id[p]];
        for (int64_t f = 0; f < faces; ++f) count += (cursor[f] + kPixels - 1) / kPixels;
        face.reset(new int32_t[count + 1]);
        begin.reset(new int64_t[count + 1]);
        int64_t total = 0, segment = 0;
        for (int64_t f = 0; f < faces; ++f) {
            const int64_t end = total + cursor[f];
            cursor[f] = total;
            for (; total < end; total = std::min(total + kPixels, end), ++segment) {
                face[segment] = static_cast<int32_t>(f);
                begin[segment] = total;
            }
        }
        begin[segment] = total;
        pixel.reset(new int32_t[total + 1]);
        for (int64_t p = 0; p < pixels; ++p)
            if (face_id[p] >= 0) pixel[cursor[face_id[p]]++] = static_cast<int32_t>(p);
    }
};

template <class T>
void backward_attributes(const FaceBatch& batch, int64_t channels, int64_t pixels, int threads, const int32_t* face_id,
                         const T* barycentric, const T* grad_out, T* grad_attributes) {
    std::unique_ptr<Segments[]> segments(new Segments[batch.images + 1]);
    parallel_for(batch.images, threads, [&](int64_t b) {
        segments[b].build(face_id + b * pixels, pixels, batch.count(b));
    });
    std::unique_ptr<int64_t[]> first(new int64_t[batch.images + 1]);  // segment of each image, among all of them
    first[0] = 0;
    int64_t most = 0;
    for (int64_t b = 0; b < batch.images; ++b) {
        first[b + 1] = first[b] + segments[b].count;
        most = std::max(most, segments[b].count);
    }
    std::unique_ptr<T[]> sums(new T[first[batch.images] * 3 * channels + 1]);

    const int64_t pieces = (most + kSegments - 1) / kSegments;
    parallel_for(batch.images * pieces, threads, [&](int64_t item) {
        const int64_t b = item / pieces, from = item % pieces * kSegments;
        const Segments& mine = segments[b];
        for (int64_t s = from; s < std::min(from + kSegments, mine.count); ++s) {
            T* sum = sums.get() + (first[b] + s) * 3 * channels;
            std::fill(sum, sum + 3 * channels, T(0));
            for (int64_t n = mine.begin[s]; n < mine.begin[s + 1]; ++n) {
                const int64_t at = b * pixels + mine.pixel[n];
                const T* grad = grad_out + at * channels;
                for (int k = 0; k < 3; ++k)
                    for (int64_t c = 0; c < channels; ++c) sum[k * channels + c] += barycentric[3 * at + k] * grad[c];
            }
        }
    });
    // packed images may share attributes, and shared ones are: their images add one after the other
    const bool apart = !batch.ranges && batch.verts_per_image > 0;
    parallel_for(batch.images, apart ? threads : 1, [&](int64_t b) {
        for (int64_t s = 0; s < segments[b].count; ++s) {
            int64_t corner[3];
            batch.corners(b, segments[b].face[s], corner);
            const T* sum = sums.get() + (first[b] + s) * 3 * channels;
            for (int k = 0; k < 3; ++k)
                for (int64_t c = 0; c < channels; ++c) grad_attributes[corner[k] * channels + c] += sum[k * channels + c];
        }
    });
}

}  // namespace

template <class T>
void interpolate_forward(const FaceBatch& batch, const T* attributes, int64_t channels, int64_t pixels, int threads,
                         const int32_t* face_id, const T* barycentric, T* out) {
    each_piece(batch.images, pixels, threads, [&](int64_t b, int64_t begin, int64_t end) {
        for (int64_t at = b * pixels + begin; at < b * pixels + end; ++at) {
            T* value = out + at * channels;
            if (face_id[at] < 0) {
                std::fill(value, value + channels, T(0));
                continue;
            }
            int64_t corner[3];
            batch.corners(b, face_id[at], corner);
            const T* a = attributes + corner[0] * channels;
            const T* d = attributes + corner[1] * channels;
            const T* e = attributes + corner[2] * channels;
            const T* weight = barycentric + 3 * at;
            for (int64_t c = 0; c < channels; ++c) value[c] = weight[0] * a[c] + weight[1] * d[c] + weight[2] * e[c];
        }
    });
}

template <class T>
void interpolate_backward(const FaceBatch& batch, const T* attributes, int64_t channels, int64_t pixels, int threads,
                          const int32_t* face_id, const T* barycentric, const T* grad_out, T* grad_attributes,
                          T* grad_barycentric) {
    if (grad_attributes)
        backward_attributes(batch, channels, pixels, threads, face_id, barycentric, grad_out, grad_attributes);
    if (!grad_barycentric) return;
    each_piece(batch.images, pixels, threads, [&](int64_t b, int64_t begin, int64_t end) {
        for (int64_t at = b * pixels + begin; at < b * pixels + end; ++at) {
            T* weight = grad_barycentric + 3 * at;
            weight[0] = weight[1] = weight[2] = 0;
            if (face_id[at] < 0) continue;
            int64_t corner[3];
            batch.corners(b, face_id[at], corner);
            const T* grad = grad_out + at * channels;
            for (int k = 0; k < 3; ++k) {
                const T* attribute = attributes + corner[k] * channels;
                for (int64_t c = 0; c < channels; ++c) weight[k] += grad[c] * attribute[c];
            }
        }
    });
}

#define INSTANTIATE(T)                                                                                             \
    template void interpolate_forward<T>(const FaceBatch&, const T*, int64_t, int64_t, int, const int32_t*, const T*, \
                                         T*);                                                                      \
    template void interpolate_backward<T>(const FaceBatch&, const T*, int64_t, int64_t, int, const int32_t*,       \
                                          const T*, const T*, T*, T*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
