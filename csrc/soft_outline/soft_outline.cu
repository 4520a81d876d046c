// Soft outline on CUDA, given the outline's parts (outline.cu): the definitions are those of soft_outline.h.
#include "cuda/accumulate.h"
#include "cuda/batch.h"
#include "cuda/kernels.h"
#include "cuda/tile.h"
#include "soft_outline/nearest.h"

namespace invgraph {
namespace cuda {
namespace {

constexpr int kThreads = 256;

// Parts as they are kept: image, code, and the faces that end it, in four numbers; its cuts in two.
template <class T>
__device__ inline Part<T> part_at(const int32_t* parts, const T* cuts, int64_t n) {
    return {parts[4 * n + 1], {parts[4 * n + 2], parts[4 * n + 3]}, {cuts[2 * n], cuts[2 * n + 1]}};
}

// Counts the tiles of pixels that each part reaches if `ends` is null, else fills the pairs of tile and part.
template <class T>
__global__ void part_tiles_kernel(FaceBatch batch, int64_t count, const T* points, const int64_t* edges,
                                  const int32_t* parts, const T* cuts, int height, int width, T reach, int32_t* counts,
                                  const int64_t* ends, int32_t* tile, int32_t* part) {
    const int64_t n = thread_index();
    if (n >= count) return;
    const int64_t image = parts[4 * n];
    const PixelBox box = pixels_near(segment_of(batch, image, points, edges, part_at(parts, cuts, n)), reach, height, width);
    const int columns = (width + kTile - 1) / kTile, rows = (height + kTile - 1) / kTile;
    int64_t to = ends ? ends[n] - counts[n] : 0;
    int32_t found = 0;
    if (!box.empty())
        for (int y = box.y0 / kTile; y <= box.y1 / kTile; ++y)
            for (int x = box.x0 / kTile; x <= box.x1 / kTile; ++x, ++found)
                if (ends) {
                    tile[to + found] = static_cast<int32_t>((image * rows + y) * columns + x);
                    part[to + found] = static_cast<int32_t>(n);
                }
    if (!ends) counts[n] = found;
}

template <class T>
struct Staged {
    Segment<T> segment;
    PixelBox box;
    int32_t part;
};

template <class T>
__global__ void __launch_bounds__(kTileThreads)
    draw_kernel(FaceBatch batch, const T* points, const int64_t* edges, const int32_t* parts, const T* cuts,
                const int64_t* begin, const int32_t* list, const T* depth, int height, int width, T scale, T reach,
                T* alpha, int32_t* nearest, T* fraction) {
    __shared__ Staged<T> staged[kStage<T>];
    const TilePixel pixel(height, width);
    const bool inside = pixel.x < width && pixel.y < height;
    const T px = pixel.x + T(0.5), py = pixel.y + T(0.5);
    T distance2 = std::numeric_limits<T>::infinity(), where = 0;
    int32_t found = -1;
    each_face_of_tile<kStage<T>>(
        pixel, list, begin[blockIdx.x], begin[blockIdx.x + 1], staged,
        [&](int32_t part, Staged<T>& to) {
            to.segment = segment_of(batch, pixel.image, points, edges, part_at(parts, cuts, part));
            to.box = pixels_near(to.segment, reach, height, width);
            to.part = part;
        },
        [&](const Staged<T>& from) {
            T s;
            const T d2 = squared_distance<T>(from.segment, px, py, s);
            if (!(d2 < distance2)) return;  // the first of several that are equally near
            distance2 = d2;
            where = s;
            found = from.part;
        },
        [&] { return !inside; });
    if (!inside) return;
    const int64_t pixels = static_cast<int64_t>(height) * width, local = static_cast<int64_t>(pixel.y) * width + pixel.x;
    const int64_t at = pixel.image * pixels + local, code = 2 * pixel.image * pixels + local;
    const bool covered = depth[at] < std::numeric_limits<T>::infinity();
    const T distance = std::sqrt(distance2);
    if (found < 0 || !(distance <= reach)) {
        alpha[at] = covered ? T(1) : T(0);
        nearest[code] = nearest[code + pixels] = -1;
        fraction[at] = 0;
        return;
    }
    const Part<T> part = part_at(parts, cuts, found);
    alpha[at] = outline_profile(distance, scale, covered);
    nearest[code] = part.code;
    nearest[code + pixels] = where <= 0 ? part.face[0] : where >= 1 ? part.face[1] : -1;
    fraction[at] = part.t[0] + where * (part.t[1] - part.t[0]);
}

// The units on which each pixel pulls: its edge and, at a crossing, a face; `none` where it pulls on nothing.
__global__ void pulled_kernel(FaceBatch batch, int64_t pixels, int64_t edge_count, const int32_t* nearest,
                              int32_t no_edge, int32_t no_face, int32_t* edge, int32_t* face) {
    const int64_t at = thread_index();
    if (at >= batch.images * pixels) return;
    const int64_t image = at / pixels, code = at + image * pixels;
    edge[at] = nearest[code] < 0 ? no_edge
                                 : static_cast<int32_t>((batch.ranges ? 0 : image * edge_count) + (nearest[code] >> 1));
    face[at] = nearest[code] < 0 || nearest[code + pixels] < 0
                   ? no_face
                   : static_cast<int32_t>(batch.slot(image, nearest[code + pixels]));
}

// What the pixels that pull on a unit (an edge, or a face) do to its corners.
template <class T, int Corners>
struct UnitGradient {
    using Number = T;
    static constexpr int kNumbers = 2 * Corners;
    FaceBatch batch;
    const T* points;
    const int64_t* edges;
    const T* depth;
    int height, width;
    T scale;
    const int32_t* nearest;
    const T* fraction;
    const T* grad_alpha;
    const int64_t* order;
    const int64_t* begin;
    T* grads;

    struct Unit {
        int64_t first;
    };
    __device__ int64_t open(int64_t index, Unit& unit) const {
        unit.first = begin[index];
        return begin[index + 1] - begin[index];
    }
    __device__ void add(const Unit& unit, int64_t item, T sums[2 * Corners]) const {
        const int64_t at = order[unit.first + item], pixels = static_cast<int64_t>(height) * width;
        const T g = grad_alpha[at];
        if (g == 0) return;
        const int64_t image = at / pixels, local = at % pixels, code = at + image * pixels;
        const bool covered = depth[at] < std::numeric_limits<T>::infinity();
        const Pull<T> pull = pull_of(batch, image, points, edges, nearest[code], nearest[code + pixels], fraction[at],
                                     local % width + T(0.5), local / width + T(0.5), covered, g, scale);
        if (Corners == 2) {
            for (int n = 0; n < 2; ++n) {
                sums[n] += (1 - fraction[at]) * pull.on_edge[n];
                sums[2 + n] += fraction[at] * pull.on_edge[n];
            }
        } else if (pull.side >= 0) {
            for (int k = 0; k < Corners; ++k) {
                const T weight = k == pull.side ? 1 - pull.t : k == next_corner(pull.side) ? pull.t : T(0);
                for (int n = 0; n < 2; ++n) sums[2 * k + n] += weight * pull.on_side[n];
            }
        }
    }
    __device__ void close(int64_t index, const Unit&, const T sums[2 * Corners]) const {
        for (int n = 0; n < 2 * Corners; ++n) grads[2 * Corners * index + n] = sums[n];
    }
};

}  // namespace

template <class T>
void outline_tiles(const Place& place, const FaceBatch& batch, int64_t count, const T* points, const int64_t* edges,
                   const int32_t* parts, const T* cuts, int height, int width, T reach, int32_t* counts,
                   const int64_t* ends, int32_t* tile, int32_t* part) {
    launch("outline_tiles", place, blocks_for(count, kThreads), kThreads, part_tiles_kernel<T>, batch, count, points,
           edges, parts, cuts, height, width, reach, counts, ends, tile, part);
}

template <class T>
void soft_outline_forward(const Place& place, const FaceBatch& batch, const T* points, const int64_t* edges,
                          const int32_t* parts, const T* cuts, const int64_t* begin, const int32_t* list, const T* depth,
                          int height, int width, T scale, T reach, T* alpha, int32_t* nearest, T* fraction) {
    const int64_t tiles = blocks_for(height, kTile) * blocks_for(width, kTile);
    launch("soft_outline_forward", place, batch.images * tiles, kTileThreads, draw_kernel<T>, batch, points, edges, parts,
           cuts, begin, list, depth, height, width, scale, reach, alpha, nearest, fraction);
}

void outline_pulled(const Place& place, const FaceBatch& batch, int64_t pixels, int64_t edge_count, const int32_t* nearest,
                    int32_t no_edge, int32_t no_face, int32_t* edge, int32_t* face) {
    launch("outline_pulled", place, blocks_for(batch.images * pixels, kThreads), kThreads, pulled_kernel, batch, pixels,
           edge_count, nearest, no_edge, no_face, edge, face);
}

template <class T>
void soft_outline_backward(const Place& place, const FaceBatch& batch, int64_t units, int corners, const T* points,
                           const int64_t* edges, const T* depth, int height, int width, T scale, const int32_t* nearest,
                           const T* fraction, const T* grad_alpha, const int64_t* order, const int64_t* begin, T* grads) {
    if (corners == 2)
        accumulate("soft_outline_backward, edges", place,
                   UnitGradient<T, 2>{batch, points, edges, depth, height, width, scale, nearest, fraction, grad_alpha,
                                      order, begin, grads},
                   units);
    else
        accumulate("soft_outline_backward, faces", place,
                   UnitGradient<T, 3>{batch, points, edges, depth, height, width, scale, nearest, fraction, grad_alpha,
                                      order, begin, grads},
                   units);
}

#define INSTANTIATE(T)                                                                                                  \
    template void outline_tiles<T>(const Place&, const FaceBatch&, int64_t, const T*, const int64_t*, const int32_t*,   \
                                   const T*, int, int, T, int32_t*, const int64_t*, int32_t*, int32_t*);                \
    template void soft_outline_forward<T>(const Place&, const FaceBatch&, const T*, const int64_t*, const int32_t*,     \
                                          const T*, const int64_t*, const int32_t*, const T*, int, int, T, T, T*,       \
                                          int32_t*, T*);                                                                \
    template void soft_outline_backward<T>(const Place&, const FaceBatch&, int64_t, int, const T*, const int64_t*,      \
                                           const T*, int, int, T, const int32_t*, const T*, const T*, const int64_t*,   \
                                           const int64_t*, T*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace cuda
}  // namespace invgraph
