// A triangle with depths: coverage, perspective-correct barycentrics and their gradient at one pixel.
#pragma once

#include "common/faces.h"
#include "common/triangle.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// A triangle with depths, ready for coverage tests.
template <class T>
struct DeepTriangle {
    Triangle<T> plane;
    T z[3], inverse_z[3];
    T relative[3], inverse_nearest;  // 1 / z by that of the nearest corner, at most 1; and that
    // edge k, opposite corner k, from its lexicographically smaller end; sign: whether the face runs it that way
    T ax[3], ay[3], dx[3], dy[3], sign[3];

    INVGRAPH_HD bool set(const T* points, const int64_t corner[3]) {
        bool drawable = plane.set(points, 3, corner);
        for (int k = 0; k < 3; ++k) {
            z[k] = points[3 * corner[k] + 2];
            drawable &= drawable_depth(z[k]);
        }
        return drawable;
    }
    INVGRAPH_HD void prepare() {
        for (int k = 0; k < 3; ++k) {
            const int a = next_corner(k), b = next_corner(a);
            const T x0 = plane.x[a], y0 = plane.y[a], x1 = plane.x[b], y1 = plane.y[b];
            const bool swap = (x1 < x0) | ((x1 == x0) & (y1 < y0));
            inverse_z[k] = 1 / z[k];
            sign[k] = swap ? T(-1) : T(1);
            ax[k] = swap ? x1 : x0, ay[k] = swap ? y1 : y0;
            dx[k] = (x1 - x0) * sign[k], dy[k] = (y1 - y0) * sign[k];
        }
        const T nearest = minimum(minimum(z[0], z[1]), z[2]);
        inverse_nearest = 1 / nearest;
        for (int k = 0; k < 3; ++k) relative[k] = nearest / z[k];
    }
    // Twice the signed area under edge k and the pixel.
    template <class V>
    INVGRAPH_HD V edge(int k, V px, V py) const {
        return dx[k] * (py - ay[k]) - dy[k] * (px - ax[k]);
    }
    // Whether the face covers a pixel's centre, and the edge functions in the face's own direction. A centre exactly on an
    // edge counts as on its left for both of its faces, so that one of them has it.
    INVGRAPH_HD bool covers(T px, T py, T e[3]) const {
        bool all = true, none = true;
        for (int k = 0; k < 3; ++k) {
            e[k] = edge(k, px, py);
            const bool positive = (e[k] >= 0) != (sign[k] < 0);
            all &= positive;
            none &= !positive;
            e[k] *= sign[k];
        }
        return all || none;
    }
    // 1 / depth where the edge functions are e, by which screen barycentrics are e_k / sum e. A mean of numbers up to 1:
    // an area times 1 / z might overflow.
    template <class V>
    INVGRAPH_HD V nearness(V e0, V e1, V e2) const {
        return (e0 * relative[0] + e1 * relative[1] + e2 * relative[2]) / (e0 + e1 + e2) * inverse_nearest;
    }
};

// Perspective-correct weights of a face's corners at a pixel centre; 0 for no face.
template <class T>
INVGRAPH_HD inline void barycentrics_at(const FaceBatch& batch, const T* points, int64_t b, int64_t face, T px, T py,
                                        T weights[3]) {
    weights[0] = weights[1] = weights[2] = 0;
    if (face < 0) return;
    int64_t corner[3];
    batch.corners(b, face, corner);
    DeepTriangle<T> tri;
    tri.set(points, corner);
    tri.prepare();
    T total = 0;
    for (int k = 0; k < 3; ++k) total += weights[k] = tri.edge(k, px, py) * tri.sign[k] * tri.relative[k];
    for (int k = 0; k < 3; ++k) weights[k] /= total;
}

// Adds one pixel's gradient to a face's nine numbers. With screen barycentrics w_k = e_k / area, 1/z_k = i_k and
// q = sum w_k i_k: depth = 1 / q and barycentric_k = w_k i_k / q.
template <class T>
INVGRAPH_HD inline void pixel_gradient(const DeepTriangle<T>& tri, T px, T py, const T* grad_barycentric, T grad_depth,
                                       T grad[9]) {
    T e[3], area = 0, q = 0;
    for (int k = 0; k < 3; ++k) area += e[k] = tri.edge(k, px, py) * tri.sign[k];
    for (int k = 0; k < 3; ++k) q += e[k] / area * tri.inverse_z[k];
    const T depth = 1 / q;
    T through_depth = grad_depth;
    for (int k = 0; k < 3; ++k) through_depth += grad_barycentric[k] * e[k] / area * tri.inverse_z[k];
    T grad_w[3], mean = 0;
    for (int k = 0; k < 3; ++k) {
        const T common = grad_barycentric[k] * depth - through_depth * depth * depth;
        grad_w[k] = common * tri.inverse_z[k];
        grad[3 * k + 2] -= common * e[k] / area * tri.inverse_z[k] * tri.inverse_z[k];
        mean += grad_w[k] * e[k] / area;
    }
    for (int k = 0; k < 3; ++k) {
        const int a = next_corner(k), b = next_corner(a);
        const T g = (grad_w[k] - mean) / area;  // with respect to e_k, the edge function of corners a and b
        grad[3 * a] += g * (tri.plane.y[b] - py);
        grad[3 * a + 1] += g * (px - tri.plane.x[b]);
        grad[3 * b] += g * (py - tri.plane.y[a]);
        grad[3 * b + 1] += g * (tri.plane.x[a] - px);
    }
}

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
