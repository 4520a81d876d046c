// Generalised winding number of a triangle mesh (Jacobson et al. 2013), evaluated hierarchically
// (Barill et al. 2018, "Fast Winding Numbers for Soups and Clouds").
#pragma once

#include <cstdint>

#include "common/simd.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// out[i] = sum over faces of the solid angle seen from points[i], over 4 pi: 1 inside and 0 outside of a closed mesh
// oriented outward, a fraction in between near the holes of an open one.
//
// points (point_count, 3), verts (V, 3), faces (face_count, 3), dense; every index below V.
// accuracy: a cluster of faces with radius r is replaced by its second-order Taylor expansion for points farther than
// accuracy * r from it. The error falls with the cube of accuracy; 2 keeps it below 0.01 (on average 0.001), infinity
// sums every face exactly.
// The value at a point depends on that point and the mesh alone, not on the other points or on threads.
template <class T>
void winding_number(const T* points, int64_t point_count, const T* verts, const int64_t* faces, int64_t face_count,
                    double accuracy, int threads, T* out);

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
