#include "soft_outline/soft_outline.h"

#include <algorithm>
#include <limits>

#include "common/parallel.h"
#include "common/simd.h"
#include "common/tiles.h"
#include "soft_outline/nearest.h"
#include "soft_outline/outline.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {
namespace {

constexpr int kTileHeight = 32, kTileWidth = 64;

// One image's arrays.
template <class T>
struct Picture {
    const T* depth;
    T* alpha;
    int32_t *code, *face;
    T* fraction;
};

template <class T>
void draw_tile(const FaceBatch& batch, int64_t b, const T* points, const int64_t* edges, const Part<T>* parts,
               const int32_t* list, int64_t count, const TileGrid& grid, int64_t tile, T scale, T reach,
               const Picture<T>& picture) {
    using I = typename IntOf<T>::type;
    constexpr int kStride = kTileWidth + kLanes<T>;  // rows are drawn in vectors that may hang over the tile's right end
    const int y0 = static_cast<int>(tile / grid.columns) * kTileHeight;
    const int x0 = static_cast<int>(tile % grid.columns) * kTileWidth;
    const int y1 = std::min(y0 + kTileHeight, grid.height), x1 = std::min(x0 + kTileWidth, grid.width);
    auto finish = [&](int y, int x, I found, T distance2, T s) {
        const int64_t at = static_cast<int64_t>(y) * grid.width + x;
        const bool covered = picture.depth[at] < std::numeric_limits<T>::infinity();
        const T distance = std::sqrt(distance2);
        if (found < 0 || !(distance <= reach)) {
            picture.alpha[at] = covered ? T(1) : T(0);
            picture.code[at] = picture.face[at] = -1;
            picture.fraction[at] = 0;
            return;
        }
        const Part<T>& part = parts[found];
        picture.alpha[at] = outline_profile(distance, scale, covered);
        picture.code[at] = part.code;
        picture.face[at] = s <= 0 ? part.face[0] : s >= 1 ? part.face[1] : -1;
        picture.fraction[at] = part.t[0] + s * (part.t[1] - part.t[0]);
    };
    if (count == 0) {
        for (int y = y0; y < y1; ++y)
            for (int x = x0; x < x1; ++x) finish(y, x, -1, T(0), T(0));
        return;
    }
    alignas(kVectorBytes) T distance2[kTileHeight * kStride], where[kTileHeight * kStride];
    alignas(kVectorBytes) I found[kTileHeight * kStride];
    std::fill(distance2, distance2 + kTileHeight * kStride, std::numeric_limits<T>::infinity());
    std::fill(found, found + kTileHeight * kStride, I(-1));
    const Vec<T> lane = iota<T>() + T(0.5);
    for (int64_t n = 0; n < count; ++n) {
        const Segment<T> segment = segment_of(batch, b, points, edges, parts[list[n]]);
        const PixelBox box = pixels_near(segment, reach, grid.height, grid.width);
        const int left = std::max(box.x0, x0), right = std::min(box.x1, x1 - 1);
        const int top = std::max(box.y0, y0), bottom = std::min(box.y1, y1 - 1);
        for (int y = top; y <= bottom; ++y) {
            for (int x = left; x <= right; x += kLanes<T>) {
                const int64_t at = (y - y0) * kStride + (x - x0);
                Vec<T> s;
                const Vec<T> d2 = squared_distance<T>(segment, lane + T(x), broadcast<T>(y + T(0.5)), s);
                const Vec<T> old = load(distance2 + at);
                const auto nearer = d2 < old;  // the first of several that are equally near
                if (!any(nearer)) continue;
                store(distance2 + at, select(nearer, d2, old));
                store(where + at, select(nearer, s, load(where + at)));
                const VecInt<T> ids = load(found + at);
                store(found + at, nearer ? VecInt<T>{} + static_cast<I>(list[n]) : ids);
            }
        }
    }
    for (int y = y0; y < y1; ++y)
        for (int x = x0; x < x1; ++x) {
            const int64_t at = (y - y0) * kStride + (x - x0);
            finish(y, x, found[at], distance2[at], where[at]);
        }
}

template <class T>
void add_pull(T* grad, int64_t corner_a, int64_t corner_b, T t, T gx, T gy) {
    grad[3 * corner_a] += (1 - t) * gx;
    grad[3 * corner_a + 1] += (1 - t) * gy;
    grad[3 * corner_b] += t * gx;
    grad[3 * corner_b + 1] += t * gy;
}

template <class T>
void pixel_backward(const FaceBatch& batch, int64_t b, const T* points, const int64_t* edges, int32_t code, int32_t face,
                    T t, T cx, T cy, bool covered, T grad_alpha, T scale, T* grad) {
    const Pull<T> pull = pull_of(batch, b, points, edges, code, face, t, cx, cy, covered, grad_alpha, scale);
    const int64_t *ends = edges + 2 * static_cast<int64_t>(code >> 1), offset = batch.vertex_offset(b);
    add_pull(grad, ends[0] + offset, ends[1] + offset, t, pull.on_edge[0], pull.on_edge[1]);
    if (pull.side < 0) return;
    int64_t corner[3];
    batch.corners(b, face, corner);
    add_pull(grad, corner[pull.side], corner[next_corner(pull.side)], pull.t, pull.on_side[0], pull.on_side[1]);
}

}  // namespace

template <class T>
void soft_outline_forward(const FaceBatch& batch, const T* points, const int64_t* edges, const int64_t* edge_faces,
                          int64_t edge_count, const T* depth, int height, int width, T scale, T reach, int threads,
                          T* alpha, int32_t* nearest, T* fraction) {
    const Outline<T> outline =
        find_outline(batch, points, edges, edge_faces, edge_count, depth, height, width, reach, threads);
    const TileGrid grid(height, width, kTileHeight, kTileWidth);
    // the parts stand to the images as packed faces do
    std::unique_ptr<int64_t[]> ranges(new int64_t[2 * batch.images + 1]);
    for (int64_t b = 0; b < batch.images; ++b) ranges[2 * b] = outline.begin[b], ranges[2 * b + 1] = outline.begin[b + 1];
    const FaceBatch parts{nullptr, ranges.get(), batch.images, 0, 0};
    const TileBins bins = bin_faces(parts, grid, threads, [&](int64_t b, int64_t i) -> PixelBox {
        return pixels_near(segment_of(batch, b, points, edges, outline.part[outline.begin[b] + i]), reach, height, width);
    });
    const int64_t pixels = static_cast<int64_t>(height) * width;
    parallel_for(batch.images * grid.tiles(), threads, [&](int64_t item) {
        const int64_t b = item / grid.tiles();
        const Picture<T> picture{depth + b * pixels, alpha + b * pixels, nearest + 2 * b * pixels,
                                 nearest + (2 * b + 1) * pixels, fraction + b * pixels};
        draw_tile(batch, b, points, edges, outline.part.get() + outline.begin[b], bins.faces.get() + bins.begin[item],
                  bins.begin[item + 1] - bins.begin[item], grid, item % grid.tiles(), scale, reach, picture);
    });
}

template <class T>
void soft_outline_backward(const FaceBatch& batch, const T* points, const int64_t* edges, const T* depth, int height,
                           int width, T scale, int threads, const int32_t* nearest, const T* fraction,
                           const T* grad_alpha, T* grad_points) {
    const int64_t pixels = static_cast<int64_t>(height) * width;
    // packed images may share points, so only shared topology, where each image has its own, adds in parallel
    parallel_for(batch.images, batch.ranges ? 1 : threads, [&](int64_t b) {
        const int32_t* code = nearest + 2 * b * pixels;
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x) {
                const int64_t at = static_cast<int64_t>(y) * width + x;
                const T g = grad_alpha[b * pixels + at];
                if (code[at] < 0 || g == 0) continue;
                const bool covered = depth[b * pixels + at] < std::numeric_limits<T>::infinity();
                pixel_backward(batch, b, points, edges, code[at], code[pixels + at], fraction[b * pixels + at],
                               x + T(0.5), y + T(0.5), covered, g, scale, grad_points);
            }
    });
}

#define INSTANTIATE(T)                                                                                                 \
    template void soft_outline_forward<T>(const FaceBatch&, const T*, const int64_t*, const int64_t*, int64_t, const T*, \
                                          int, int, T, T, int, T*, int32_t*, T*);                                      \
    template void soft_outline_backward<T>(const FaceBatch&, const T*, const int64_t*, const T*, int, int, T, int,     \
                                           const int32_t*, const T*, const T*, T*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
