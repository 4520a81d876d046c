// The part of the outline that is nearest to a pixel, and how the pixel pulls on it; on the CPU and in CUDA kernels.
#pragma once

#include "soft_outline/parts.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

template <class T>
INVGRAPH_HD inline Segment<T> segment_of(const FaceBatch& batch, int64_t b, const T* points, const int64_t* edges,
                                         const Part<T>& part) {
    const int64_t* edge = edges + 2 * static_cast<int64_t>(part.code >> 1);
    const T *p = points + 3 * (edge[0] + batch.vertex_offset(b)), *q = points + 3 * (edge[1] + batch.vertex_offset(b));
    const T dx = q[0] - p[0], dy = q[1] - p[1];
    Segment<T> segment;
    segment.px = p[0] + part.t[0] * dx, segment.py = p[1] + part.t[0] * dy;
    segment.vx = (part.t[1] - part.t[0]) * dx, segment.vy = (part.t[1] - part.t[0]) * dy;
    const T length2 = segment.vx * segment.vx + segment.vy * segment.vy;
    segment.inverse = length2 >= std::numeric_limits<T>::min() ? 1 / length2 : 0;
    return segment;
}

// Empty for a segment that is not a number (an edge of the caller's that is none of its face's); hence the order in maximum.
template <class T>
INVGRAPH_HD inline PixelBox pixels_near(const Segment<T>& segment, T reach, int height, int width) {
    auto low = [&](T v, T w, int size) {
        const T from = std::ceil(minimum(v, v + w) - reach - T(0.5));
        return static_cast<int>(minimum(maximum(from, T(0)), T(size)));
    };
    auto high = [&](T v, T w, int size) {
        const T to = std::floor(maximum(v, v + w) + reach - T(0.5));
        return static_cast<int>(minimum(maximum(to, T(-1)), T(size - 1)));
    };
    return {low(segment.px, segment.vx, width), high(segment.px, segment.vx, width),
            low(segment.py, segment.vy, height), high(segment.py, segment.vy, height)};
}

// The side of a face that crosses the edge at fraction t: its corners' numbers k and k + 1, or -1.
template <class T>
INVGRAPH_HD inline int crossing_side(const OutlineEdge<T>& edge, const T x[3], const T y[3], T t) {
    int side = -1;
    T least = std::numeric_limits<T>::infinity();
    for (int k = 0; k < 3; ++k) {
        const int n = next_corner(k);
        const T fa = signed_area(x[k], y[k], x[n], y[n], edge.ax, edge.ay);
        const T fb = signed_area(x[k], y[k], x[n], y[n], edge.bx, edge.by);
        if ((fa < 0) == (fb < 0)) continue;
        const T off = std::abs(fa / (fa - fb) - t);
        if (off < least) least = off, side = k;
    }
    return side;
}

// How a pixel's alpha pulls on the outline: on its edge at the fraction where the nearest point lies and, where that is a
// crossing with a side of a face (the corners `side` and the next), on that side at fraction t.
template <class T>
struct Pull {
    T on_edge[2], on_side[2], t;
    int side;  // -1: none
};

// code, face, fraction: of the nearest point, as in soft_outline.h; (cx, cy): the pixel's centre.
template <class T>
INVGRAPH_HD inline Pull<T> pull_of(const FaceBatch& batch, int64_t b, const T* points, const int64_t* edges, int32_t code,
                                   int32_t face, T fraction, T cx, T cy, bool covered, T grad_alpha, T scale) {
    const OutlineEdge<T> edge = edge_of(batch, b, points, edges, code);
    const T x = edge.ax + fraction * (edge.bx - edge.ax), y = edge.ay + fraction * (edge.by - edge.ay);
    const T distance = std::sqrt((cx - x) * (cx - x) + (cy - y) * (cy - y));
    T ux, uy;
    inward_direction(edge, x, y, cx, cy, covered, ux, uy);
    const T strength = -grad_alpha * outline_profile_slope(distance, scale), gx = strength * ux, gy = strength * uy;
    Pull<T> pull{{gx, gy}, {0, 0}, 0, -1};
    if (face < 0) return pull;
    int64_t corner[3];
    batch.corners(b, face, corner);
    const T fx[3] = {points[3 * corner[0]], points[3 * corner[1]], points[3 * corner[2]]};
    const T fy[3] = {points[3 * corner[0] + 1], points[3 * corner[1] + 1], points[3 * corner[2] + 1]};
    const int k = crossing_side(edge, fx, fy, fraction);
    if (k < 0) return pull;
    const int n = next_corner(k);
    const OutlineEdge<T> other{fx[k], fy[k], fx[n], fy[n], T(1)};
    const T ex = fx[n] - fx[k], ey = fy[n] - fy[k];
    T on_edge[2];
    if (!split_pull(edge, other, gx, gy, on_edge, pull.on_side)) return pull;
    pull.on_edge[0] = on_edge[0], pull.on_edge[1] = on_edge[1];
    pull.t = ((x - fx[k]) * ex + (y - fy[k]) * ey) / (ex * ex + ey * ey);
    pull.side = k;
    return pull;
}

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
