// One silhouette edge and the gaps between pixel centres that it crosses.
#pragma once

#include "common/faces.h"
#include "common/triangle.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// An edge in one image, seen along the axis in which it is crossed: `across` is x for a steep edge, which crosses rows,
// and y for a flat one, which crosses columns; `along` is the other coordinate.
template <class T>
struct Crossing {
    int axis;  // 0: gaps between columns (across = x), 1: gaps between rows (across = y)
    const T* a;
    const T* b;

    INVGRAPH_HD Crossing(const T* points, int64_t corner_a, int64_t corner_b)
        : a(points + 3 * corner_a), b(points + 3 * corner_b) {
        axis = std::abs(b[1] - a[1]) >= std::abs(b[0] - a[0]) ? 0 : 1;
    }
    INVGRAPH_HD T slope() const { return (b[axis] - a[axis]) / (b[1 - axis] - a[1 - axis]); }
    // where on the edge (0 at a, 1 at b) the centre line at coordinate `along` meets it
    INVGRAPH_HD T fraction(T along) const { return (along - a[1 - axis]) / (b[1 - axis] - a[1 - axis]); }
    INVGRAPH_HD T across(T along) const { return a[axis] + (along - a[1 - axis]) * slope(); }
    // distance from the inner pixel's centre to the crossing, in the gap that begins at pixel `first`
    INVGRAPH_HD T distance(T along, int first, bool first_is_inner) const {
        const T d = across(along) - (first + T(0.5));
        return minimum(maximum(first_is_inner ? d : 1 - d, T(0)), T(1));
    }
};

// +1 if the face runs counter-clockwise in (u, v), -1 clockwise, 0 if rasterize does not draw it.
template <class T>
INVGRAPH_HD inline int8_t facing(const T* points, const int64_t corner[3]) {
    Triangle<T> tri;
    bool drawn = tri.set(points, 3, corner);
    for (int k = 0; k < 3; ++k) drawn &= drawable_depth(points[3 * corner[k] + 2]);
    if (!drawn) return 0;
    const T area = (tri.x[1] - tri.x[0]) * (tri.y[2] - tri.y[0]) - (tri.y[1] - tri.y[0]) * (tri.x[2] - tri.x[0]);
    return area >= 0 ? 1 : -1;
}

// The side of edge a -> b (+1 or -1, the sign of cross(b - a, p - a) there) on which a face of it lies that runs `facing`.
INVGRAPH_HD inline int side_of(const int64_t* corner, const int64_t* edge, int facing) {
    // no branches: what they would go by is random
    const bool along = ((corner[0] == edge[0]) & (corner[1] == edge[1])) | ((corner[1] == edge[0]) & (corner[2] == edge[1])) |
                       ((corner[2] == edge[0]) & (corner[0] == edge[1]));
    return along ? facing : -facing;
}

// The side on which an edge's faces lie, given each one's (0: not drawn); 0 for no silhouette.
INVGRAPH_HD inline int common_side(int one, int two) {
    if (one == 0 || two == 0) return one + two;
    return one == two ? one : 0;
}

// Whether the left or upper pixel of the edge's gaps is the inner one.
template <class T>
INVGRAPH_HD inline bool first_is_inner(const Crossing<T>& line, int side) {
    const T d = line.b[1 - line.axis] - line.a[1 - line.axis];
    return (line.axis == 0 ? d : -d) * side > 0;
}

// The centre lines [from, to) that the edge crosses, of those in [lowest, end): centres in [begin, end) of the edge, so
// that where two edges meet on a centre line one of them crosses it.
template <class T>
INVGRAPH_HD inline void crossed_lines(const Crossing<T>& line, int lowest, int end, int& from, int& to) {
    const T one = line.a[1 - line.axis], two = line.b[1 - line.axis];
    from = static_cast<int>(minimum(maximum(std::ceil(minimum(one, two) - T(0.5)), T(lowest)), T(end)));
    to = static_cast<int>(minimum(maximum(std::ceil(maximum(one, two) - T(0.5)), T(lowest)), T(end)));
}

// The gap between two pixels in which the edge crosses centre line i: its first pixel, in [lowest, end), or -1.
template <class T>
INVGRAPH_HD inline int gap_at(const Crossing<T>& line, int i, int lowest, int end) {
    const T position = line.across(i + T(0.5)) - T(0.5);
    return position >= T(lowest) && position < T(end) ? static_cast<int>(std::floor(position)) : -1;
}

// The pixel at which the gap begins, among those of the image.
template <class T>
INVGRAPH_HD inline int64_t gap_pixel(const Crossing<T>& line, int i, int first, int width) {
    return line.axis == 0 ? static_cast<int64_t>(i) * width + first : static_cast<int64_t>(first) * width + i;
}

// Whether the gap's outer pixel shows something farther than the edge and than its inner pixel.
template <class T>
INVGRAPH_HD inline bool outlines(const Crossing<T>& line, bool inner_first, int i, int64_t at, int width, const T* depth) {
    const int64_t next = at + (line.axis == 0 ? 1 : width);
    const T inner = depth[inner_first ? at : next], outer = depth[inner_first ? next : at];
    const T s = line.fraction(i + T(0.5)), nearness = (1 - s) / line.a[2] + s / line.b[2];
    return inner < outer && nearness * outer > 1;
}

// A gap's two pixels and how much the one takes of the other.
template <class T>
struct Blend {
    int64_t taker, giver;  // pixels
    T weight, rate;        // rate: d weight / d crossing position
    T along;
};

template <class T>
INVGRAPH_HD inline Blend<T> blend_at(const Crossing<T>& line, int32_t code, int y, int x, int width) {
    const bool first_is_inner = code & 1;
    const int first = line.axis == 0 ? x : y;
    const T along = (line.axis == 0 ? y : x) + T(0.5), t = line.distance(along, first, first_is_inner);
    const int64_t lower = static_cast<int64_t>(y) * width + x, upper = lower + (line.axis == 0 ? 1 : width);
    const int64_t inner = first_is_inner ? lower : upper, outer = first_is_inner ? upper : lower;
    const T toward_outer = first_is_inner ? T(1) : T(-1);
    if (t < T(0.5)) return {inner, outer, T(0.5) - t, -toward_outer, along};
    return {outer, inner, t - T(0.5), toward_outer, along};
}

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
