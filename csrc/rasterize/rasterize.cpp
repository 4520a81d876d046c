#include "rasterize/rasterize.h"

#include <algorithm>
#include <limits>

#include "common/scatter.h"
#include "common/tiles.h"
#include "rasterize/deep_triangle.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {
namespace {

constexpr int kTileHeight = 32, kTileWidth = 64;

// Pixels of a small triangle are tested in blocks of one vector.
template <class T>
constexpr int kBlockWidth = kLanes<T> < 4 ? kLanes<T> : 4;
template <class T>
constexpr int kBlockHeight = kLanes<T> / kBlockWidth<T>;

// DeepTriangle::covers for a vector of pixels.
template <class T>
VecInt<T> covers(const DeepTriangle<T>& tri, Vec<T> px, Vec<T> py, Vec<T> e[3]) {
    VecInt<T> positive[3];
    for (int k = 0; k < 3; ++k) {
        e[k] = tri.edge(k, px, py);
        positive[k] = (e[k] >= Vec<T>{}) ^ (tri.sign[k] < 0 ? VecInt<T>{} - 1 : VecInt<T>{});
        e[k] *= tri.sign[k];
    }
    return (positive[0] & positive[1] & positive[2]) | ~(positive[0] | positive[1] | positive[2]);
}

template <class T>
void draw_tile(const FaceBatch& batch, const T* points, const TileGrid& grid, const TileBins& bins, int64_t item,
               int32_t* face_id, T* barycentric, T* depth) {
    const int64_t b = item / grid.tiles(), tile = item % grid.tiles();
    const int y0 = static_cast<int>(tile / grid.columns) * kTileHeight;
    const int x0 = static_cast<int>(tile % grid.columns) * kTileWidth;
    const int y1 = std::min(y0 + kTileHeight, grid.height), x1 = std::min(x0 + kTileWidth, grid.width);
    constexpr int kStride = kTileWidth + kLanes<T>;
    using I = typename IntOf<T>::type;
    alignas(kVectorBytes) T nearness[kTileHeight * kStride];  // 1 / depth of the nearest face so far, 0 without one
    alignas(kVectorBytes) I nearest[kTileHeight * kStride];
    std::fill(nearness, nearness + kTileHeight * kStride, T(0));
    std::fill(nearest, nearest + kTileHeight * kStride, I(-1));

    const Vec<T> lane = iota<T>() + T(0.5);
    Vec<T> block_x{}, block_y{};
    for (int i = 0; i < kLanes<T>; ++i) {
        block_x[i] = i % kBlockWidth<T> + T(0.5);
        block_y[i] = i / kBlockWidth<T> + T(0.5);
    }
    for (int64_t n = bins.begin[item]; n < bins.begin[item + 1]; ++n) {
        const int32_t face = bins.faces[n];
        int64_t corner[3];
        batch.corners(b, face, corner);
        DeepTriangle<T> tri;
        tri.set(points, corner);
        tri.prepare();
        const PixelBox box = pixels_within(tri.plane, T(0), grid.height, grid.width);
        const int left = std::max(box.x0, x0), right = std::min(box.x1, x1 - 1);
        const int top = std::max(box.y0, y0), bottom = std::min(box.y1, y1 - 1);
        if (right - left < kBlockWidth<T>) {  // small: blocks of several rows at once, and the few hits one by one
            for (int y = top; y <= bottom; y += kBlockHeight<T>) {
                Vec<T> e[3];
                const auto inside = covers(tri, T(left) + block_x, T(y) + block_y, e);
                uint32_t hits = lane_bits<T>(inside);
                if (!hits) continue;
                alignas(kVectorBytes) T nearnesses[kLanes<T>];
                store(nearnesses, tri.nearness(e[0], e[1], e[2]));
                for (; hits; hits &= hits - 1) {
                    const int i = __builtin_ctz(hits), column = left + i % kBlockWidth<T>, row = y + i / kBlockWidth<T>;
                    if (column > right || row > bottom) continue;
                    const T q = nearnesses[i];
                    const int64_t at = (row - y0) * kStride + (column - x0);
                    if (!(q > nearness[at])) continue;
                    nearness[at] = q;
                    nearest[at] = face;
                }
            }
            continue;
        }
        for (int y = top; y <= bottom; ++y) {
            for (int x = left; x <= right; x += kLanes<T>) {
                Vec<T> e[3];
                const auto inside = covers(tri, lane + T(x), broadcast<T>(y + T(0.5)), e);
                if (!any(inside)) continue;
                const Vec<T> q = tri.nearness(e[0], e[1], e[2]);
                const int64_t at = (y - y0) * kStride + (x - x0);
                const Vec<T> old = load(nearness + at);
                const auto wins = inside & (q > old);  // false where the area is 0 and q is not a number
                if (!any(wins)) continue;
                store(nearness + at, select(wins, q, old));
                const VecInt<T> ids = load(nearest + at);
                store(nearest + at, wins ? VecInt<T>{} + static_cast<I>(face) : ids);
            }
        }
    }
    for (int y = y0; y < y1; ++y) {
        const int64_t out = (b * grid.height + y) * grid.width + x0;
        const T* near_row = nearness + (y - y0) * kStride;
        const I* id_row = nearest + (y - y0) * kStride;
        for (int i = 0; i < x1 - x0; ++i) depth[out + i] = 1 / near_row[i];
        for (int i = 0; i < x1 - x0; ++i) face_id[out + i] = static_cast<int32_t>(id_row[i]);
        if (!barycentric) continue;
        for (int i = 0; i < x1 - x0; ++i)
            barycentrics_at(batch, points, b, id_row[i], x0 + i + T(0.5), y + T(0.5), barycentric + 3 * (out + i));
    }
}

}  // namespace

template <class T>
void rasterize_forward(const FaceBatch& batch, const T* points, int height, int width, int threads, int32_t* face_id,
                       T* barycentric, T* depth) {
    const TileGrid grid(height, width, kTileHeight, kTileWidth);
    const TileBins bins = bin_faces(batch, grid, threads, [&](int64_t b, int64_t i) -> PixelBox {
        int64_t corner[3];
        batch.corners(b, i, corner);
        DeepTriangle<T> tri;
        if (!tri.set(points, corner)) return {0, -1, 0, -1};
        return pixels_within(tri.plane, T(0), height, width);
    });
    parallel_for(batch.images * grid.tiles(), threads, [&](int64_t item) {
        draw_tile(batch, points, grid, bins, item, face_id, barycentric, depth);
    });
}

template <class T>
void rasterize_backward(const FaceBatch& batch, const T* points, int height, int width, int threads,
                        const int32_t* face_id, const T* grad_barycentric, const T* grad_depth, T* grad_points) {
    gather_face_gradients<T, 3>(batch, threads, grad_points, [&](int64_t b, int64_t i, const int64_t corner[3], T grad[9]) {
        DeepTriangle<T> tri;
        if (!tri.set(points, corner)) return false;
        const PixelBox box = pixels_within(tri.plane, T(0), height, width);
        bool seen = false;
        for (int y = box.y0; y <= box.y1; ++y)
            for (int x = box.x0; x <= box.x1; ++x) {
                const int64_t at = (b * height + y) * width + x;
                if (face_id[at] != i) continue;
                if (!seen) {
                    tri.prepare();
                    std::fill(grad, grad + 9, T(0));
                    seen = true;
                }
                pixel_gradient(tri, x + T(0.5), y + T(0.5), grad_barycentric + 3 * at, grad_depth[at], grad);
            }
        return seen;
    });
}

#define INSTANTIATE(T)                                                                                              \
    template void rasterize_forward<T>(const FaceBatch&, const T*, int, int, int, int32_t*, T*, T*);                \
    template void rasterize_backward<T>(const FaceBatch&, const T*, int, int, int, const int32_t*, const T*, const T*, \
                                        T*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
