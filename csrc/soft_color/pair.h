// The math of soft colour for one face and one pixel, for a number or a vector of numbers V, on the CPU and in CUDA kernels.
#pragma once

#include "common/triangle.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// e^x and e^-x stay finite.
template <class T>
constexpr T kMaxExponent = sizeof(T) == 4 ? T(80) : T(700);

// A weight e^-this times the nearest face's is far below what the colour's last bit can show.
template <class T>
constexpr T kHidden = sizeof(T) == 4 ? T(32) : T(80);

// Where nearness counts, and how it is weighed: zhat = (far - z) / (far - near), clamped to [0, 1].
template <class T>
struct DepthRange {
    T far, scale;  // scale: 1 / (far - near)
    INVGRAPH_HD DepthRange(T near, T far_) : far(far_), scale(1 / (far_ - near)) {}
};

template <class T, class V>
INVGRAPH_HD inline V relative_nearness(const DepthRange<T>& range, V depth) {
    return minimum(maximum((range.far - depth) * range.scale, V{}), V{} + T(1));
}

// A triangle with depths, ready for point queries.
template <class T>
struct ColorTriangle {
    Triangle<T> plane;
    T inverse_z[3];
    T inverse_area;  // 1 / twice the signed area; 0 for a triangle of no area,
    T no_area;       // whose pixels all get 1/3 of each corner: 1/3 for such a one, else 0

    // false if the triangle is not drawn: a coordinate or a depth out of range
    INVGRAPH_HD bool set(const T* points, const int64_t corner[3]) {
        bool drawable = plane.set(points, 3, corner);
        for (int k = 0; k < 3; ++k) {
            const T z = points[3 * corner[k] + 2];
            drawable &= drawable_depth(z);
            inverse_z[k] = 1 / z;
        }
        return drawable;
    }
    INVGRAPH_HD void prepare() {
        plane.prepare();
        const T area = plane.ex[0] * plane.ey[1] - plane.ey[0] * plane.ex[1];
        const bool flat = !(std::abs(area) > T(1e-30));  // or its inverse might overflow
        inverse_area = flat ? 0 : 1 / area;
        no_area = flat ? T(1) / 3 : 0;
    }
    // No point of the face is nearer than its nearest corner.
    INVGRAPH_HD T largest_nearness(const DepthRange<T>& range) const {
        return relative_nearness(range, 1 / maximum(maximum(inverse_z[0], inverse_z[1]), inverse_z[2]));
    }
};

// What a pixel sees of a face's plane: barycentrics in the image clipped to [0, 1] and divided by their sum, as the Soft
// Rasterizer does, so that a pixel beside the face sees a point of the face.
template <class V>
struct PlanePoint {
    V screen[3];  // clipped and normalised barycentrics in the image
    V inside[3];  // 1 where the barycentric was not clipped, else 0: what its gradient is multiplied with
    V sum, inverse_sum;  // of the clipped ones
    V depth;
    V weight[3];  // the same point's barycentrics on the face itself: perspective-correct
};

template <class T, class V>
INVGRAPH_HD inline PlanePoint<V> plane_point(const ColorTriangle<T>& tri, V px, V py) {
    const Triangle<T>& t = tri.plane;
    V w[3];
    // edge k is opposite corner k + 2; the third is the rest to 1, so that one of them is always above 0
    for (int k = 1; k < 3; ++k)
        w[k - 1] = (t.ex[k] * (py - t.y[k]) - t.ey[k] * (px - t.x[k])) * tri.inverse_area + tri.no_area;
    w[2] = T(1) - w[0] - w[1];
    PlanePoint<V> at;
    at.sum = V{};
    const V one = V{} + T(1);
    for (int k = 0; k < 3; ++k) {
        at.screen[k] = minimum(maximum(w[k], V{}), one);  // NaN, from infinity - infinity, becomes 0
        at.inside[k] = select((w[k] > V{}) & (w[k] < one), one, V{});
        at.sum += at.screen[k];
        at.weight[k] = at.screen[k] * tri.inverse_z[k];
    }
    const V inverse = T(1) / (at.weight[0] + at.weight[1] + at.weight[2]);
    at.depth = at.sum * inverse;
    at.inverse_sum = T(1) / at.sum;
    for (int k = 0; k < 3; ++k) {
        at.screen[k] *= at.inverse_sum;
        at.weight[k] *= inverse;
    }
    return at;
}

// Adds to the nine numbers (u, v, z of each corner) the gradient of a pixel whose loss changes by grad_weight[k] with
// at.weight[k] and by grad_nearness with relative_nearness.
template <class T, class V>
INVGRAPH_HD inline void plane_point_gradient(const ColorTriangle<T>& tri, const DepthRange<T>& range, V px, V py,
                                             const PlanePoint<V>& at, const V grad_weight[3], V grad_nearness,
                                             V grad[9]) {
    const Triangle<T>& t = tri.plane;
    const V fraction = (range.far - at.depth) * range.scale;
    const V grad_depth = select((fraction > V{}) & (fraction < V{} + T(1)), grad_nearness * -range.scale, V{});
    // weight_k = screen_k i_k depth and depth = 1 / sum_k screen_k i_k, with i_k = 1 / z_k
    V through = grad_depth * at.depth;
    for (int k = 0; k < 3; ++k) through += grad_weight[k] * at.weight[k];
    V grad_screen[3], mean{};
    for (int k = 0; k < 3; ++k) {
        const V common = (grad_weight[k] - through) * at.depth * tri.inverse_z[k];
        grad[3 * k + 2] -= common * at.screen[k] * tri.inverse_z[k];
        grad_screen[k] = common;
        mean += common * at.screen[k];
    }
    // screen_k = clipped_k / sum
    V grad_w[3];
    for (int k = 0; k < 3; ++k) grad_w[k] = (grad_screen[k] - mean) * at.inverse_sum * at.inside[k];
    // w_k = cross_k / area, and the area is the sum of the three crosses: w_k changes with its own cross by (1 - w_k) / area
    // and with another by -w_k / area; only unclipped ones have a gradient, whose w_k is screen_k * sum
    V turn{};
    for (int k = 0; k < 3; ++k) turn += grad_w[k] * at.screen[k];
    turn *= at.sum;
    for (int k = 0; k < 3; ++k) {
        const int a = next_corner(k), b = next_corner(a);
        const V g = (grad_w[k] - turn) * tri.inverse_area;  // with respect to cross_k, of edge a -> b
        grad[3 * a] += g * (t.y[b] - py);
        grad[3 * a + 1] += g * (px - t.x[b]);
        grad[3 * b] += g * (py - t.y[a]);
        grad[3 * b + 1] += g * (t.x[a] - px);
    }
}

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
