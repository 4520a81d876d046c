// The math of one triangle and one pixel, for a number or a vector of numbers V, on the CPU and in CUDA kernels.
#pragma once

#include "common/numbers.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

INVGRAPH_HD constexpr int next_corner(int k) { return k == 2 ? 0 : k + 1; }

// Coordinates above this limit (pixels) would overflow a float's square: such a face is not drawn.
constexpr double kCoordinateLimit = 1e15;

// Nor is a face with a depth outside of these: 1 / z and its products would overflow.
constexpr double kNearestDepth = 1e-15, kFarthestDepth = 1e15;

template <class T>
INVGRAPH_HD inline bool drawable_depth(T z) {
    return z > static_cast<T>(kNearestDepth) && z < static_cast<T>(kFarthestDepth);  // false for NaN
}

// A triangle in the image plane, ready for point queries.
template <class T>
struct Triangle {
    T x[3], y[3];    // corners
    T ex[3], ey[3];  // edge k runs from corner k to corner k+1
    T inverse[3];    // 1 / |edge|^2, 0 for an edge of no length
    T orientation;   // +1, -1, or 0 for a triangle of no area: sign of the cross product of its edges

    // false if the triangle has a coordinate that is not finite or beyond the limit
    INVGRAPH_HD bool set(const T* points, int64_t stride, const int64_t corner[3]) {
        bool drawable = true;
        for (int k = 0; k < 3; ++k) {
            x[k] = points[stride * corner[k]];
            y[k] = points[stride * corner[k] + 1];
            drawable &= std::abs(x[k]) < static_cast<T>(kCoordinateLimit);  // false for NaN
            drawable &= std::abs(y[k]) < static_cast<T>(kCoordinateLimit);
        }
        return drawable;
    }
    INVGRAPH_HD void prepare() {
        for (int k = 0; k < 3; ++k) {
            ex[k] = x[next_corner(k)] - x[k];
            ey[k] = y[next_corner(k)] - y[k];
            const T length2 = ex[k] * ex[k] + ey[k] * ey[k];
            inverse[k] = length2 > 0 ? 1 / length2 : 0;
        }
        const T area = ex[0] * ey[1] - ey[0] * ex[1];
        orientation = static_cast<T>((area > 0) - (area < 0));
    }
};

template <class T, class V>
INVGRAPH_HD inline void edge_offset(const Triangle<T>& tri, int k, V px, V py, V& t, V& rx, V& ry, V& cross) {
    const V dx = px - tri.x[k], dy = py - tri.y[k];
    t = (dx * tri.ex[k] + dy * tri.ey[k]) * tri.inverse[k];
    t = minimum(maximum(t, V{} + T(0)), V{} + T(1));
    rx = dx - t * tri.ex[k];
    ry = dy - t * tri.ey[k];
    cross = (tri.ex[k] * dy - tri.ey[k] * dx) * tri.orientation;
}

// Squared distance to the outline, positive inside and negative outside: sigma times the x_f of soft_silhouette.h.
template <class T, class V>
INVGRAPH_HD inline V signed_squared_distance(const Triangle<T>& tri, V px, V py) {
    V t, rx, ry, inside, cross;
    edge_offset(tri, 0, px, py, t, rx, ry, inside);
    V d2 = rx * rx + ry * ry;
    for (int k = 1; k < 3; ++k) {
        edge_offset(tri, k, px, py, t, rx, ry, cross);
        d2 = minimum(d2, rx * rx + ry * ry);
        inside = minimum(inside, cross);
    }
    return select(inside > V{}, d2, -d2);
}

// The same with what its gradient needs: the offset r from the nearest point and that point's weights on the corners.
// d (d^2) / d corner_j = -2 weight_j r (the nearest point is a minimum, so its own motion along the edge adds nothing).
template <class T, class V>
INVGRAPH_HD inline V signed_squared_distance(const Triangle<T>& tri, V px, V py, V& rx, V& ry, V weight[3]) {
    V t, inside, cross;
    edge_offset(tri, 0, px, py, t, rx, ry, inside);
    V d2 = rx * rx + ry * ry;
    weight[0] = T(1) - t;
    weight[1] = t;
    weight[2] = V{};
    for (int k = 1; k < 3; ++k) {
        V sx, sy;
        edge_offset(tri, k, px, py, t, sx, sy, cross);
        const V s2 = sx * sx + sy * sy;
        const auto nearer = s2 < d2;
        d2 = select(nearer, s2, d2);
        rx = select(nearer, sx, rx);
        ry = select(nearer, sy, ry);
        weight[k] = select(nearer, T(1) - t, weight[k]);
        weight[next_corner(k)] = select(nearer, t, weight[next_corner(k)]);
        weight[k == 1 ? 0 : 1] = select(nearer, V{}, weight[k == 1 ? 0 : 1]);
        inside = minimum(inside, cross);
    }
    return select(inside > V{}, d2, -d2);
}

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
