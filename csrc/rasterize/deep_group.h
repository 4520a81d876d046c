// DeepTriangle for a group of faces, one a lane.
#pragma once

#include "common/face_group.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

template <class T>
struct DeepGroup {
    // edge k, opposite corner k, from its lexicographically smaller end; sign: whether the face runs it that way
    alignas(kVectorBytes) T ax[3][kLanes<T>], ay[3][kLanes<T>], dx[3][kLanes<T>], dy[3][kLanes<T>], sign[3][kLanes<T>];
    alignas(kVectorBytes) T inverse_z[3][kLanes<T>];

    void set(const FaceGroup<T, 3>& group) {
        const Vec<T> one = Vec<T>{} + T(1);
        for (int k = 0; k < 3; ++k) {
            const int a = next_corner(k), b = next_corner(a);
            const Vec<T> x0 = group.at(a, 0), y0 = group.at(a, 1), x1 = group.at(b, 0), y1 = group.at(b, 1);
            const auto swap = (x1 < x0) | ((x1 == x0) & (y1 < y0));
            const Vec<T> s = select(swap, -one, one);
            store(ax[k], select(swap, x1, x0));
            store(ay[k], select(swap, y1, y0));
            store(dx[k], (x1 - x0) * s);
            store(dy[k], (y1 - y0) * s);
            store(sign[k], s);
            store(inverse_z[k], one / group.at(k, 2));
        }
    }
};

// Those of one face, in every lane.
template <class T>
struct DeepFace {
    Vec<T> ax[3], ay[3], dx[3], dy[3], sign[3], inverse_z[3];
    VecInt<T> backward[3];

    DeepFace(const DeepGroup<T>& group, int face) {
        for (int k = 0; k < 3; ++k) {
            ax[k] = broadcast(group.ax[k][face]), ay[k] = broadcast(group.ay[k][face]);
            dx[k] = broadcast(group.dx[k][face]), dy[k] = broadcast(group.dy[k][face]);
            sign[k] = broadcast(group.sign[k][face]), inverse_z[k] = broadcast(group.inverse_z[k][face]);
            backward[k] = sign[k] < Vec<T>{};
        }
    }
    // DeepTriangle::covers, and the edge functions in the edges' own directions. They are computed from the edge and the
    // pixel alone, in this order, so that the two faces of an edge have the same.
    VecInt<T> covers(Vec<T> px, Vec<T> py, Vec<T> e[3]) const {
        VecInt<T> positive[3];
        for (int k = 0; k < 3; ++k) {
            e[k] = dx[k] * (py - ay[k]) - dy[k] * (px - ax[k]);
            positive[k] = (e[k] >= Vec<T>{}) ^ backward[k];
        }
        return (positive[0] & positive[1] & positive[2]) | ~(positive[0] | positive[1] | positive[2]);
    }
    // DeepTriangle::nearness of these.
    Vec<T> nearness(const Vec<T> e[3]) const {
        const Vec<T> e0 = e[0] * sign[0], e1 = e[1] * sign[1], e2 = e[2] * sign[2];
        return (e0 * inverse_z[0] + e1 * inverse_z[1] + e2 * inverse_z[2]) / (e0 + e1 + e2);
    }
};

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
