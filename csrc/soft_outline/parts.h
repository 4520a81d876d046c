// Parts of silhouette edges: those that may be outline, and what other faces leave of them; on the CPU and in CUDA kernels.
#pragma once

#include "antialias/crossing.h"
#include "common/faces.h"
#include "common/pixel_box.h"
#include "soft_outline/cells.h"
#include "soft_outline/outline_math.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// The part of a silhouette edge between fractions t[0] < t[1] of its length.
template <class T>
struct Part {
    int32_t code;     // 2 * edge + (1 if the side of its faces is positive)
    int32_t face[2];  // the image's face that hides what lies beyond either end; -1 where the edge itself ends or goes on
    T t[2];
};

// A part of a silhouette edge that runs through open cells of one tile: outline, but for what the tile's faces hide.
template <class T>
struct Candidate {
    int32_t code, tile;
    T t0, t1;
};

template <class T>
INVGRAPH_HD inline OutlineEdge<T> edge_of(const FaceBatch& batch, int64_t b, const T* points, const int64_t* edges,
                                          int32_t code) {
    const int64_t* edge = edges + 2 * static_cast<int64_t>(code >> 1);
    const T *p = points + 3 * (edge[0] + batch.vertex_offset(b)), *q = points + 3 * (edge[1] + batch.vertex_offset(b));
    return {p[0], p[1], q[0], q[1], code & 1 ? T(1) : T(-1)};
}

// Whether an edge has a length and comes within `margin` of the image.
template <class T>
INVGRAPH_HD inline bool may_outline(const OutlineEdge<T>& e, int height, int width, T margin) {
    return maximum(e.ax, e.bx) >= -margin && minimum(e.ax, e.bx) <= width + margin && maximum(e.ay, e.by) >= -margin &&
           minimum(e.ay, e.by) <= height + margin && (e.ax != e.bx || e.ay != e.by);
}

// The cells that a face's box touches, counted from cell -1 as tiles are; false (and none) if it is not drawn or lies
// beyond the margin.
template <class T>
INVGRAPH_HD inline bool cells_of_face(const T* points, const int64_t corner[3], int height, int width, T margin,
                                      PixelBox& box) {
    box = {0, -1, 0, -1};
    if (facing(points, corner) == 0) return false;
    const T *p = points + 3 * corner[0], *q = points + 3 * corner[1], *r = points + 3 * corner[2];
    const T x0 = minimum(minimum(p[0], q[0]), r[0]), x1 = maximum(maximum(p[0], q[0]), r[0]);
    const T y0 = minimum(minimum(p[1], q[1]), r[1]), y1 = maximum(maximum(p[1], q[1]), r[1]);
    if (!(x1 >= -margin && x0 <= width + margin && y1 >= -margin && y0 <= height + margin)) return false;
    using Grid = CellGrid<T>;
    box = {Grid::index(x0, width) + 1, Grid::index(x1, width) + 1, Grid::index(y0, height) + 1,
           Grid::index(y1, height) + 1};
    return true;
}

// visit(part) for the parts of a candidate that none of its tile's faces hides, in order along the edge. What rounding
// leaves between two faces, or between a face and the candidate's end, is hidden too: parts shorter than `least`, a
// fraction of the edge's length.
template <class T, class Visit>
INVGRAPH_HD inline void visible_parts(const FaceBatch& batch, int64_t b, const T* points, const int64_t* edge_faces,
                                      const OutlineEdge<T>& edge, const Candidate<T>& candidate, const int32_t* faces,
                                      int64_t face_count, T least, const Visit& visit) {
    const int64_t* own = edge_faces + 2 * static_cast<int64_t>(candidate.code >> 1);
    const T ax = edge.ax + candidate.t0 * (edge.bx - edge.ax), bx = edge.ax + candidate.t1 * (edge.bx - edge.ax);
    const T ay = edge.ay + candidate.t0 * (edge.by - edge.ay), by = edge.ay + candidate.t1 * (edge.by - edge.ay);
    const T x0 = minimum(ax, bx), x1 = maximum(ax, bx), y0 = minimum(ay, by), y1 = maximum(ay, by);
    auto each_hidden = [&](auto&& body) {
        for (int64_t n = 0; n < face_count; ++n) {
            int64_t corner[3];
            batch.corners(b, faces[n], corner);
            const T *p = points + 3 * corner[0], *q = points + 3 * corner[1], *r = points + 3 * corner[2];
            const T x[3] = {p[0], q[0], r[0]}, y[3] = {p[1], q[1], r[1]};
            if (maximum(maximum(x[0], x[1]), x[2]) < x0 || minimum(minimum(x[0], x[1]), x[2]) > x1 ||
                maximum(maximum(y[0], y[1]), y[2]) < y0 || minimum(minimum(y[0], y[1]), y[2]) > y1)
                continue;
            const int64_t face = batch.first(b) + faces[n];
            if (face == own[0] || face == own[1]) continue;
            Hidden<T> hidden;
            if (hidden_by(edge, x, y, least, hidden) && hidden.low < candidate.t1 && hidden.high > candidate.t0)
                body(faces[n], hidden);
        }
    };
    T at = candidate.t0;
    int32_t before = -1;
    while (true) {
        bool moved = true, touched = false;
        while (moved) {
            moved = false;
            each_hidden([&](int32_t face, const Hidden<T>& hidden) {
                touched = true;
                if (hidden.low > at + least || hidden.high <= at) return;
                at = hidden.high;
                before = hidden.high_side < 0 ? -1 : face;
                moved = true;
            });
        }
        if (!touched) break;  // the common case: nothing hides any of it
        if (at >= candidate.t1 - least) return;
        T next = candidate.t1;
        int32_t after = -1;
        each_hidden([&](int32_t face, const Hidden<T>& hidden) {
            if (hidden.low > at + least && hidden.low < next) next = hidden.low, after = face;
        });
        visit(Part<T>{candidate.code, {before, after}, {at, next}});
        if (next >= candidate.t1) return;
        at = next;
    }
    visit(Part<T>{candidate.code, {-1, -1}, {candidate.t0, candidate.t1}});
}

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
