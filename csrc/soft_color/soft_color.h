// Soft colour: the Soft Rasterizer's aggregation (Liu et al. 2019, eqs. 3 and 4) over all faces within reach,
//
//     color(p) = sum_f w_f c_f,   w_f = p_f exp(zhat_f / gamma) / (sum_k p_k exp(zhat_k / gamma) + exp(eps / gamma))
//
// with p_f = sigmoid(x_f) as in soft_silhouette.h, zhat_f in [0, 1] growing towards the camera and c_f interpolated in
// the face. What the weights leave of 1 is the background's. The sums run in one pass in any order: a pixel keeps the
// largest zhat so far and its sums relative to that.
#pragma once

#include <cstdint>

#include "common/faces.h"
#include "common/simd.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// points (P, 3): pixel u, pixel v, depth z. A face with a depth or a coordinate out of range is not drawn.
// colors (drawn faces or, where images_share_colors, faces of one image; 3 corners; channels).
// color (images, height, width, channels), without the background's share; background: that share; transmittance: 1 -
// alpha of the soft silhouette; peak, total: the largest zhat (at least eps) and the weights' sum relative to it, for
// the backward pass; these four (images, height, width).
template <class T>
void soft_color_forward(const FaceBatch& batch, const T* points, const T* colors, bool images_share_colors, int channels,
                        int height, int width, T sigma, T gamma, T reach, T near, T far, T eps, int threads, T* color,
                        T* background, T* transmittance, T* peak, T* total);

// grad_color, grad_background, grad_transmittance -> grad_points (P, 3) and grad_colors (drawn faces, 3, channels) or
// null; both zeroed by the caller. The same bytes for any number of threads.
template <class T>
void soft_color_backward(const FaceBatch& batch, const T* points, const T* colors, bool images_share_colors, int channels,
                         int height, int width, T sigma, T gamma, T reach, T near, T far, int threads, const T* color,
                         const T* background, const T* transmittance, const T* peak, const T* total,
                         const T* grad_color, const T* grad_background, const T* grad_transmittance, T* grad_points,
                         T* grad_colors);

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
