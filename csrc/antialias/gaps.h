// The gaps of one image and what they do to its pixels, looked up pixel by pixel: rows are blended first, then columns.
// A pixel has two gaps of either axis, so that no intermediate picture is needed.
#pragma once

#include <limits>

#include "antialias/crossing.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// The image to blend, or its gradient; without values the mask: 1 where there is a depth, 0 on background.
template <class T>
struct Pixels {
    const T* values;  // (pixels, channels) or null
    const T* depth;   // (pixels)
    int channels;

    INVGRAPH_HD T operator()(int64_t pixel, int c) const {
        return values ? values[pixel * channels + c] : T(depth[pixel] < std::numeric_limits<T>::infinity());
    }
};

template <class T>
struct Gaps {
    const T* points;
    const int64_t* edges;     // (E, 2)
    int64_t offset;           // of the image's points
    const int32_t* crossing;  // (2, height, width), of the image
    int height, width;

    INVGRAPH_HD Crossing<T> line(int64_t edge) const {
        return Crossing<T>(points, edges[2 * edge] + offset, edges[2 * edge + 1] + offset);
    }
    // The blend across the gap that begins at pixel (y, x), or false.
    INVGRAPH_HD bool blend(int axis, int y, int x, Blend<T>& out) const {
        if (y < 0 || x < 0) return false;
        const int32_t code = crossing[(static_cast<int64_t>(axis) * height + y) * width + x];
        if (code < 0) return false;
        out = blend_at(line(code >> 1), code, y, x, width);
        return true;
    }
    // Either gap of a pixel: the one before it (0) or the one that begins at it (1).
    INVGRAPH_HD bool blend_beside(int64_t pixel, int axis, int which, Blend<T>& out) const {
        const int y = static_cast<int>(pixel / width), x = static_cast<int>(pixel % width), back = 1 - which;
        return blend(axis, axis == 1 ? y - back : y, axis == 0 ? x - back : x, out);
    }
    // value(pixel, channel) with what the pixel takes across its gaps of one axis
    template <class Value>
    INVGRAPH_HD T blended(int axis, int64_t pixel, int c, const Value& value) const {
        const T own = value(pixel, c);
        T result = own;
        for (int which = 0; which < 2; ++which) {
            Blend<T> m;
            if (blend_beside(pixel, axis, which, m) && m.taker == pixel) result += m.weight * (value(m.giver, c) - own);
        }
        return result;
    }
    // The transpose of that: the pixel's gradient, given grad(pixel, channel) of what was blended.
    template <class Grad>
    INVGRAPH_HD T unblended(int axis, int64_t pixel, int c, const Grad& grad) const {
        T result = grad(pixel, c);
        for (int which = 0; which < 2; ++which) {
            Blend<T> m;
            if (!blend_beside(pixel, axis, which, m)) continue;
            if (m.taker == pixel) result -= m.weight * grad(pixel, c);
            else result += m.weight * grad(m.taker, c);
        }
        return result;
    }
};

// The picture after its rows were blended.
template <class T>
struct Rows {
    Gaps<T> gaps;
    Pixels<T> image;
    INVGRAPH_HD T operator()(int64_t pixel, int c) const { return gaps.blended(0, pixel, c, image); }
};

// The gradient of that, given the gradient of the result.
template <class T>
struct GradRows {
    Gaps<T> gaps;
    Pixels<T> grad_out;
    INVGRAPH_HD T operator()(int64_t pixel, int c) const { return gaps.unblended(1, pixel, c, grad_out); }
};

// d loss / d blend weight of a gap, summed over the channels
template <class T, class Value, class Grad>
INVGRAPH_HD inline T weight_gradient(const Blend<T>& m, int channels, const Value& value, const Grad& grad) {
    T sum = 0;
    for (int c = 0; c < channels; ++c) sum += grad(m.taker, c) * (value(m.giver, c) - value(m.taker, c));
    return sum;
}

// The same for a gap of either axis: where rows are crossed the image gives and the columns stand above.
template <class T>
INVGRAPH_HD inline T weight_gradient(const Gaps<T>& gaps, int axis, const Blend<T>& m, const Pixels<T>& image,
                                     const Pixels<T>& grad_out) {
    return axis == 0 ? weight_gradient(m, image.channels, image, GradRows<T>{gaps, grad_out})
                     : weight_gradient(m, image.channels, Rows<T>{gaps, image}, grad_out);
}

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
