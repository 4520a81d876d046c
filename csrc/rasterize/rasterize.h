// Rasterization: the nearest face at every pixel centre, its barycentrics and its depth.
//
// Watertight: an edge's function is evaluated from its lexicographically smaller end whichever face asks, so the two
// faces of an edge get the same number with opposite signs, and a centre exactly on it belongs to exactly one of them.
#pragma once

#include <cstdint>

#include "common/faces.h"
#include "common/simd.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// points (P, 3): pixel u, pixel v, depth z. A face with a depth or a coordinate out of range (triangle.h) is not drawn.
// face_id (images, height, width): index local to the image's faces, -1 where there is none;
// barycentric (images, height, width, 3): perspective-correct, 0 where there is none; null if not wanted;
// depth (images, height, width): infinity where there is none. Equal depths: the lower face index wins.
template <class T>
void rasterize_forward(const FaceBatch& batch, const T* points, int height, int width, int threads, int32_t* face_id,
                       T* barycentric, T* depth);

// Gradient of barycentrics and depth at fixed visibility; grad_points (P, 3) is zeroed by the caller.
template <class T>
void rasterize_backward(const FaceBatch& batch, const T* points, int height, int width, int threads,
                        const int32_t* face_id, const T* grad_barycentric, const T* grad_depth, T* grad_points);

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
