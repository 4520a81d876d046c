// The outline of a triangle as three lines, each with its own axes: `across`, positive inside, and `along` from the middle
// of the edge. Both change linearly from pixel to pixel, so that a distance takes few operations.
#pragma once

#include "common/face_group.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// Of a group of faces, one a lane.
template <class T>
struct EdgeLines {
    alignas(kVectorBytes) T x[3][kLanes<T>], y[3][kLanes<T>];    // the corner where edge k begins; it ends at corner k + 1
    alignas(kVectorBytes) T dx[3][kLanes<T>], dy[3][kLanes<T>];  // its direction, of length 1
    alignas(kVectorBytes) T half[3][kLanes<T>];                  // half its length
    alignas(kVectorBytes) T side[kLanes<T>];                     // +1 or -1: across = side * (dx Y - dy X)
    alignas(kVectorBytes) T least[kLanes<T>];  // inside if across exceeds this everywhere: 0; a face of no area has infinity

    void set(const FaceGroup<T, 2>& group) {
        const Vec<T> zero{}, one = zero + T(1);
        Vec<T> ex[3], ey[3];
        VecInt<T> flat{};
        for (int k = 0; k < 3; ++k) {
            const int next = next_corner(k);
            ex[k] = group.at(next, 0) - group.at(k, 0);
            ey[k] = group.at(next, 1) - group.at(k, 1);
            alignas(kVectorBytes) T length[kLanes<T>];
            store(length, ex[k] * ex[k] + ey[k] * ey[k]);
            for (int i = 0; i < kLanes<T>; ++i) length[i] = std::sqrt(length[i]);
            const auto none = !(load(length) > zero);
            flat |= none;
            const Vec<T> inverse = one / select(none, one, load(length));
            store(x[k], group.at(k, 0));
            store(y[k], group.at(k, 1));
            store(dx[k], select(none, one, ex[k] * inverse));  // an edge of no length is a point
            store(dy[k], select(none, zero, ey[k] * inverse));
            store(half[k], select(none, zero, load(length) * T(0.5)));
        }
        const Vec<T> area = ex[0] * ey[1] - ey[0] * ex[1];
        flat |= area == zero;
        store(side, select(area < zero, -one, one));
        store(least, select(flat, broadcast(std::numeric_limits<T>::infinity()), zero));
    }
};

// Those of one face at the pixels of a block, for all rows of blocks below one another.
template <class T>
struct EdgeWalk {
    Vec<T> across[3], along[3], across_down[3], along_down[3], half[3], least;

    // px, py: pixel centres of the first block
    EdgeWalk(const EdgeLines<T>& lines, int face, T first_x, T first_y, Vec<T> columns, Vec<T> rows) {
        const T side = lines.side[face];
        for (int k = 0; k < 3; ++k) {
            const T dx = lines.dx[k][face], dy = lines.dy[k][face];
            const T X = first_x - lines.x[k][face], Y = first_y - lines.y[k][face];
            across_down[k] = broadcast(side * dx);
            along_down[k] = broadcast(dy);
            across[k] = columns * (-side * dy) + (rows * (side * dx) + side * (dx * Y - dy * X));
            along[k] = columns * dx + (rows * dy + (dx * X + dy * Y - lines.half[k][face]));
            half[k] = broadcast(lines.half[k][face]);
        }
        least = broadcast(lines.least[face]);
    }
};

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
