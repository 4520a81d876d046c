// Soft silhouette without bias at the contour: alpha from the signed distance to the visible outline.
//
// Let d be the distance from a pixel's centre to the outline of the union of the image's faces, positive where a face
// covers the centre, and s a scale in pixels. Then
//
//     alpha = e^(d / s) / 2  for d < 0,        1 - e^(-d / s) / 2  for d > 0,
//
// the probability that the centre is covered if the outline is off by a Laplace-distributed distance. It is 1/2 on the
// outline however many faces meet there, and its slope 1 / (2 s) is greatest there.
//
// The outline consists of parts of silhouette edges (common/silhouette.h). An edge is cut where it passes between
// pixel centres that are all covered: an outline that no pixel centre tells from the inside (a crack between faces, a
// hole smaller than a pixel) does not count. What is left is cut where it runs inside other faces, which is exact. Each
// pixel within reach then looks for the nearest part. Work grows with the outline's length times reach, with the faces
// near the outline, and with the pixels.
//
// Backward: by the envelope theorem d changes with the nearest point of the outline alone, that is with the two ends of
// its edge, or, where the nearest point is a crossing of two edges, with the ends of both.
#pragma once

#include <cstdint>

#include "common/faces.h"
#include "common/simd.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// points (P, 3): pixel u, v, depth; edges (edge_count, 2) corners; edge_faces (edge_count, 2): -1 where there is no
// second face; depth (images, height, width): infinity where nothing covers the centre; alpha (images, height, width):
// exactly 0 or 1 beyond `reach` pixels from the outline. For the backward pass, of each pixel within reach:
// nearest (images, 2, height, width): plane 0: 2 * edge + (1 if the side of its faces is positive), -1 beyond reach;
// plane 1: the image's face whose side crosses the edge in the nearest point, or -1; fraction (images, height, width):
// where on the edge the nearest point lies.
template <class T>
void soft_outline_forward(const FaceBatch& batch, const T* points, const int64_t* edges, const int64_t* edge_faces,
                          int64_t edge_count, const T* depth, int height, int width, T scale, T reach, int threads,
                          T* alpha, int32_t* nearest, T* fraction);

// grad_points (P, 3) is zeroed by the caller.
template <class T>
void soft_outline_backward(const FaceBatch& batch, const T* points, const int64_t* edges, const T* depth, int height,
                           int width, T scale, int threads, const int32_t* nearest, const T* fraction,
                           const T* grad_alpha, T* grad_points);

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
