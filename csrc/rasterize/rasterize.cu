// Rasterization on CUDA: the rules are those of rasterize.h.
#include "cuda/accumulate.h"
#include "cuda/batch.h"
#include "cuda/kernels.h"
#include "cuda/tile.h"
#include "rasterize/deep_triangle.h"

namespace invgraph {
namespace cuda {
namespace {

template <class T>
struct Staged {
    DeepTriangle<T> tri;
    PixelBox box;
    int32_t face;
};

template <class T>
__global__ void __launch_bounds__(kTileThreads)
    draw_kernel(FaceBatch batch, const T* points, const int64_t* begin, const int32_t* faces, int height, int width,
                int32_t* face_id, T* barycentric, T* depth) {
    constexpr int kStaged = kStage<T> * 3 / 4;  // these are larger: 48 KB hold them
    __shared__ Staged<T> staged[kStaged];
    const TilePixel pixel(height, width);
    const T px = pixel.x + T(0.5), py = pixel.y + T(0.5);
    T nearness = 0;  // 1 / depth of the nearest face so far
    int32_t nearest = -1;
    each_face_of_tile<kStaged>(
        pixel, faces, begin[blockIdx.x], begin[blockIdx.x + 1], staged,
        [&](int32_t face, Staged<T>& to) {
            int64_t corner[3];
            batch.corners(pixel.image, face, corner);
            to.tri.set(points, corner);
            to.tri.prepare();
            to.box = pixels_within(to.tri.plane, T(0), height, width);
            to.face = face;
        },
        [&](const Staged<T>& from) {
            T e[3];
            // within its box: a face of no area covers its whole line
            if (!from.tri.covers(px, py, e) || pixel.x < from.box.x0 || pixel.x > from.box.x1 ||
                pixel.y < from.box.y0 || pixel.y > from.box.y1)
                return;
            const T q = from.tri.nearness(e[0], e[1], e[2]);
            if (q > nearness) {  // faces come in ascending order, so the lower index keeps a tie
                nearness = q;
                nearest = from.face;
            }
        },
        [] { return false; });
    if (pixel.x >= width || pixel.y >= height) return;
    const int64_t at = (pixel.image * height + pixel.y) * width + pixel.x;
    depth[at] = 1 / nearness;
    face_id[at] = nearest;
    if (barycentric) barycentrics_at(batch, points, pixel.image, nearest, px, py, barycentric + 3 * at);
}

// The gradient of a face's nine coordinates, over the pixels that see it.
template <class T>
struct FaceGradient {
    using Number = T;
    static constexpr int kNumbers = 9;
    FaceBatch batch;
    const T* points;
    int height, width;
    const int32_t* face_id;
    const T* grad_barycentric;
    const T* grad_depth;
    T* grad_faces;

    struct Unit {
        DeepTriangle<T> tri;
        PixelBox box;
        Slot slot;
    };
    __device__ int64_t open(int64_t index, Unit& unit) const {
        unit.slot = slot_at(batch, index);
        int64_t corner[3];
        if (!corners_at(batch, unit.slot, corner) || !unit.tri.set(points, corner)) return 0;
        unit.tri.prepare();
        unit.box = pixels_within(unit.tri.plane, T(0), height, width);
        return pixels_of(unit.box);
    }
    __device__ void add(const Unit& unit, int64_t item, T sums[9]) const {
        int x, y;
        pixel_of(unit.box, item, x, y);
        const int64_t at = (unit.slot.image * height + y) * width + x;
        if (face_id[at] == unit.slot.face)
            pixel_gradient(unit.tri, x + T(0.5), y + T(0.5), grad_barycentric + 3 * at, grad_depth[at], sums);
    }
    __device__ void close(int64_t index, const Unit&, const T sums[9]) const {
        for (int n = 0; n < 9; ++n) grad_faces[9 * index + n] = sums[n];
    }
};

}  // namespace

template <class T>
void rasterize_forward(const Place& place, const FaceBatch& batch, const T* points, const int64_t* begin,
                       const int32_t* faces, int height, int width, int32_t* face_id, T* barycentric, T* depth) {
    const int64_t tiles = blocks_for(height, kTile) * blocks_for(width, kTile);
    launch("rasterize_forward", place, batch.images * tiles, kTileThreads, draw_kernel<T>, batch, points, begin, faces,
           height, width, face_id, barycentric, depth);
}

template <class T>
void rasterize_backward(const Place& place, const FaceBatch& batch, int64_t slots, const T* points, int height, int width,
                        const int32_t* face_id, const T* grad_barycentric, const T* grad_depth, T* grad_faces) {
    const FaceGradient<T> work{batch, points, height, width, face_id, grad_barycentric, grad_depth, grad_faces};
    accumulate("rasterize_backward", place, work, slots);
}

#define INSTANTIATE(T)                                                                                              \
    template void rasterize_forward<T>(const Place&, const FaceBatch&, const T*, const int64_t*, const int32_t*, int, \
                                       int, int32_t*, T*, T*);                                                      \
    template void rasterize_backward<T>(const Place&, const FaceBatch&, int64_t, const T*, int, int, const int32_t*, \
                                        const T*, const T*, T*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace cuda
}  // namespace invgraph
