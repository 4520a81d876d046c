// The CUDA entry points, one line a function: each queues its kernels on the caller's stream and returns. Arrays are
// dense device memory that belongs to the caller, as in common/kernels.h; nothing is allocated and nothing waits.
#pragma once

#include <cstdint>

#include "common/faces.h"
#include "cuda/place.h"

namespace invgraph {
namespace cuda {

// Bins: counts (slots): tiles of 16 x 16 pixels that a face's box touches, enlarged by `margin`. points (P, stride), with
// a depth that must be drawable if stride is 3. slots: images * faces_per_image, or the number of faces if packed.
template <class T>
void count_tiles(const Place&, const FaceBatch&, int64_t slots, const T* points, int stride, T margin, int height,
                 int width, int32_t* counts);
// tile (pairs): image * tiles + tile; face (pairs): local to the image; both in slot order, slot s from ends[s - 1] on.
template <class T>
void emit_tiles(const Place&, const FaceBatch&, int64_t slots, const T* points, int stride, T margin, int height,
                int width, const int64_t* ends, int32_t* tile, int32_t* face);

// out[(b * groups + g) * width + n] = sum over repeats r and k in [begin[g], begin[g + 1]) of
// values[((b * repeats + r) * stride + order[k]) * numbers + n], in that order; out (blocks, groups, width >= numbers).
template <class T>
void gather(const Place&, const int64_t* order, const int64_t* begin, int64_t blocks, int64_t groups, int64_t repeats,
            int64_t stride, int64_t numbers, int64_t width, const T* values, T* out);

// begin (images * tiles + 1), faces (pairs): the bins.
template <class T>
void soft_silhouette_forward(const Place&, const FaceBatch&, const T* points, const int64_t* begin, const int32_t* faces,
                             int height, int width, T sigma, T reach, T* alpha, T* transmittance);
// grad_faces (slots, 3, 2)
template <class T>
void soft_silhouette_backward(const Place&, const FaceBatch&, int64_t slots, const T* points, int height, int width,
                              T sigma, T reach, const T* transmittance, const T* grad_alpha, T* grad_faces);

// as invgraph::soft_color has them
struct ColorNumbers {
    double sigma, gamma, reach, near, far, eps;
};
template <class T>
void soft_color_forward(const Place&, const FaceBatch&, const T* points, const T* colors, bool images_share_colors,
                        int channels, const int64_t* begin, const int32_t* faces, int height, int width,
                        const ColorNumbers&, T* color, T* background, T* transmittance, T* peak, T* total);
// terms (3, images, height, width): scratch; grad_faces (slots, 3, 3); grad_colors (slots, 3, channels) or null
template <class T>
void soft_color_backward(const Place&, const FaceBatch&, int64_t slots, const T* points, const T* colors,
                         bool images_share_colors, int channels, int height, int width, const ColorNumbers&,
                         const T* color, const T* background, const T* transmittance, const T* peak, const T* total,
                         const T* grad_color, const T* grad_background, const T* grad_transmittance, T* terms,
                         T* grad_faces, T* grad_colors);

template <class T>
void rasterize_forward(const Place&, const FaceBatch&, const T* points, const int64_t* begin, const int32_t* faces,
                       int height, int width, int32_t* face_id, T* barycentric, T* depth);
// grad_faces (slots, 3, 3)
template <class T>
void rasterize_backward(const Place&, const FaceBatch&, int64_t slots, const T* points, int height, int width,
                        const int32_t* face_id, const T* grad_barycentric, const T* grad_depth, T* grad_faces);

template <class T>
void interpolate_forward(const Place&, const FaceBatch&, int64_t rows, const T* attributes, int64_t channels,
                         int64_t pixels, const int32_t* face_id, const T* barycentric, T* out);
template <class T>
void interpolate_backward_barycentric(const Place&, const FaceBatch&, int64_t rows, const T* attributes, int64_t channels,
                                      int64_t pixels, const int32_t* face_id, const T* grad_out, T* grad_barycentric);
// slot (images, pixels): the slot of the face that a pixel sees, `slots` where there is none
void visible_slots(const Place&, const FaceBatch&, int64_t slots, int64_t pixels, const int32_t* face_id, int32_t* slot);
// order, begin (slots + 1): the pixels that see each slot; grad_faces (slots, 3, channels)
template <class T>
void interpolate_backward_faces(const Place&, int64_t slots, int64_t channels, const int64_t* order, const int64_t* begin,
                                const T* barycentric, const T* grad_out, T* grad_faces);

// crossing (images, 2, height, width): -1 everywhere before, and afterwards the outermost claim of each gap.
// A null image stands for the mask, 1 where there is a depth.
template <class T>
void antialias_claim(const Place&, const FaceBatch&, const T* points, const int64_t* edges, const int64_t* edge_faces,
                     int64_t edge_count, int height, int width, const T* depth, int32_t* crossing);
template <class T>
void antialias_blend(const Place&, const FaceBatch&, const T* points, const int64_t* edges, int height, int width,
                     int channels, const T* depth, const T* image, const int32_t* crossing, T* out);
template <class T>
void antialias_backward_image(const Place&, const FaceBatch&, const T* points, const int64_t* edges, int height, int width,
                              int channels, const T* depth, const int32_t* crossing, const T* grad_out,
                              T* grad_image);
// grad_edges (images, or 2 if packed: one an adjacent face; edge_count, 2 ends, 2 coordinates)
template <class T>
void antialias_backward_edges(const Place&, const FaceBatch&, const T* points, const int64_t* edges,
                              const int64_t* edge_faces, int64_t edge_count, int height, int width, int channels,
                              const T* depth, const T* image, const int32_t* crossing, const T* grad_out,
                              T* grad_edges);

// Soft outline. Lists are counted into `counts` with ends = null, then filled with ends = the inclusive prefix sum.
// Slots of edges: images * edge_count, or 2 * edge_count if packed: edge e in the image of either face at 2 e and 2 e + 1.
// candidates (n, 3): image, code, tile of cells; cuts (n, 2); wanted (images, tiles of cells), zeroed: which have any.
template <class T>
void outline_candidates(const Place&, const FaceBatch&, int64_t slots, const T* points, const int64_t* edges,
                        const int64_t* edge_faces, int64_t edge_count, const T* depth, int height, int width, T margin,
                        int32_t* counts, const int64_t* ends, int32_t* candidates, T* cuts, uint8_t* wanted);
// tile, face (pairs): the faces of each wanted tile of cells, in face order
template <class T>
void outline_faces(const Place&, const FaceBatch&, int64_t slots, const T* points, int height, int width, T margin,
                   const uint8_t* wanted, int32_t* counts, const int64_t* ends, int32_t* tile, int32_t* face);
// parts (n, 4): image, code, the faces at its ends; cuts (n, 2): what the faces of a tile leave of its candidates
template <class T>
void outline_parts(const Place&, const FaceBatch&, int64_t count, const T* points, const int64_t* edges,
                   const int64_t* edge_faces, int height, int width, const int32_t* candidates, const T* candidate_cuts,
                   const int64_t* begin, const int32_t* faces, int32_t* counts, const int64_t* ends, int32_t* parts,
                   T* cuts);
// tile, part (pairs): the tiles of pixels within reach of each part
template <class T>
void outline_tiles(const Place&, const FaceBatch&, int64_t count, const T* points, const int64_t* edges,
                   const int32_t* parts, const T* cuts, int height, int width, T reach, int32_t* counts,
                   const int64_t* ends, int32_t* tile, int32_t* part);
template <class T>
void soft_outline_forward(const Place&, const FaceBatch&, const T* points, const int64_t* edges, const int32_t* parts,
                          const T* cuts, const int64_t* begin, const int32_t* list, const T* depth, int height, int width,
                          T scale, T reach, T* alpha, int32_t* nearest, T* fraction);
// edge, face (images, pixels): the units that each pixel pulls on; units of edges: images * edge_count, or edge_count if
// packed; of faces: slots
void outline_pulled(const Place&, const FaceBatch&, int64_t pixels, int64_t edge_count, const int32_t* nearest,
                    int32_t no_edge, int32_t no_face, int32_t* edge, int32_t* face);
// corners: 2 for edges, 3 for faces; order, begin (units + 1): the pixels of each unit; grads (units, corners, 2)
template <class T>
void soft_outline_backward(const Place&, const FaceBatch&, int64_t units, int corners, const T* points,
                           const int64_t* edges, const T* depth, int height, int width, T scale, const int32_t* nearest,
                           const T* fraction, const T* grad_alpha, const int64_t* order, const int64_t* begin, T* grads);


}  // namespace cuda
}  // namespace invgraph
