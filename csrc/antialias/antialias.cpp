#include "antialias/antialias.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "antialias/crossing.h"
#include "common/parallel.h"
#include "common/scratch.h"
#include "common/silhouette.h"
#include "common/simd.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {
namespace {

constexpr int kBand = 32;  // rows that one work item blends

// What every step needs to know of the drawing.
template <class T>
struct Scene {
    const FaceBatch& batch;
    const T* points;
    const int64_t* edges;
    int height, width, channels;

    int64_t pixels() const { return static_cast<int64_t>(height) * width; }
    // work(image, top, bottom) for bands of rows of all images, in parallel
    template <class Work>
    void each_band(int threads, const Work& work) const {
        const int64_t bands = (height + kBand - 1) / kBand;
        parallel_for(batch.images * bands, threads, [&](int64_t item) {
            const int top = static_cast<int>(item % bands) * kBand;
            work(item / bands, top, std::min(top + kBand, height));
        });
    }
    // visit(blend, line, corner a, corner b) for every gap of one plane of image b that begins in rows [top, bottom)
    template <class Visit>
    void each_gap(const int32_t* plane, int64_t b, int top, int bottom, const Visit& visit) const {
        const int64_t offset = batch.vertex_offset(b);
        for (int y = top; y < bottom; ++y)
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
    // Rows [top, bottom) of out = in blended across the gaps of one plane of image b; in and out are that image. A gap
    // between rows begins in the upper one.
    void blend_rows(const int32_t* plane, int axis, int64_t b, int top, int bottom, const T* in, T* out) const {
        const int64_t begin = static_cast<int64_t>(top) * width, end = static_cast<int64_t>(bottom) * width;
        std::copy(in + begin * channels, in + end * channels, out + begin * channels);
        each_gap(plane, b, axis == 1 ? std::max(top - 1, 0) : top, bottom,
                 [&](const Blend<T>& m, const Crossing<T>&, int64_t, int64_t) {
                     if (m.taker < begin || m.taker >= end) return;
                     T* taker = out + m.taker * channels;
                     for (int c = 0; c < channels; ++c)
                         taker[c] += m.weight * (in[m.giver * channels + c] - in[m.taker * channels + c]);
                 });
    }
    // The same for grad_in, from grad_out.
    void blend_rows_backward(const int32_t* plane, int axis, int64_t b, int top, int bottom, const T* grad_out,
                             T* grad_in) const {
        const int64_t begin = static_cast<int64_t>(top) * width, end = static_cast<int64_t>(bottom) * width;
        std::copy(grad_out + begin * channels, grad_out + end * channels, grad_in + begin * channels);
        each_gap(plane, b, axis == 1 ? std::max(top - 1, 0) : top, bottom,
                 [&](const Blend<T>& m, const Crossing<T>&, int64_t, int64_t) {
                     const T* from = grad_out + m.taker * channels;
                     if (m.taker >= begin && m.taker < end)
                         for (int c = 0; c < channels; ++c) grad_in[m.taker * channels + c] -= m.weight * from[c];
                     if (m.giver >= begin && m.giver < end)
                         for (int c = 0; c < channels; ++c) grad_in[m.giver * channels + c] += m.weight * from[c];
                 });
    }
    // Adds the gradient of the edges that cross one plane of image b.
    void move_edges(const int32_t* plane, int64_t b, const T* in, const T* grad_out, T* grad_points) const {
        each_gap(plane, b, 0, height, [&](const Blend<T>& m, const Crossing<T>& line, int64_t corner_a, int64_t corner_b) {
            T grad_weight = 0;
            for (int c = 0; c < channels; ++c) {
                const int64_t taker = m.taker * channels + c;
                grad_weight += grad_out[taker] * (in[m.giver * channels + c] - in[taker]);
            }
            const T g = grad_weight * m.rate, s = line.fraction(m.along), slope = line.slope();
            grad_points[3 * corner_a + line.axis] += g * (1 - s);
            grad_points[3 * corner_b + line.axis] += g * s;
            grad_points[3 * corner_a + 1 - line.axis] -= g * (1 - s) * slope;
            grad_points[3 * corner_b + 1 - line.axis] -= g * s * slope;
        });
    }
};

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

}  // namespace

template <class T>
void antialias_forward(const FaceBatch& batch, const T* points, const int64_t* edges, const int64_t* edge_faces,
                       int64_t edge_count, int height, int width, int channels, int threads, const T* depth,
                       const T* image, T* out, int32_t* crossing) {
    const Scene<T> scene{batch, points, edges, height, width, channels};
    const int64_t pixels = scene.pixels(), size = pixels * channels;
    const Silhouettes silhouettes = find_silhouettes(batch, points, edges, edge_faces, edge_count, threads);
    const Scratch<T> rows(batch.images * size);
    scene.each_band(threads, [&](int64_t b, int top, int bottom) {
        const int64_t offset = batch.vertex_offset(b), begin = static_cast<int64_t>(top) * width;
        int32_t* planes = crossing + b * 2 * pixels;
        for (int axis = 0; axis < 2; ++axis)
            std::fill(planes + axis * pixels + begin, planes + axis * pixels + static_cast<int64_t>(bottom) * width, -1);
        for (int64_t i = silhouettes.begin[b]; i < silhouettes.begin[b + 1]; ++i) {
            const int32_t code = silhouettes.code[i], e = code >> 1;
            const Crossing<T> line(points, edges[2 * e] + offset, edges[2 * e + 1] + offset);
            // a gap belongs to the row of its upper pixel, so the band's last gaps reach one row further
            if (!(std::max(line.a[1], line.b[1]) > top && std::min(line.a[1], line.b[1]) < bottom + 1)) continue;
            walk_edge(line, code & 1 ? 1 : -1, e, height, width, top, bottom, depth + b * pixels, points, edges, offset,
                      planes);
        }
        scene.blend_rows(planes, 0, b, top, bottom, image + b * size, rows.get() + b * size);
    });
    scene.each_band(threads, [&](int64_t b, int top, int bottom) {
        const int32_t* plane = crossing + (b * 2 + 1) * pixels;
        scene.blend_rows(plane, 1, b, top, bottom, rows.get() + b * size, out + b * size);
    });
}

template <class T>
void antialias_backward(const FaceBatch& batch, const T* points, const int64_t* edges, int height, int width,
                        int channels, int threads, const T* image, const int32_t* crossing, const T* grad_out,
                        T* grad_image, T* grad_points) {
    const Scene<T> scene{batch, points, edges, height, width, channels};
    const int64_t pixels = scene.pixels(), size = pixels * channels;
    const Scratch<T> rows(batch.images * size), grad_rows(batch.images * size);
    scene.each_band(threads, [&](int64_t b, int top, int bottom) {
        const int32_t* planes = crossing + b * 2 * pixels;
        const int64_t at = b * size;
        scene.blend_rows(planes, 0, b, top, bottom, image + at, rows.get() + at);
        scene.blend_rows_backward(planes + pixels, 1, b, top, bottom, grad_out + at, grad_rows.get() + at);
        scene.blend_rows_backward(planes, 0, b, top, bottom, grad_rows.get() + at, grad_image + at);
    });
    // packed images may share points, so only shared topology, where each image has its own, adds in parallel
    parallel_for(batch.images, batch.ranges ? 1 : threads, [&](int64_t b) {
        const int32_t* planes = crossing + b * 2 * pixels;
        const int64_t at = b * size;
        scene.move_edges(planes + pixels, b, rows.get() + at, grad_out + at, grad_points);
        scene.move_edges(planes, b, image + at, grad_rows.get() + at, grad_points);
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
