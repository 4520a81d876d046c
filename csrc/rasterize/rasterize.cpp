#include "rasterize/rasterize.h"

#include <algorithm>
#include <limits>

#include "common/pixel_block.h"
#include "common/scatter.h"
#include "common/tiles.h"
#include "rasterize/deep_group.h"
#include "rasterize/deep_triangle.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {
namespace {

constexpr int kTileHeight = 32, kTileWidth = 64;

// What a tile shows so far, in rows that blocks may hang over.
template <class T>
struct Tile {
    static constexpr int kStride = kTileWidth + kOverhang<T>, kRows = kTileHeight + kOverhang<T>;
    using Index = typename IntOf<T>::type;
    alignas(kVectorBytes) T nearness[kRows * kStride];  // 1 / depth of the nearest face so far, 0 without one
    alignas(kVectorBytes) Index face[kRows * kStride];

    Tile() {
        std::fill(nearness, nearness + kRows * kStride, T(0));
        std::fill(face, face + kRows * kStride, Index(-1));
    }
};

// Draws a face where it is the nearest in a box, whose first pixel is `at` in the tile.
template <class T, class Block>
void draw(Block, const DeepFace<T>& tri, int32_t face, const SmallBox& box, int at, Tile<T>& tile) {
    constexpr int kStride = Tile<T>::kStride;
    const VecInt<T> id = VecInt<T>{} + static_cast<typename Tile<T>::Index>(face);
    for (int x = box.x0; x <= box.x1; x += Block::width, at += Block::width) {
        const Vec<T> px = Block::columns() + (x + T(0.5)), last_y = broadcast(static_cast<T>(box.y1 + 1));
        const auto within = px < broadcast(static_cast<T>(box.x1 + 1));
        Vec<T> py = Block::rows() + (box.y0 + T(0.5));
        T* near_at = tile.nearness + at;
        auto* face_at = tile.face + at;
        for (int y = box.y0; y <= box.y1; y += Block::height, py += T(Block::height)) {
            Vec<T> e[3];
            const auto inside = tri.covers(px, py, e) & within & (py < last_y);
            if (any(inside)) {
                const Vec<T> q = tri.nearness(e), old = Block::load_block(near_at, kStride);
                const auto wins = inside & (q > old);  // false where the area is 0 and q is not a number
                if (any(wins)) {
                    Block::store_block(near_at, kStride, select(wins, q, old));
                    const VecInt<T> ids = Block::load_block(face_at, kStride);
                    Block::store_block(face_at, kStride, wins ? id : ids);
                }
            }
            near_at += Block::height * kStride;
            face_at += Block::height * kStride;
        }
    }
}

template <class T>
void draw_tile(const FaceBatch& batch, const T* points, const TileGrid& grid, const TileBins& bins, int64_t item,
               int32_t* face_id, T* barycentric, T* depth) {
    const int64_t b = item / grid.tiles(), tile = item % grid.tiles();
    const int y0 = static_cast<int>(tile / grid.columns) * kTileHeight;
    const int x0 = static_cast<int>(tile % grid.columns) * kTileWidth;
    const int y1 = std::min(y0 + kTileHeight, grid.height), x1 = std::min(x0 + kTileWidth, grid.width);
    Tile<T> shown;
    FaceGroup<T, 3> group;
    DeepGroup<T> deep;
    const int32_t* end = bins.faces.get() + bins.begin[item + 1];
    for (const int32_t* face = bins.faces.get() + bins.begin[item]; face < end; face += kLanes<T>) {
        const int count = static_cast<int>(std::min<int64_t>(kLanes<T>, end - face));
        group.load_faces(batch, b, points, count, [&](int lane) { return face[lane]; });
        deep.set(group);
        for (int i = 0; i < count; ++i) {
            const SmallBox box = bins.box(batch, b, face[i]).within(x0, x1 - 1, y0, y1 - 1);
            const int at = (box.y0 - y0) * Tile<T>::kStride + (box.x0 - x0);
            with_block<T>(box.x1 - box.x0 + 1, box.y1 - box.y0 + 1,
                          [&](auto block) { draw(block, DeepFace<T>(deep, i), face[i], box, at, shown); });
        }
    }
    for (int y = y0; y < y1; ++y) {
        const int64_t out = (b * grid.height + y) * grid.width + x0;
        const T* near_row = shown.nearness + (y - y0) * Tile<T>::kStride;
        const auto* id_row = shown.face + (y - y0) * Tile<T>::kStride;
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
    const TileBins bins = bin_triangles<T, 3>(batch, points, T(0), grid, threads);
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
