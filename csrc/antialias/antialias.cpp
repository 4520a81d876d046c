#include "antialias/antialias.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "antialias/crossing.h"
#include "common/parallel.h"
#include "common/scratch.h"
#include "common/simd.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {
namespace {

constexpr int kBand = 32;         // rows whose gaps one work item fills
constexpr int64_t kChunk = 8192;  // edges that one work item tests

// The edges of one image: all of them (shared topology), or those of its own faces (packed), where an edge between faces
// of two images is an outline of both.
struct EdgeLists {
    Scratch<int64_t> begin;
    Scratch<int32_t> index;  // null when every image has every edge
};

EdgeLists edges_by_image(const FaceBatch& batch, const int64_t* edge_faces, int64_t edge_count) {
    EdgeLists lists;
    lists.begin = Scratch<int64_t>(batch.images + 1);
    std::fill(lists.begin.get(), lists.begin.get() + batch.images + 1, 0);
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
    lists.index = Scratch<int32_t>(lists.begin[batch.images] + 1);
    const Scratch<int64_t> at(batch.images + 1);
    std::copy(lists.begin.get(), lists.begin.get() + batch.images + 1, at.get());
    for (int64_t e = 0; e < edge_count; ++e)
        each_image(e, [&](int64_t b) { lists.index[at[b]++] = static_cast<int32_t>(e); });
    return lists;
}

// The side of an edge's faces in image b; `facings` are those of the image's faces, and a face that the image does not
// draw counts as none.
int silhouette_side(const FaceBatch& batch, int64_t b, const int8_t* facings, const int64_t* edge,
                    const int64_t* edge_faces) {
    int side[2] = {0, 0};
    for (int k = 0; k < 2; ++k) {
        const int64_t i = edge_faces[k] - batch.first(b);
        if (edge_faces[k] < 0 || i < 0 || i >= batch.count(b)) continue;
        side[k] = side_of(batch.faces + 3 * edge_faces[k], edge, facings[i]);
    }
    return common_side(side[0], side[1]);
}

// Fills the gaps of rows [top, bottom) that edge e of image b crosses.
template <class T>
void walk_edge(const Crossing<T>& line, int side, int32_t e, int height, int width, int top, int bottom, const T* depth,
               const T* points, const int64_t* edges, int64_t vertex_offset, int32_t* crossing) {
    const int axis = line.axis;
    const bool inner_first = first_is_inner(line, side);
    const int lowest = axis == 0 ? 0 : top, end = axis == 0 ? width - 1 : std::min(bottom, height - 1);
    int from, to;
    crossed_lines(line, axis == 0 ? top : 0, axis == 0 ? bottom : width, from, to);
    int32_t* plane = crossing + static_cast<int64_t>(axis) * height * width;
    for (int i = from; i < to; ++i) {
        const int first = gap_at(line, i, lowest, end);
        if (first < 0) continue;
        const int64_t at = gap_pixel(line, i, first, width);
        if (!outlines(line, inner_first, i, at, width, depth)) continue;
        int32_t& gap = plane[at];
        if (gap >= 0) {
            const int64_t* rival = edges + 2 * static_cast<int64_t>(gap >> 1);
            const Crossing<T> other(points, rival[0] + vertex_offset, rival[1] + vertex_offset);
            const T along = i + T(0.5);
            // the outermost wins; edges that claim opposite sides are compared by index alone
            if ((gap & 1) != static_cast<int>(inner_first) ||
                other.distance(along, first, inner_first) >= line.distance(along, first, inner_first))
                continue;
        }
        gap = 2 * e + inner_first;
    }
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
    const Scratch<int32_t> found(total + 1);
    const Scratch<int64_t> first_chunk(batch.images + 1);
    first_chunk[0] = 0;
    for (int64_t b = 0; b < batch.images; ++b)
        first_chunk[b + 1] = first_chunk[b] + (lists.begin[b + 1] - lists.begin[b] + kChunk - 1) / kChunk;
    const Scratch<int64_t> found_count(first_chunk[batch.images] + 1);
    const Scratch<int8_t> facings(batch.slots() + 1);
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

    const Scratch<T> rows(batch.images * pixels * channels);
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
    const Scratch<T> scratch(2 * batch.images * size);
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
