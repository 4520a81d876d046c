// Gradients of faces, gathered to their corner points in a fixed order.
#pragma once

#include <cstdint>

#include "common/faces.h"
#include "common/parallel.h"
#include "common/scratch.h"
#include "common/simd.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// face_gradient(image, face, corner, grad) writes the 3 * N numbers of one face, or returns false for a face without any.
// Faces are worked on in parallel and each writes its own numbers once; they are then added to grad_points (P, N) in
// face order: no atomics, the same bytes for any number of threads. The caller zeroes grad_points.
template <class T, int N, class FaceGradient>
void gather_face_gradients(const FaceBatch& batch, int threads, T* grad_points, const FaceGradient& face_gradient) {
    constexpr int64_t kChunk = 64;  // faces a work item
    struct Numbers {
        T value[3 * N];
    };
    const int64_t slots = batch.slots();
    const Scratch<Numbers> grads(slots);
    const Scratch<bool> present(slots);

    int64_t most = 0;
    for (int64_t b = 0; b < batch.images; ++b) most = batch.count(b) > most ? batch.count(b) : most;
    const int64_t chunks = (most + kChunk - 1) / kChunk;
    parallel_for(batch.images * chunks, threads, [&](int64_t item) {
        const int64_t b = item / chunks, begin = item % chunks * kChunk;
        const int64_t end = begin + kChunk < batch.count(b) ? begin + kChunk : batch.count(b);
        for (int64_t i = begin; i < end; ++i) {
            int64_t corner[3];
            batch.corners(b, i, corner);
            const int64_t slot = batch.slot(b, i);
            present[slot] = face_gradient(b, i, corner, grads[slot].value);
        }
    });

    auto add_image = [&](int64_t b) {
        for (int64_t i = 0; i < batch.count(b); ++i) {
            const int64_t slot = batch.slot(b, i);
            if (!present[slot]) continue;
            int64_t corner[3];
            batch.corners(b, i, corner);
            for (int k = 0; k < 3; ++k)
                for (int n = 0; n < N; ++n) grad_points[N * corner[k] + n] += grads[slot].value[N * k + n];
        }
    };
    // packed images may share points, so only shared topology, where each image has its own, adds in parallel
    parallel_for(batch.images, batch.ranges ? 1 : threads, add_image);
}

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
