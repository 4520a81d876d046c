// Which triangles belong to which image of a batch.
#pragma once

#include "common/numbers.h"

namespace invgraph {

// Either every image draws all `faces_per_image` faces, over its own `verts_per_image` points (shared topology), or
// image b draws faces [ranges[2b], ranges[2b+1]) and face indices count through all points (packed).
struct FaceBatch {
    const int64_t* faces;   // (F, 3)
    const int64_t* ranges;  // (images, 2) or null
    int64_t images, faces_per_image, verts_per_image;

    INVGRAPH_HD int64_t first(int64_t b) const { return ranges ? ranges[2 * b] : 0; }
    INVGRAPH_HD int64_t count(int64_t b) const { return ranges ? ranges[2 * b + 1] - ranges[2 * b] : faces_per_image; }
    INVGRAPH_HD int64_t vertex_offset(int64_t b) const { return ranges ? 0 : b * verts_per_image; }
    // where face i of image b stands in an array with one entry a drawn face
    INVGRAPH_HD int64_t slot(int64_t b, int64_t i) const { return ranges ? ranges[2 * b] + i : b * faces_per_image + i; }
    // the points that are the corners of face i of image b
    INVGRAPH_HD void corners(int64_t b, int64_t i, int64_t out[3]) const {
        const int64_t* f = faces + 3 * (first(b) + i);
        const int64_t offset = vertex_offset(b);
        for (int k = 0; k < 3; ++k) out[k] = f[k] + offset;
    }
    int64_t slots() const {
        if (!ranges) return images * faces_per_image;
        int64_t end = 0;
        for (int64_t b = 0; b < images; ++b) end = ranges[2 * b + 1] > end ? ranges[2 * b + 1] : end;
        return end;
    }
};

// Whether low <= index[i] < end for all i.
inline bool indices_within(const int64_t* index, int64_t count, int64_t low, int64_t end) {
    uint64_t outside = 0;  // its sign is set once either difference is negative; unsigned, so that it may wrap
    for (int64_t i = 0; i < count; ++i) {
        const uint64_t v = static_cast<uint64_t>(index[i]);
        outside |= (v - static_cast<uint64_t>(low)) | (static_cast<uint64_t>(end) - 1 - v);
    }
    return static_cast<int64_t>(outside) >= 0;
}

// Whether the ranges ascend without overlap within [0, faces].
inline bool ranges_ascend(const int64_t* ranges, int64_t images, int64_t faces) {
    int64_t last = 0;
    for (int64_t i = 0; i < 2 * images; last = ranges[i++])
        if (ranges[i] < last) return false;
    return last <= faces;
}

}  // namespace invgraph
