// The outline of the union of an image's faces, as straight parts of its silhouette edges.
#pragma once

#include <cstdint>
#include <memory>

#include "common/faces.h"
#include "common/simd.h"
#include "soft_outline/parts.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// The parts of image b are part[begin[b]] up to part[begin[b + 1]].
template <class T>
struct Outline {
    std::unique_ptr<int64_t[]> begin;
    std::unique_ptr<Part<T>[]> part;
};

// Arguments as in soft_outline.h; margin: how far beyond the image the outline is wanted, pixels.
template <class T>
Outline<T> find_outline(const FaceBatch& batch, const T* points, const int64_t* edges, const int64_t* edge_faces,
                        int64_t edge_count, const T* depth, int height, int width, T margin, int threads);

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
