// As many faces as a vector has lanes, one a lane: what is computed once a face is computed for all of them at once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/faces.h"
#include "common/pixel_box.h"
#include "common/simd.h"
#include "common/triangle.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// A box of pixels in the 16 bits that an image's side fits in.
struct SmallBox {
    int16_t x0, x1, y0, y1;
    bool empty() const { return x1 < x0 || y1 < y0; }
    SmallBox within(int left, int right, int top, int bottom) const {
        return {static_cast<int16_t>(std::max<int>(x0, left)), static_cast<int16_t>(std::min<int>(x1, right)),
                static_cast<int16_t>(std::max<int>(y0, top)), static_cast<int16_t>(std::min<int>(y1, bottom))};
    }
};

// N coordinates of each of the three corners.
template <class T, int N>
struct FaceGroup {
    alignas(kVectorBytes) T corner[3][N][kLanes<T>];

    // face(lane) for lane < count is an index local to image b; the other lanes repeat the last, of which there must be one
    template <class Face>
    void load_faces(const FaceBatch& batch, int64_t b, const T* points, int count, const Face& face) {
        for (int lane = 0; lane < kLanes<T>; ++lane) {
            int64_t index[3];
            batch.corners(b, face(std::min(lane, count - 1)), index);
            for (int k = 0; k < 3; ++k)
                for (int n = 0; n < N; ++n) corner[k][n][lane] = points[N * index[k] + n];
        }
    }
    Vec<T> at(int k, int n) const { return load(corner[k][n]); }

    // Which faces are drawn: as Triangle::set and drawable_depth have it.
    VecInt<T> drawable() const {
        VecInt<T> yes = ~VecInt<T>{};
        for (int k = 0; k < 3; ++k) {
            for (int n = 0; n < 2; ++n) {
                yes &= at(k, n) < broadcast(static_cast<T>(kCoordinateLimit));
                yes &= at(k, n) > broadcast(static_cast<T>(-kCoordinateLimit));
            }
            if (N < 3) continue;
            yes &= at(k, N - 1) > broadcast(static_cast<T>(kNearestDepth));
            yes &= at(k, N - 1) < broadcast(static_cast<T>(kFarthestDepth));
        }
        return yes;
    }

    // As pixels_within, for each face; empty for those that are not drawn.
    void boxes(T margin, int height, int width, SmallBox out[kLanes<T>]) const {
        using I = typename IntOf<T>::type;
        const VecInt<T> drawn = drawable();
        alignas(kVectorBytes) I edge[4][kLanes<T>];
        for (int n = 0; n < 2; ++n) {
            const T size = static_cast<T>(n == 0 ? width : height);
            const Vec<T> least = minimum(minimum(at(0, n), at(1, n)), at(2, n)) - margin - T(0.5);
            const Vec<T> most = maximum(maximum(at(0, n), at(1, n)), at(2, n)) + margin - T(0.5);
            const Vec<T> low = minimum(maximum(least, broadcast(T(0))), broadcast(size));
            const Vec<T> high = minimum(maximum(most, broadcast(T(-1))), broadcast(size - 1));
            const VecInt<T> first = __builtin_convertvector(low, VecInt<T>), last = __builtin_convertvector(high, VecInt<T>);
            store(edge[2 * n], first - (__builtin_convertvector(first, Vec<T>) < low));    // rounded up
            store(edge[2 * n + 1], last + (__builtin_convertvector(last, Vec<T>) > high));  // rounded down
        }
        alignas(kVectorBytes) I yes[kLanes<T>];
        store(yes, drawn);
        for (int lane = 0; lane < kLanes<T>; ++lane) {
            out[lane] = {static_cast<int16_t>(edge[0][lane]), static_cast<int16_t>(edge[1][lane]),
                         static_cast<int16_t>(edge[2][lane]), static_cast<int16_t>(edge[3][lane])};
            if (!yes[lane] || edge[0][lane] > edge[1][lane] || edge[2][lane] > edge[3][lane]) out[lane] = {0, -1, 0, -1};
        }
    }
};

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
