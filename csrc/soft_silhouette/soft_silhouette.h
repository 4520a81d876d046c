// Soft silhouette: with x_f = +-d_f^2 / sigma, positive inside face f,
//
//     alpha(p) = 1 - prod_f (1 - sigmoid(x_f)) = 1 - 1 / prod_f (1 + exp(x_f))
//
// over every face with x_f > -reach; what is left out is below sigmoid(-reach) a face.
#pragma once

#include <cstdint>

#include "common/faces.h"
#include "common/simd.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// points (P, 2) -> alpha, transmittance = 1 - alpha without its rounding, both (images, height, width).
template <class T>
void soft_silhouette_forward(const FaceBatch& batch, const T* points, int height, int width, T sigma, T reach,
                             int threads, T* alpha, T* transmittance);

// grad_alpha (images, height, width) -> grad_points (P, 2), overwritten for all points of the batch's corners;
// the caller zeroes it first. The same bytes for any number of threads.
template <class T>
void soft_silhouette_backward(const FaceBatch& batch, const T* points, int height, int width, T sigma, T reach,
                              int threads, const T* transmittance, const T* grad_alpha, T* grad_points);

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
