// Interpolation: attributes of face corners at the pixels that see the face, any number of channels.
#pragma once

#include <cstdint>

#include "common/faces.h"
#include "common/simd.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// attributes (P, channels), found through batch.faces; a batch with verts_per_image = 0 shares them between its images.
// face_id (images, pixels): index local to the image's faces, < 0 where there is none; barycentric (images, pixels, 3);
// out (images, pixels, channels): the sum of the corners' attributes by these weights, 0 where no face is.
template <class T>
void interpolate_forward(const FaceBatch& batch, const T* attributes, int64_t channels, int64_t pixels, int threads,
                         const int32_t* face_id, const T* barycentric, T* out);

// grad_attributes (P, channels), zeroed by the caller, and grad_barycentric (images, pixels, 3); either null if not
// wanted. The same bytes for any number of threads.
template <class T>
void interpolate_backward(const FaceBatch& batch, const T* attributes, int64_t channels, int64_t pixels, int threads,
                          const int32_t* face_id, const T* barycentric, const T* grad_out, T* grad_attributes,
                          T* grad_barycentric);

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
