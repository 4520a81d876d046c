// The math of one edge, one face and one pixel for the soft outline; numbers, or vectors of them where V is written;
// for the CPU and for CUDA kernels.
#pragma once

#include "common/numbers.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// A silhouette edge from a to b, and the side of it on which its faces lie (the sign of cross(b - a, p - a) there).
template <class T>
struct OutlineEdge {
    T ax, ay, bx, by;
    T side;
};

// The interval of an edge that a face hides, and the face's sides that it ends at (-1: the edge's own end).
template <class T>
struct Hidden {
    T low, high;
    int low_side, high_side;
};

// cross(q - p, c - p), and exactly 0 where c is p or q, computed alike (up to the sign) for p -> q and q -> p.
template <class T>
INVGRAPH_HD inline T signed_area(T px, T py, T qx, T qy, T cx, T cy) {
    if ((cx == px && cy == py) || (cx == qx && cy == qy)) return 0;
    const bool swap = qx < px || (qx == px && qy < py);
    const T x = swap ? qx : px, y = swap ? qy : py;
    const T dx = swap ? px - qx : qx - px, dy = swap ? py - qy : qy - py;
    const T area = dx * (cy - y) - dy * (cx - x);
    return swap ? -area : area;
}

// Where the edge, moved outwards by nothing at all, runs inside the triangle x, y; false where it does not.
// An edge that runs along a side of the triangle is hidden by it if the triangle lies on the edge's outer side. Of edges
// that coincide but for rounding none may hide another, or no outline would be left: `least`, a fraction of the edge's
// length, is how far apart two lines may lie and still count as one.
template <class T>
INVGRAPH_HD inline bool hidden_by(const OutlineEdge<T>& edge, const T x[3], const T y[3], T least, Hidden<T>& hidden) {
    const T turn = (x[1] - x[0]) * (y[2] - y[0]) - (y[1] - y[0]) * (x[2] - x[0]);
    if (!(turn != 0)) return false;
    const T orientation = turn > 0 ? T(1) : T(-1);
    const T slack = minimum(least, T(0.01)) * maximum(std::abs(edge.bx - edge.ax), std::abs(edge.by - edge.ay));
    hidden = {T(0), T(1), -1, -1};
    for (int k = 0; k < 3; ++k) {
        const int n = k == 2 ? 0 : k + 1;
        const T fa = orientation * signed_area(x[k], y[k], x[n], y[n], edge.ax, edge.ay);
        const T fb = orientation * signed_area(x[k], y[k], x[n], y[n], edge.bx, edge.by);
        const T ex = x[n] - x[k], ey = y[n] - y[k], same = slack * maximum(std::abs(ex), std::abs(ey));
        if (std::abs(fa) <= same && std::abs(fb) <= same) {
            // the same line: inside is outwards of the edge if the two run in opposite senses about it
            const T along = ex * (edge.bx - edge.ax) + ey * (edge.by - edge.ay);
            if (along * orientation * edge.side >= 0) return false;
        } else if (fa <= 0 && fb <= 0) {
            return false;
        } else if (fa < 0) {
            const T t = fa / (fa - fb);
            if (t > hidden.low) hidden.low = t, hidden.low_side = k;
        } else if (fb < 0) {
            const T t = fa / (fa - fb);
            if (t < hidden.high) hidden.high = t, hidden.high_side = k;
        }
    }
    return hidden.low < hidden.high;
}

// A straight part of the outline, ready for distances: p + s v, s in [0, 1].
template <class T>
struct Segment {
    T px, py, vx, vy;
    T inverse;  // 1 / |v|^2, 0 for no length
};

// Squared distance from (x, y) to the segment; s: where on it the nearest point lies.
template <class T, class V>
INVGRAPH_HD inline V squared_distance(const Segment<T>& segment, V x, V y, V& s) {
    const V dx = x - segment.px, dy = y - segment.py;
    s = (dx * segment.vx + dy * segment.vy) * segment.inverse;
    s = minimum(maximum(s, V{} + T(0)), V{} + T(1));
    const V rx = dx - s * segment.vx, ry = dy - s * segment.vy;
    return rx * rx + ry * ry;
}

// The profile: alpha where the outline is at distance `distance` >= 0, in units of `scale` (soft_outline.h), and its
// derivative with respect to the signed distance, which is even.
template <class T>
INVGRAPH_HD inline T outline_profile(T distance, T scale, bool covered) {
    const T tail = T(0.5) * std::exp(-distance / scale);
    return covered ? 1 - tail : tail;
}
template <class T>
INVGRAPH_HD inline T outline_profile_slope(T distance, T scale) {
    return T(0.5) / scale * std::exp(-distance / scale);
}

// How alpha pulls on the outline's nearest point (x, y) from pixel centre (cx, cy): the unit vector u into the union, so
// that d (signed distance) / d (point) = -u. Taken from the edge where the point is too near for a direction of its own.
template <class T>
INVGRAPH_HD inline void inward_direction(const OutlineEdge<T>& edge, T x, T y, T cx, T cy, bool covered, T& ux, T& uy) {
    const T rx = covered ? cx - x : x - cx, ry = covered ? cy - y : y - cy, r = std::sqrt(rx * rx + ry * ry);
    if (r > T(1e-3)) {
        ux = rx / r, uy = ry / r;
        return;
    }
    const T dx = edge.bx - edge.ax, dy = edge.by - edge.ay, length = std::sqrt(dx * dx + dy * dy);
    ux = -dy / length * edge.side, uy = dx / length * edge.side;
}

// Splits a pull (gx, gy) on the crossing of two lines into one along each line's normal: a crossing follows both.
// false where they are so nearly parallel that the crossing has no use as a point of both.
template <class T>
INVGRAPH_HD inline bool split_pull(const OutlineEdge<T>& one, const OutlineEdge<T>& two, T gx, T gy, T on_one[2], T on_two[2]) {
    T ox = one.ay - one.by, oy = one.bx - one.ax, tx = two.ay - two.by, ty = two.bx - two.ax;
    const T o = std::sqrt(ox * ox + oy * oy), t = std::sqrt(tx * tx + ty * ty);
    ox /= o, oy /= o, tx /= t, ty /= t;
    const T sine = ox * ty - oy * tx;
    if (!(std::abs(sine) > T(0.01))) return false;
    const T on_o = (gx * ty - gy * tx) / sine, on_t = (ox * gy - oy * gx) / sine;
    on_one[0] = on_o * ox, on_one[1] = on_o * oy;
    on_two[0] = on_t * tx, on_two[1] = on_t * ty;
    return true;
}

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
