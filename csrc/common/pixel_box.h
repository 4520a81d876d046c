// The box of pixels that a triangle can touch.
#pragma once

#include "common/triangle.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// inclusive ranges of pixels; empty when x1 < x0
struct PixelBox {
    int x0, x1, y0, y1;
    INVGRAPH_HD bool empty() const { return x1 < x0 || y1 < y0; }
};

// The pixels whose centres lie within `margin` of the triangle's box.
template <class T>
INVGRAPH_HD PixelBox pixels_within(const Triangle<T>& tri, T margin, int height, int width) {
    auto low = [&](const T v[3], int size) {
        const T first = std::ceil(minimum(minimum(v[0], v[1]), v[2]) - margin - T(0.5));
        return static_cast<int>(minimum(maximum(first, T(0)), T(size)));
    };
    auto high = [&](const T v[3], int size) {
        const T last = std::floor(maximum(maximum(v[0], v[1]), v[2]) + margin - T(0.5));
        return static_cast<int>(minimum(maximum(last, T(-1)), T(size - 1)));
    };
    return {low(tri.x, width), high(tri.x, width), low(tri.y, height), high(tri.y, height)};
}

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
