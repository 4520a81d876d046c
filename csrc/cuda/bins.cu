// Tile bins without atomics: how many tiles each face touches, and, after a prefix sum, the pairs of tile and face in
// face order; a stable sort by tile then leaves every tile's faces in face order.
#include "cuda/batch.h"
#include "cuda/kernels.h"
#include "cuda/tile.h"

namespace invgraph {
namespace cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kFewTiles = 8;  // a face of more tiles is written by its whole warp

struct TileBox {
    int x0, y0, columns, count;
};

template <class T>
__device__ TileBox tiles_of(const FaceBatch& batch, const Slot& slot, const T* points, int stride, T margin, int height,
                            int width) {
    int64_t corner[3];
    Triangle<T> tri;
    if (!corners_at(batch, slot, corner) || !tri.set(points, stride, corner)) return {0, 0, 0, 0};
    if (stride == 3)
        for (int k = 0; k < 3; ++k)
            if (!drawable_depth(points[3 * corner[k] + 2])) return {0, 0, 0, 0};
    const PixelBox box = pixels_within(tri, margin, height, width);
    if (box.empty()) return {0, 0, 0, 0};
    const int x0 = box.x0 / kTile, y0 = box.y0 / kTile, columns = box.x1 / kTile - x0 + 1;
    return {x0, y0, columns, columns * (box.y1 / kTile - y0 + 1)};
}

template <class T>
__global__ void count_kernel(FaceBatch batch, int64_t slots, const T* points, int stride, T margin, int height, int width,
                             int32_t* counts) {
    const int64_t slot = thread_index();
    if (slot < slots) counts[slot] = tiles_of(batch, slot_at(batch, slot), points, stride, margin, height, width).count;
}

template <class T>
__global__ void emit_kernel(FaceBatch batch, int64_t slots, const T* points, int stride, T margin, int height, int width,
                            const int64_t* ends, int32_t* tile, int32_t* face) {
    const int64_t slot = thread_index();
    const int columns = (width + kTile - 1) / kTile, rows = (height + kTile - 1) / kTile;
    Slot at{-1, -1};
    TileBox box{0, 0, 0, 0};
    int64_t begin = 0;
    int first_tile = 0;
    if (slot < slots) {
        at = slot_at(batch, slot);
        box = tiles_of(batch, at, points, stride, margin, height, width);
        begin = ends[slot] - box.count;
        first_tile = static_cast<int>(at.image) * columns * rows + box.y0 * columns + box.x0;
    }
    auto write = [&](int from, int step, int count, int across, int first, int id, int64_t to) {
        for (int i = from; i < count; i += step) {
            tile[to + i] = first + i / across * columns + i % across;
            face[to + i] = id;
        }
    };
    const bool large = box.count > kFewTiles;
    if (!large && box.count > 0) write(0, 1, box.count, box.columns, first_tile, static_cast<int>(at.face), begin);
    for (unsigned todo = __ballot_sync(kAllLanes, large); todo; todo &= todo - 1) {
        const int lane = __ffs(static_cast<int>(todo)) - 1;
        const int count = __shfl_sync(kAllLanes, box.count, lane), across = __shfl_sync(kAllLanes, box.columns, lane);
        const int first = __shfl_sync(kAllLanes, first_tile, lane);
        const int id = __shfl_sync(kAllLanes, static_cast<int>(at.face), lane);
        const int64_t to = __shfl_sync(kAllLanes, begin, lane);
        write(threadIdx.x % kWarp, kWarp, count, across, first, id, to);
    }
}

}  // namespace

template <class T>
void count_tiles(const Place& place, const FaceBatch& batch, int64_t slots, const T* points, int stride, T margin,
                 int height, int width, int32_t* counts) {
    launch("count_tiles", place, blocks_for(slots, kThreads), kThreads, count_kernel<T>, batch, slots, points, stride,
           margin, height, width, counts);
}

template <class T>
void emit_tiles(const Place& place, const FaceBatch& batch, int64_t slots, const T* points, int stride, T margin,
                int height, int width, const int64_t* ends, int32_t* tile, int32_t* face) {
    launch("emit_tiles", place, blocks_for(slots, kThreads), kThreads, emit_kernel<T>, batch, slots, points, stride,
           margin, height, width, ends, tile, face);
}

#define INSTANTIATE(T)                                                                                               \
    template void count_tiles<T>(const Place&, const FaceBatch&, int64_t, const T*, int, T, int, int, int32_t*);     \
    template void emit_tiles<T>(const Place&, const FaceBatch&, int64_t, const T*, int, T, int, int, const int64_t*, \
                                int32_t*, int32_t*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace cuda
}  // namespace invgraph
