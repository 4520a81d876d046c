// Drawing one tile by one block: a thread a pixel, faces staged in shared memory in batches.
#pragma once

#include "common/pixel_box.h"
#include "cuda/runtime.h"

namespace invgraph {
namespace cuda {

constexpr int kTile = 16;  // pixels a side
constexpr int kTileThreads = kTile * kTile;
constexpr int kPatchWidth = 8, kPatchHeight = 4;  // a warp's pixels

// Faces staged at a time: what leaves room for several blocks on a multiprocessor.
template <class T>
constexpr int kStage = sizeof(T) == 4 ? 256 : 128;

// This thread's pixel. Each warp has a compact patch, so that a face that misses it is skipped by the whole warp.
struct TilePixel {
    int64_t image;
    int x, y;    // may lie outside the image, in the last tiles of a row or column
    int patch_x, patch_y;

    __device__ TilePixel(int height, int width) {
        const int columns = (width + kTile - 1) / kTile, rows = (height + kTile - 1) / kTile;
        const int64_t tiles = static_cast<int64_t>(columns) * rows, tile = blockIdx.x % tiles;
        const int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
        image = blockIdx.x / tiles;
        patch_x = static_cast<int>(tile % columns) * kTile + warp % (kTile / kPatchWidth) * kPatchWidth;
        patch_y = static_cast<int>(tile / columns) * kTile + warp / (kTile / kPatchWidth) * kPatchHeight;
        x = patch_x + lane % kPatchWidth;
        y = patch_y + lane / kPatchWidth;
    }
    __device__ bool patch_meets(const PixelBox& box) const {
        return box.x0 < patch_x + kPatchWidth && box.x1 >= patch_x && box.y0 < patch_y + kPatchHeight && box.y1 >= patch_y;
    }
};

// Calls visit(staged face) for the tile's faces, faces[begin .. end), in their order; a warp skips those whose box misses
// its patch. stage(face) gives what is staged, with its `box`; done() says that the pixel needs no more: the tile
// stops when all of its pixels say so. Called by all threads of the block.
template <int kStaged, class Staged, class Stage, class Visit, class Done>
__device__ void each_face_of_tile(const TilePixel& pixel, const int32_t* faces, int64_t begin, int64_t end, Staged* staged,
                                  const Stage& stage, const Visit& visit, const Done& done) {
    const int lane = threadIdx.x % kWarp;
    for (int64_t base = begin; base < end; base += kStaged) {
        if (__syncthreads_and(done())) return;  // and the last batch is no longer read
        const int count = static_cast<int>(minimum(end - base, static_cast<int64_t>(kStaged)));
        for (int i = threadIdx.x; i < count; i += kTileThreads) stage(faces[base + i], staged[i]);
        __syncthreads();
        for (int first = 0; first < count; first += kWarp) {
            const int mine = first + lane;
            unsigned hits = __ballot_sync(kAllLanes, mine < count && pixel.patch_meets(staged[mine].box));
            for (; hits; hits &= hits - 1) visit(staged[first + __ffs(static_cast<int>(hits)) - 1]);
        }
    }
}

}  // namespace cuda
}  // namespace invgraph
