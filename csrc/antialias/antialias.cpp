#include "antialias/antialias.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "antialias/gaps.h"
#include "common/parallel.h"
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
    Gaps<T> gaps(int64_t b, const int32_t* crossing) const {
        return {points, edges, batch.vertex_offset(b), crossing + b * 2 * pixels(), height, width};
    }
    // The picture of image b, null for the mask that its depth makes.
    Pixels<T> picture(int64_t b, const T* values, const T* depth) const {
        return {values ? values + b * pixels() * channels : nullptr, depth + b * pixels(), channels};
    }
    // work(image, top, bottom) for bands of rows of all images, in parallel
    template <class Work>
    void each_band(int threads, const Work& work) const {
        const int64_t bands = (height + kBand - 1) / kBand;
        parallel_for(batch.images * bands, threads, [&](int64_t item) {
            const int top = static_cast<int>(item % bands) * kBand;
            work(item / bands, top, std::min(top + kBand, height));
        });
    }
};

// visit(blend, line, code) for every gap of one axis that begins in rows [top, bottom)
template <class T, class Visit>
void each_gap(const Gaps<T>& gaps, int axis, int top, int bottom, const Visit& visit) {
    const int32_t* plane = gaps.crossing + static_cast<int64_t>(axis) * gaps.height * gaps.width;
    for (int y = top; y < bottom; ++y)
        for (int x = 0; x < gaps.width; ++x) {
            const int32_t* at = plane + static_cast<int64_t>(y) * gaps.width + x;
            // outlines are thin: most gaps are skipped a vector at a time
            while (x + kLanes<float> < gaps.width && !any(load(at) >= 0)) x += kLanes<float>, at += kLanes<float>;
            if (*at < 0) continue;
            const Crossing<T> line = gaps.line(*at >> 1);
            visit(blend_at(line, *at, y, x, gaps.width), line, *at);
        }
}

// visit(pixel) for the pixels of rows [top, bottom) at which a gap begins or ends; a gap between rows begins in the upper
template <class T, class Visit>
void each_pixel_at_gaps(const Gaps<T>& gaps, int top, int bottom, const Visit& visit) {
    const int64_t begin = static_cast<int64_t>(top) * gaps.width, end = static_cast<int64_t>(bottom) * gaps.width;
    for (int axis = 0; axis < 2; ++axis)
        each_gap(gaps, axis, axis == 1 ? std::max(top - 1, 0) : top, bottom, [&](const Blend<T>& m, const Crossing<T>&, int32_t) {
            for (const int64_t pixel : {m.taker, m.giver})
                if (pixel >= begin && pixel < end) visit(pixel);
        });
}

// Adds the gradient of the edges that cross one axis of an image.
template <class T>
void move_edges(const Gaps<T>& gaps, int axis, const Pixels<T>& image, const Pixels<T>& grad_out, T* grad_points) {
    each_gap(gaps, axis, 0, gaps.height, [&](const Blend<T>& m, const Crossing<T>& line, int32_t code) {
        const int64_t* edge = gaps.edges + 2 * static_cast<int64_t>(code >> 1);
        T* grad_a = grad_points + 3 * (edge[0] + gaps.offset);
        T* grad_b = grad_points + 3 * (edge[1] + gaps.offset);
        const T g = weight_gradient(gaps, axis, m, image, grad_out) * m.rate;
        const T s = line.fraction(m.along), slope = line.slope();
        grad_a[line.axis] += g * (1 - s);
        grad_b[line.axis] += g * s;
        grad_a[1 - line.axis] -= g * (1 - s) * slope;
        grad_b[1 - line.axis] -= g * s * slope;
    });
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

}  // namespace

template <class T>
void antialias_forward(const FaceBatch& batch, const T* points, const int64_t* edges, const int64_t* edge_faces,
                       int64_t edge_count, int height, int width, int channels, int threads, const T* depth,
                       const T* image, T* out, int32_t* crossing) {
    const Scene<T> scene{batch, points, edges, height, width, channels};
    const int64_t pixels = scene.pixels();
    const Silhouettes silhouettes = find_silhouettes(batch, points, edges, edge_faces, edge_count, threads);
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
    });
    scene.each_band(threads, [&](int64_t b, int top, int bottom) {
        const Rows<T> rows{scene.gaps(b, crossing), scene.picture(b, image, depth)};
        T* result = out + b * pixels * channels;
        const int64_t begin = static_cast<int64_t>(top) * width, end = static_cast<int64_t>(bottom) * width;
        if (image) {
            std::copy(rows.image.values + begin * channels, rows.image.values + end * channels, result + begin * channels);
        } else if (channels == 1) {  // an empty picture has no address either
            const T* seen = rows.image.depth;
            for (int64_t pixel = begin; pixel < end; ++pixel)
                result[pixel] = seen[pixel] < std::numeric_limits<T>::infinity() ? T(1) : T(0);
        }
        each_pixel_at_gaps(rows.gaps, top, bottom, [&](int64_t pixel) {
            for (int c = 0; c < channels; ++c) result[pixel * channels + c] = rows.gaps.blended(1, pixel, c, rows);
        });
    });
}

template <class T>
void antialias_backward(const FaceBatch& batch, const T* points, const int64_t* edges, int height, int width,
                        int channels, int threads, const T* depth, const T* image, const int32_t* crossing,
                        const T* grad_out, T* grad_image, T* grad_points) {
    const Scene<T> scene{batch, points, edges, height, width, channels};
    const int64_t pixels = scene.pixels();
    if (grad_image)
        scene.each_band(threads, [&](int64_t b, int top, int bottom) {
            const GradRows<T> grad_rows{scene.gaps(b, crossing), scene.picture(b, grad_out, depth)};
            const T* given = grad_rows.grad_out.values;
            T* result = grad_image + b * pixels * channels;
            const int64_t begin = static_cast<int64_t>(top) * width, end = static_cast<int64_t>(bottom) * width;
            std::copy(given + begin * channels, given + end * channels, result + begin * channels);
            each_pixel_at_gaps(grad_rows.gaps, top, bottom, [&](int64_t pixel) {
                for (int c = 0; c < channels; ++c)
                    result[pixel * channels + c] = grad_rows.gaps.unblended(0, pixel, c, grad_rows);
            });
        });
    // packed images may share points, so only shared topology, where each image has its own, adds in parallel
    parallel_for(batch.images, batch.ranges ? 1 : threads, [&](int64_t b) {
        const Gaps<T> gaps = scene.gaps(b, crossing);
        for (int axis = 1; axis >= 0; --axis)
            move_edges(gaps, axis, scene.picture(b, image, depth), scene.picture(b, grad_out, depth), grad_points);
    });
}

#define INSTANTIATE(T)                                                                                                 \
    template void antialias_forward<T>(const FaceBatch&, const T*, const int64_t*, const int64_t*, int64_t, int, int,  \
                                       int, int, const T*, const T*, T*, int32_t*);                                   \
    template void antialias_backward<T>(const FaceBatch&, const T*, const int64_t*, int, int, int, int, const T*,      \
                                        const T*, const int32_t*, const T*, T*, T*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
