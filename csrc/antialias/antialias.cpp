#include "antialias/antialias.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "common/parallel.h"
#include "common/triangle.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {
namespace {

constexpr int kBand = 32;         // rows whose gaps one work item fills
constexpr int64_t kChunk = 8192;  // edges that one work item tests

// An edge in one image, seen along the axis in which it is crossed: `across` is x for a steep edge, which crosses rows,
// and y for a flat one, which crosses columns; `along` is the other coordinate.
template <class T>
struct Crossing {
    int axis;  // 0: gaps between columns (across = x), 1: gaps between rows (across = y)
    const T* a;
    const T* b;

    Crossing(const T* points, int64_t corner_a, int64_t corner_b) : a(points + 3 * corner_a), b(points + 3 * corner_b) {
        axis = std::abs(b[1] - a[1]) >= std::abs(b[0] - a[0]) ? 0 : 1;
    }
    T slope() const { return (b[axis] - a[axis]) / (b[1 - axis] - a[1 - axis]); }
    // where on the edge (0 at a, 1 at b) the centre line at coordinate `along` meets it
    T fraction(T along) const { return (along - a[1 - axis]) / (b[1 - axis] - a[1 - axis]); }
    T across(T along) const { return a[axis] + (along - a[1 - axis]) * slope(); }
    // distance from the inner pixel's centre to the crossing, in the gap that begins at pixel `first`
    T distance(T along, int first, bool first_is_inner) const {
        const T d = across(along) - (first + T(0.5));
        return std::min(std::max(first_is_inner ? d : 1 - d, T(0)), T(1));
    }
};

// The edges of one image: all of them (shared topology), or those of its own faces (packed), where an edge between faces
// of two images is an outline of both.
struct EdgeLists {
    std::unique_ptr<int64_t[]> begin;
    std::unique_ptr<int32_t[]> index;  // null when every image has every edge
};

EdgeLists edges_by_image(const FaceBatch& batch, const int64_t* edge_faces, int64_t edge_count) {
    EdgeLists lists;
    lists.begin.reset(new int64_t[batch.images + 1]());
    if (!batch.ranges) {
        for (int64_t b = 0; b <= batch.images; ++b) lists.begin[b] = b * edge_count;
        return lists;
    }
    auto image_of = [&](int64_t face) {  // ranges ascend and do not overlap
        int64_t low = 0, high = batch.images;
        while (low < high) {
            const int64_t middle = (low + high) / 2;
            if (batch.ranges[2 * middle + 1] <= face) low = middle + 1;
            else high = middle;
        }
        return low < batch.images && face >= batch.ranges[2 * low] ? low : batch.images;
    };
    auto each_image = [&](int64_t e, auto&& visit) {
        const int64_t one = image_of(edge_faces[2 * e]), two = image_of(edge_faces[2 * e + 1]);
        if (one < batch.images) visit(one);
        if (two < batch.images && two != one) visit(two);
    };
    for (int64_t e = 0; e < edge_count; ++e) each_image(e, [&](int64_t b) { ++lists.begin[b + 1]; });
    for (int64_t b = 0; b < batch.images; ++b) lists.begin[b + 1] += lists.begin[b];
    lists.index.reset(new int32_t[lists.begin[batch.images] + 1]);
    std::unique_ptr<int64_t[]> at(new int64_t[batch.images + 1]);
    std::copy(lists.begin.get(), lists.begin.get() + batch.images + 1, at.get());
    for (int64_t e = 0; e < edge_count; ++e)
        each_image(e, [&](int64_t b) { lists.index[at[b]++] = static_cast<int32_t>(e); });
    return lists;
}

// +1 if the face runs counter-clockwise in (u, v), -1 clockwise, 0 if rasterize does not draw it.
template <class T>
int8_t facing(const T* points, const int64_t corner[3]) {
    Triangle<T> tri;
    bool drawn = tri.set(points, 3, corner);
    for (int k = 0; k < 3; ++k) drawn &= drawable_depth(points[3 * corner[k] + 2]);
    if (!drawn) return 0;
    const T area = (tri.x[1] - tri.x[0]) * (tri.y[2] - tri.y[0]) - (tri.y[1] - tri.y[0]) * (tri.x[2] - tri.x[0]);
    return area >= 0 ? 1 : -1;
}

// The side of edge a -> b on which its faces lie: +1 or -1 (the sign of cross(b - a, p - a) there), 0 for no silhouette.
// `facings` are those of the image's faces; a face that the image does not draw counts as none.
int silhouette_side(const FaceBatch& batch, int64_t b, const int8_t* facings, const int64_t* edge,
                    const int64_t* edge_faces) {
    int side[2] = {0, 0};
    for (int k = 0; k < 2; ++k) {
        const int64_t i = edge_faces[k] - batch.first(b);
        if (edge_faces[k] < 0 || i < 0 || i >= batch.count(b)) continue;
        const int64_t* corner = batch.faces + 3 * edge_faces[k];
        const bool along = (corner[0] == edge[0] && corner[1] == edge[1]) ||
                           (corner[1] == edge[0] && corner[2] == edge[1]) ||
                           (corner[2] == edge[0] && corner[0] == edge[1]);
        const int f = facings[i];
        side[k] = along ? f : -f;
    }
    if (side[0] == 0 || side[1] == 0) return side[0] + side[1];
    return side[0] == side[1] ? side[0] : 0;
}

// Fills the gaps of rows [top, bottom) that edge e of image b crosses.
template <class T>
void walk_edge(const Crossing<T>& line, int side, int32_t e, int height, int width, int top, int bottom, const T* depth,
               const T* points, const int64_t* edges, int64_t vertex_offset, int32_t* crossing) {
    const int axis = line.axis;
    const T begin = std::min(line.a[1 - axis], line.b[1 - axis]), end = std::max(line.a[1 - axis], line.b[1 - axis]);
    // centres in [begin, end): where two edges meet on a centre line one of them crosses it
    const int along_size = axis == 0 ? bottom : width, along_from = axis == 0 ? top : 0;
    auto centre = [&](T v) {  // the first centre at or after v, within the range
        return static_cast<int>(std::min(std::max(std::ceil(v - T(0.5)), T(along_from)), T(along_size)));
    };
    const int from = centre(begin), to = centre(end);
    const T d = line.b[1 - axis] - line.a[1 - axis];
    const bool first_is_inner = (axis == 0 ? d : -d) * side > 0;
    const int step = axis == 0 ? 1 : width, last = axis == 0 ? width - 2 : std::min(bottom, height - 1) - 1;
    int32_t* plane = crossing + static_cast<int64_t>(axis) * height * width;
    for (int i = from; i < to; ++i) {
        const T along = i + T(0.5), position = line.across(along) - T(0.5);
        if (!(position >= T(axis == 0 ? 0 : top) && position < T(last + 1))) continue;
        const int first = static_cast<int>(std::floor(position));
        const int64_t at = axis == 0 ? static_cast<int64_t>(i) * width + first : static_cast<int64_t>(first) * width + i;
        const T inner = depth[first_is_inner ? at : at + step], outer = depth[first_is_inner ? at + step : at];
        const T s = line.fraction(along), nearness = (1 - s) / line.a[2] + s / line.b[2];
        if (!(inner < outer && nearness * outer > 1)) continue;  // the outer pixel must show something farther
        if (plane[at] >= 0) {
            const int64_t* rival = edges + 2 * static_cast<int64_t>(plane[at] >> 1);
            const Crossing<T> other(points, rival[0] + vertex_offset, rival[1] + vertex_offset);
            const bool same = (plane[at] & 1) == static_cast<int>(first_is_inner);
            // the outermost wins; edges that claim opposite sides are compared by index alone
            if (!same || other.distance(along, first, first_is_inner) >= line.distance(along, first, first_is_inner))
                continue;
        }
        plane[at] = 2 * e + first_is_inner;
    }
}

// A gap's two pixels and how much the one takes of the other.
template <class T>
struct Blend {
    int64_t taker, giver;  // pixels
    T weight, rate;        // rate: d weight / d crossing position
    T along;
};

template <class T>
Blend<T> blend_at(const Crossing<T>& line, int32_t code, int y, int x, int width) {
    const bool first_is_inner = code & 1;
    const int first = line.axis == 0 ? x : y;
    const T along = (line.axis == 0 ? y : x) + T(0.5), t = line.distance(along, first, first_is_inner);
    const int64_t lower = static_cast<int64_t>(y) * width + x, upper = lower + (line.axis == 0 ? 1 : width);
    const int64_t inner = first_is_inner ? lower : upper, outer = first_is_inner ? upper : lower;
    const T toward_outer = first_is_inner ? T(1) : T(-1);
    if (t < T(0.5)) return {inner, outer, T(0.5) - t, -toward_outer, along};
    return {outer, inner, t - T(0.5), toward_outer, along};
}

// visit(blend, edge) for every gap of one plane of one image
template <class T, class Visit>
void each_gap(const FaceBatch& batch, const T* points, const int64_t* edges, const int32_t* plane, int64_t b, int height,
              int width, const Visit& visit) {
    const int64_t offset = batch.vertex_offset(b);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const int32_t* at = plane + static_cast<int64_t>(y) * width + x;
            // outlines are thin: most gaps are skipped a vector at a time
            while (x + kLanes<float> < width && !any(load(at) >= 0)) x += kLanes<float>, at += kLanes<float>;
            const int32_t code = *at;
            if (code < 0) continue;
            const int64_t* edge = edges + 2 * static_cast<int64_t>(code >> 1);
            const Crossing<T> line(points, edge[0] + offset, edge[1] + offset);
            visit(blend_at(line, code, y, x, width), line, edge[0] + offset, edge[1] + offset);
        }
}

// out = in blended across the gaps of one plane; in and out are one image
template <class T>
void blend_plane(const FaceBatch& batch, const T* points, const int64_t* edges, const int32_t* plane, int64_t b,
                 int height, int width, int channels, const T* in, T* out) {
    std::copy(in, in + static_cast<int64_t>(height) * width * channels, out);
    each_gap(batch, points, edges, plane, b, height, width,
             [&](const Blend<T>& m, const Crossing<T>&, int64_t, int64_t) {
                 for (int c = 0; c < channels; ++c)
                     out[m.taker * channels + c] += m.weight * (in[m.giver * channels + c] - in[m.taker * channels + c]);
             });
}

// grad_in from grad_out, and the edges' gradient, for one plane of one image
template <class T>
void blend_plane_backward(const FaceBatch& batch, const T* points, const int64_t* edges, const int32_t* plane, int64_t b,
                          int height, int width, int channels, const T* in, const T* grad_out, T* grad_in,
                          T* grad_points) {
    std::copy(grad_out, grad_out + static_cast<int64_t>(height) * width * channels, grad_in);
    each_gap(batch, points, edges, plane, b, height, width,
             [&](const Blend<T>& m, const Crossing<T>& line, int64_t corner_a, int64_t corner_b) {
                 T grad_weight = 0;
                 for (int c = 0; c < channels; ++c) {
                     const int64_t taker = m.taker * channels + c, giver = m.giver * channels + c;
                     grad_weight += grad_out[taker] * (in[giver] - in[taker]);
                     grad_in[taker] -= m.weight * grad_out[taker];
                     grad_in[giver] += m.weight * grad_out[taker];
                 }
                 const T g = grad_weight * m.rate, s = line.fraction(m.along), slope = line.slope();
                 grad_points[3 * corner_a + line.axis] += g * (1 - s);
                 grad_points[3 * corner_b + line.axis] += g * s;
                 grad_points[3 * corner_a + 1 - line.axis] -= g * (1 - s) * slope;
                 grad_points[3 * corner_b + 1 - line.axis] -= g * s * slope;
             });
}

}  // namespace

template <class T>
void antialias_forward(const FaceBatch& batch, const T* points, const int64_t* edges, const int64_t* edge_faces,
                       int64_t edge_count, int height, int width, int channels, int threads, const T* depth,
                       const T* image, T* out, int32_t* crossing) {
    const EdgeLists lists = edges_by_image(batch, edge_faces, edge_count);
    const int64_t total = lists.begin[batch.images], pixels = static_cast<int64_t>(height) * width;
    // silhouette edges, compacted within each chunk of an image's edges: 2 * edge + (side > 0)
    std::unique_ptr<int32_t[]> found(new int32_t[total + 1]);
    std::unique_ptr<int64_t[]> first_chunk(new int64_t[batch.images + 1]);
    first_chunk[0] = 0;
    for (int64_t b = 0; b < batch.images; ++b)
        first_chunk[b + 1] = first_chunk[b] + (lists.begin[b + 1] - lists.begin[b] + kChunk - 1) / kChunk;
    std::unique_ptr<int64_t[]> found_count(new int64_t[first_chunk[batch.images] + 1]);
    std::unique_ptr<int8_t[]> facings(new int8_t[batch.slots() + 1]);
    int64_t most = 0;
    for (int64_t b = 0; b < batch.images; ++b) most = std::max(most, batch.count(b));
    const int64_t face_chunks = (most + kChunk - 1) / kChunk;
    parallel_for(batch.images * face_chunks, threads, [&](int64_t item) {
        const int64_t b = item / face_chunks, begin = item % face_chunks * kChunk;
        for (int64_t i = begin; i < std::min(begin + kChunk, batch.count(b)); ++i) {
            int64_t corner[3];
            batch.corners(b, i, corner);
            facings[batch.slot(b, i)] = facing(points, corner);
        }
    });
    parallel_for(first_chunk[batch.images], threads, [&](int64_t c) {
        const int64_t b = std::upper_bound(first_chunk.get(), first_chunk.get() + batch.images + 1, c) - first_chunk.get() - 1;
        const int64_t begin = lists.begin[b] + (c - first_chunk[b]) * kChunk;
        const int64_t end = std::min(begin + kChunk, lists.begin[b + 1]);
        int64_t n = 0;
        for (int64_t i = begin; i < end; ++i) {
            const int64_t e = lists.index ? lists.index[i] : i - lists.begin[b];
            const int side =
                silhouette_side(batch, b, facings.get() + batch.slot(b, 0), edges + 2 * e, edge_faces + 2 * e);
            if (side != 0) found[begin + n++] = static_cast<int32_t>(2 * e + (side > 0));
        }
        found_count[c] = n;
    });

    const int64_t bands = (height + kBand - 1) / kBand;
    std::fill(crossing, crossing + batch.images * 2 * pixels, -1);
    parallel_for(batch.images * bands, threads, [&](int64_t item) {
        const int64_t b = item / bands, offset = batch.vertex_offset(b);
        const int top = static_cast<int>(item % bands) * kBand, bottom = std::min(top + kBand, height);
        for (int64_t c = first_chunk[b]; c < first_chunk[b + 1]; ++c) {
            const int32_t* list = found.get() + lists.begin[b] + (c - first_chunk[b]) * kChunk;
            for (int64_t i = 0; i < found_count[c]; ++i) {
                const int32_t e = list[i] >> 1;
                const Crossing<T> line(points, edges[2 * e] + offset, edges[2 * e + 1] + offset);
                // a gap belongs to the row of its upper pixel, so the band's last gaps reach one row further
                if (!(std::max(line.a[1], line.b[1]) > top && std::min(line.a[1], line.b[1]) < bottom + 1)) continue;
                walk_edge(line, list[i] & 1 ? 1 : -1, e, height, width, top, bottom, depth + b * pixels, points, edges,
                          offset, crossing + b * 2 * pixels);
            }
        }
    });

    std::unique_ptr<T[]> rows(new T[batch.images * pixels * channels]);
    parallel_for(batch.images, threads, [&](int64_t b) {
        const int32_t* planes = crossing + b * 2 * pixels;
        const int64_t at = b * pixels * channels;
        blend_plane(batch, points, edges, planes, b, height, width, channels, image + at, rows.get() + at);
        blend_plane(batch, points, edges, planes + pixels, b, height, width, channels, rows.get() + at, out + at);
    });
}

template <class T>
void antialias_backward(const FaceBatch& batch, const T* points, const int64_t* edges, int height, int width,
                        int channels, int threads, const T* image, const int32_t* crossing, const T* grad_out,
                        T* grad_image, T* grad_points) {
    const int64_t pixels = static_cast<int64_t>(height) * width, size = pixels * channels;
    std::unique_ptr<T[]> scratch(new T[2 * batch.images * size]);
    // packed images may share points, so only shared topology, where each image has its own, adds in parallel
    parallel_for(batch.images, batch.ranges ? 1 : threads, [&](int64_t b) {
        const int32_t* planes = crossing + b * 2 * pixels;
        T *rows = scratch.get() + 2 * b * size, *grad_rows = rows + size;
        blend_plane(batch, points, edges, planes, b, height, width, channels, image + b * size, rows);
        blend_plane_backward(batch, points, edges, planes + pixels, b, height, width, channels, rows, grad_out + b * size,
                             grad_rows, grad_points);
        blend_plane_backward(batch, points, edges, planes, b, height, width, channels, image + b * size, grad_rows,
                             grad_image + b * size, grad_points);
    });
}

#define INSTANTIATE(T)                                                                                                 \
    template void antialias_forward<T>(const FaceBatch&, const T*, const int64_t*, const int64_t*, int64_t, int, int,  \
                                       int, int, const T*, const T*, T*, int32_t*);                                   \
    template void antialias_backward<T>(const FaceBatch&, const T*, const int64_t*, int, int, int, int, const T*,      \
                                        const int32_t*, const T*, T*, T*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
