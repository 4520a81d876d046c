// Silhouette edges of each image of a batch: the edges whose faces lie on one side of them in the picture (one faces the
// camera and the other does not, or there is only one). The outline of a drawing is made of parts of these.
#pragma once

#include <algorithm>
#include <cstdint>

#include "antialias/crossing.h"
#include "common/face_group.h"
#include "common/faces.h"
#include "common/parallel.h"
#include "common/scratch.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// The edges of one image: all of them (shared topology), or those of its own faces (packed), where an edge between faces
// of two images belongs to both.
struct ImageEdges {
    Scratch<int64_t> begin;
    Scratch<int32_t> index;  // null when every image has every edge

    ImageEdges(const FaceBatch& batch, const int64_t* edge_faces, int64_t edge_count) : begin(batch.images + 1) {
        std::fill(begin.get(), begin.get() + batch.images + 1, 0);
        if (!batch.ranges) {
            for (int64_t b = 0; b <= batch.images; ++b) begin[b] = b * edge_count;
            return;
        }
        auto image_of = [&](int64_t face) {  // ranges ascend and do not overlap
            int64_t low = 0, high = batch.images;
            while (low < high) {
                const int64_t middle = (low + high) / 2;
                if (batch.ranges[2 * middle + 1] <= face) low = middle + 1;
                else high = middle;
            }
            return low < batch.images && face >= batch.ranges[2 * low] ? low : batch.images;
        };
        auto each = [&](auto&& visit) {
            for (int64_t e = 0; e < edge_count; ++e) {
                const int64_t one = image_of(edge_faces[2 * e]), two = image_of(edge_faces[2 * e + 1]);
                if (one < batch.images) visit(one, e);
                if (two < batch.images && two != one) visit(two, e);
            }
        };
        each([&](int64_t b, int64_t) { ++begin[b + 1]; });
        for (int64_t b = 0; b < batch.images; ++b) begin[b + 1] += begin[b];
        index = Scratch<int32_t>(begin[batch.images] + 1);
        const Scratch<int64_t> at(batch.images + 1);
        std::copy(begin.get(), begin.get() + batch.images + 1, at.get());
        each([&](int64_t b, int64_t e) { index[at[b]++] = static_cast<int32_t>(e); });
    }
    int64_t edge(int64_t b, int64_t i) const { return index ? index[i] : i - begin[b]; }
};

// The side of an edge's faces in image b, 0 for no silhouette; `facings` are those of the image's faces, and a face that
// the image does not draw counts as none.
inline int silhouette_side(const FaceBatch& batch, int64_t b, const int8_t* facings, const int64_t* edge,
                           const int64_t* edge_faces) {
    int side[2] = {0, 0};
    for (int k = 0; k < 2; ++k) {
        const int64_t i = edge_faces[k] - batch.first(b);
        if (edge_faces[k] < 0 || i < 0 || i >= batch.count(b)) continue;
        side[k] = side_of(batch.faces + 3 * edge_faces[k], edge, facings[i]);
    }
    return common_side(side[0], side[1]);
}

// As facing, for a group of faces.
template <class T>
void facings_of(const FaceGroup<T, 3>& group, int count, int8_t* out) {
    const Vec<T> ex = group.at(1, 0) - group.at(0, 0), ey = group.at(1, 1) - group.at(0, 1);
    const Vec<T> area = ex * (group.at(2, 1) - group.at(0, 1)) - ey * (group.at(2, 0) - group.at(0, 0));
    const auto toward = area >= Vec<T>{};
    const VecInt<T> sign = group.drawable() & (~(toward + toward));  // -2 -> 1, 0 -> -1
    alignas(kVectorBytes) typename IntOf<T>::type signs[kLanes<T>];
    store(signs, sign);
    for (int lane = 0; lane < count; ++lane) out[lane] = static_cast<int8_t>(signs[lane]);
}

// The silhouette edges of image b are code[begin[b]] up to code[begin[b + 1]], in the order of the edges:
// 2 * edge + (1 if the side is positive).
struct Silhouettes {
    Scratch<int64_t> begin;
    Scratch<int32_t> code;
};

template <class T>
Silhouettes find_silhouettes(const FaceBatch& batch, const T* points, const int64_t* edges, const int64_t* edge_faces,
                             int64_t edge_count, int threads) {
    constexpr int64_t kChunk = 2048;  // faces or edges that one work item tests
    const ImageEdges lists(batch, edge_faces, edge_count);
    const Scratch<int8_t> facings(batch.slots() + 1);
    int64_t most = 0;
    for (int64_t b = 0; b < batch.images; ++b) most = std::max(most, batch.count(b));
    const int64_t face_chunks = (most + kChunk - 1) / kChunk;
    parallel_for(batch.images * face_chunks, threads, [&](int64_t item) {
        const int64_t b = item / face_chunks, first = item % face_chunks * kChunk, end = std::min(first + kChunk, batch.count(b));
        FaceGroup<T, 3> group;
        for (int64_t i = first; i < end; i += kLanes<T>) {
            const int count = static_cast<int>(std::min<int64_t>(kLanes<T>, end - i));
            group.load_faces(batch, b, points, count, [&](int lane) { return i + lane; });
            facings_of(group, count, facings.get() + batch.slot(b, i));
        }
    });

    // compacted within each chunk of an image's edges first, then over the image
    const Scratch<int64_t> first_chunk(batch.images + 1);
    first_chunk[0] = 0;
    for (int64_t b = 0; b < batch.images; ++b)
        first_chunk[b + 1] = first_chunk[b] + (lists.begin[b + 1] - lists.begin[b] + kChunk - 1) / kChunk;
    const int64_t chunks = first_chunk[batch.images];
    const Scratch<int32_t> found(lists.begin[batch.images] + 1);
    const Scratch<int64_t> found_count(chunks + 1);
    auto chunk_begin = [&](int64_t b, int64_t c) { return lists.begin[b] + (c - first_chunk[b]) * kChunk; };
    parallel_for(chunks, threads, [&](int64_t c) {
        const int64_t* starts = first_chunk.get();
        const int64_t b = std::upper_bound(starts, starts + batch.images + 1, c) - starts - 1;
        const int64_t begin = chunk_begin(b, c), end = std::min(begin + kChunk, lists.begin[b + 1]);
        const int8_t* image_facings = facings.get() + batch.slot(b, 0);
        int64_t n = 0;
        for (int64_t i = begin; i < end; ++i) {
            const int64_t e = lists.edge(b, i);
            const int side = silhouette_side(batch, b, image_facings, edges + 2 * e, edge_faces + 2 * e);
            if (side != 0) found[begin + n++] = static_cast<int32_t>(2 * e + (side > 0));
        }
        found_count[c] = n;
    });
    Silhouettes result;
    result.begin = Scratch<int64_t>(batch.images + 1);
    int64_t total = 0;
    for (int64_t b = 0; b < batch.images; ++b) {
        result.begin[b] = total;
        for (int64_t c = first_chunk[b]; c < first_chunk[b + 1]; ++c) total += found_count[c];
    }
    result.begin[batch.images] = total;
    result.code = Scratch<int32_t>(total + 1);
    for (int64_t b = 0, at = 0; b < batch.images; ++b)
        for (int64_t c = first_chunk[b]; c < first_chunk[b + 1]; ++c) {
            const int32_t* from = found.get() + chunk_begin(b, c);
            std::copy(from, from + found_count[c], result.code.get() + at);
            at += found_count[c];
        }
    return result;
}

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
