// Gradients of faces, gathered to their corner points in a fixed order.
#pragma once

#include <cstdint>

#include "common/face_group.h"
#include "common/faces.h"
#include "common/parallel.h"
#include "common/scratch.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

namespace scatter {

// Numbers of faces, added to grad_points (P, N) in face order: no atomics, the same bytes for any number of threads.
template <class T, int N>
struct FaceNumbers {
    T value[3 * N];
};

template <class T, int N>
void add_to_points(const FaceBatch& batch, int threads, const FaceNumbers<T, N>* numbers, const bool* present,
                   T* grad_points) {
    // packed images may share points, so only shared topology, where each image has its own, adds in parallel
    parallel_for(batch.images, batch.ranges ? 1 : threads, [&](int64_t b) {
        for (int64_t i = 0; i < batch.count(b); ++i) {
            const int64_t slot = batch.slot(b, i);
            if (!present[slot]) continue;
            int64_t corner[3];
            batch.corners(b, i, corner);
            for (int k = 0; k < 3; ++k)
                for (int n = 0; n < N; ++n) grad_points[N * corner[k] + n] += numbers[slot].value[N * k + n];
        }
    });
}

// work(image, first, end) for chunks of the faces of all images, in parallel
template <class Work>
void each_chunk(const FaceBatch& batch, int threads, const Work& work) {
    constexpr int64_t kChunk = 64;
    int64_t most = 0;
    for (int64_t b = 0; b < batch.images; ++b) most = batch.count(b) > most ? batch.count(b) : most;
    const int64_t chunks = (most + kChunk - 1) / kChunk;
    parallel_for(batch.images * chunks, threads, [&](int64_t item) {
        const int64_t b = item / chunks, begin = item % chunks * kChunk;
        const int64_t end = begin + kChunk < batch.count(b) ? begin + kChunk : batch.count(b);
        work(b, begin, end);
    });
}

}  // namespace scatter

// face_gradient(image, face, corner, grad) writes the 3 * N numbers of one face, or returns false for a face without any.
// Faces are worked on in parallel; the caller zeroes grad_points (P, N).
template <class T, int N, class FaceGradient>
void gather_face_gradients(const FaceBatch& batch, int threads, T* grad_points, const FaceGradient& face_gradient) {
    const Scratch<scatter::FaceNumbers<T, N>> numbers(batch.slots());
    const Scratch<bool> present(batch.slots());
    scatter::each_chunk(batch, threads, [&](int64_t b, int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            int64_t corner[3];
            batch.corners(b, i, corner);
            const int64_t slot = batch.slot(b, i);
            present[slot] = face_gradient(b, i, corner, numbers[slot].value);
        }
    });
    scatter::add_to_points<T, N>(batch, threads, numbers.get(), present.get(), grad_points);
}

// The same for groups of faces: group_gradient(image, group, count, grad) writes the numbers of `count` faces, one a lane,
// and returns a bit for each that has any.
template <class T, int N, class GroupGradient>
void gather_group_gradients(const FaceBatch& batch, int threads, const T* points, T* grad_points,
                            const GroupGradient& group_gradient) {
    const Scratch<scatter::FaceNumbers<T, N>> numbers(batch.slots());
    const Scratch<bool> present(batch.slots());
    scatter::each_chunk(batch, threads, [&](int64_t b, int64_t begin, int64_t end) {
        FaceGroup<T, N> group;
        alignas(kVectorBytes) T grad[3 * N][kLanes<T>];
        for (int64_t i = begin; i < end; i += kLanes<T>) {
            const int count = static_cast<int>(end - i < kLanes<T> ? end - i : kLanes<T>);
            group.load_faces(batch, b, points, count, [&](int lane) { return i + lane; });
            const uint32_t bits = group_gradient(b, group, count, grad);
            for (int lane = 0; lane < count; ++lane) {
                const int64_t slot = batch.slot(b, i + lane);
                present[slot] = (bits >> lane & 1) != 0;
                for (int n = 0; n < 3 * N; ++n) numbers[slot].value[n] = grad[n][lane];
            }
        }
    });
    scatter::add_to_points<T, N>(batch, threads, numbers.get(), present.get(), grad_points);
}

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
