// Antialiasing: analytic coverage where a visible silhouette edge passes between two neighbouring pixel centres.
//
// An edge is a silhouette edge if its faces lie on one side of it in the image (one faces the camera and the other does
// not, or there is only one). Each such edge is walked: a steep edge crosses the rows' centre lines, a flat one the
// columns'. Where it crosses between the centres of an inner pixel (on its faces' side) and an outer one that shows
// something farther, at distance t in [0, 1] from the inner centre, the outline bounds the coverage of both:
//
//     t < 1/2: inner += (1/2 - t) (outer - inner)          t > 1/2: outer += (t - 1/2) (inner - outer)
//
// so that the sum along the row is the exact position of the crossing, and so is its gradient. Where several edges cross
// in one gap the outermost counts: the outline of the union. Finding crossings from the edges (rather than from the
// edges of the face seen at a pixel, as nvdiffrast does) loses none where faces are smaller than pixels.
// Rows are blended first, then columns, so that every value stays between those of the image.
#pragma once

#include <cstdint>

#include "common/faces.h"
#include "common/simd.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// points (P, 3): pixel u, v, depth; edges (edge_count, 2) corners; edge_faces (edge_count, 2): -1 where there is no
// second face; depth (images, height, width): infinity for background; image, out (images, height, width, channels): a
// null image stands for the mask (channels 1), 1 where there is a depth;
// crossing (images, 2, height, width): for the gap to the right of (plane 0) or below (plane 1) each pixel
// 2 * edge + (1 if the inner pixel is the left or upper one), -1 for none. Kept for the backward pass.
template <class T>
void antialias_forward(const FaceBatch& batch, const T* points, const int64_t* edges, const int64_t* edge_faces,
                       int64_t edge_count, int height, int width, int channels, int threads, const T* depth,
                       const T* image, T* out, int32_t* crossing);

// grad_image is overwritten, or null where it is not wanted; grad_points (P, 3) is zeroed by the caller.
template <class T>
void antialias_backward(const FaceBatch& batch, const T* points, const int64_t* edges, int height, int width,
                        int channels, int threads, const T* depth, const T* image, const int32_t* crossing,
                        const T* grad_out, T* grad_image, T* grad_points);

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
