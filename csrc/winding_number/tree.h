// Bounding tree over triangles with the moments that the far field needs.
#pragma once

#include <cstdint>
#include <vector>

#include "common/simd.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {
namespace winding {

constexpr int kLeafFaces = 8;

// Moments of the vector area dS = n dA of a cluster about its centre p, m = x - p. `second` is symmetrised over its
// three indices, because it only ever meets the symmetric third derivative of 1/R; likewise `first`.
struct Cluster {
    float center[3];
    float radius;        // distance of the farthest corner from the centre
    float area[3];       // int dS_i
    float first[6];      // sym int dS_i m_j:      xx yy zz xy xz yz
    float second[10];    // sym int dS_i m_j m_k:  xxx yyy zzz xxy xxz yyx yyz zzx zzy xyz
    float trace[3];      // sum_i second_iik
    int32_t begin, end;  // triangles [begin, end)
    int32_t right;       // index of the second child; the first is the next node; 0 marks a leaf
};

struct Triangle {
    float v[3][3];
    float flat;  // a point is in the triangle's plane, to rounding, where |det| <= flat
};

struct Tree {
    std::vector<Cluster> nodes;       // depth first
    std::vector<Triangle> triangles;  // in leaf order
};

// Corners are given in coordinates where the mesh has unit size about the origin; `flat` is set here.
Tree build_tree(std::vector<Triangle> triangles);

}  // namespace winding
}  // namespace INVGRAPH_ISA
}  // namespace invgraph
