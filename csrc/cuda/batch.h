// A batch's faces as kernels see them: one slot a drawn face, and no index that leads out of the points. In packed
// batches faces_per_image is the number of all faces, and verts_per_image that of all points.
#pragma once

#include "cuda/runtime.h"

namespace invgraph {
namespace cuda {

// A face among all that the batch draws. In packed batches slots are face numbers, and some may belong to no image.
struct Slot {
    int64_t image, face;  // the face's index local to the image; image -1 where there is none
};

// The image that draws packed face `face`, or -1. Ranges ascend and do not overlap.
__device__ inline int64_t image_of(const FaceBatch& batch, int64_t face) {
    int64_t low = 0, high = batch.images;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (batch.ranges[2 * middle + 1] <= face) low = middle + 1;
        else high = middle;
    }
    return low < batch.images && face >= batch.ranges[2 * low] ? low : -1;
}

__device__ inline Slot slot_at(const FaceBatch& batch, int64_t slot) {
    if (!batch.ranges) return {slot / batch.faces_per_image, slot % batch.faces_per_image};
    const int64_t image = image_of(batch, slot);
    return {image, image < 0 ? -1 : slot - batch.ranges[2 * image]};
}

// The corners of a slot's face among an image's `rows` points, or false: no image draws it, or an index is out of range
// (Python checks that, but once a tensor; a kernel never reads what is not there).
__device__ inline bool corners_at(const FaceBatch& batch, const Slot& slot, int64_t rows, int64_t corner[3]) {
    if (slot.image < 0) return false;
    const int64_t number = batch.first(slot.image) + slot.face;
    if (number < 0 || number >= batch.faces_per_image) return false;
    const int64_t* f = batch.faces + 3 * number;
    const int64_t offset = batch.vertex_offset(slot.image);
    for (int k = 0; k < 3; ++k) {
        if (f[k] < 0 || f[k] >= rows) return false;
        corner[k] = f[k] + offset;
    }
    return true;
}
__device__ inline bool corners_at(const FaceBatch& batch, const Slot& slot, int64_t corner[3]) {
    return corners_at(batch, slot, batch.verts_per_image, corner);
}

}  // namespace cuda
}  // namespace invgraph
