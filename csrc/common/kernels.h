// The table of kernels compiled for one instruction set, and the table chosen for this processor.
#pragma once

#include <cstdint>

#include "common/faces.h"

namespace invgraph {

// Arrays are dense and row-major and belong to the caller; each kernel's own header says what they hold.
template <class T>
struct Kernels {
    void (*soft_silhouette_forward)(const FaceBatch&, const T* points, int height, int width, T sigma, T reach,
                                    int threads, T* alpha, T* transmittance);
    void (*soft_silhouette_backward)(const FaceBatch&, const T* points, int height, int width, T sigma, T reach,
                                     int threads, const T* transmittance, const T* grad_alpha, T* grad_points);
    void (*rasterize_forward)(const FaceBatch&, const T* points, int height, int width, int threads, int32_t* face_id,
                              T* barycentric, T* depth);
    void (*rasterize_backward)(const FaceBatch&, const T* points, int height, int width, int threads,
                               const int32_t* face_id, const T* grad_barycentric, const T* grad_depth, T* grad_points);
    void (*antialias_forward)(const FaceBatch&, const T* points, const int64_t* edges, const int64_t* edge_faces,
                              int64_t edge_count, int height, int width, int channels, int threads, const T* depth,
                              const T* image, T* out, int32_t* crossing);
    void (*antialias_backward)(const FaceBatch&, const T* points, const int64_t* edges, int height, int width,
                               int channels, int threads, const T* depth, const T* image, const int32_t* crossing,
                               const T* grad_out, T* grad_image, T* grad_points);
    void (*soft_color_forward)(const FaceBatch&, const T* points, const T* colors, bool images_share_colors, int channels,
                               int height, int width, T sigma, T gamma, T reach, T near, T far, T eps, int threads,
                               T* color, T* background, T* transmittance, T* peak, T* total);
    void (*soft_color_backward)(const FaceBatch&, const T* points, const T* colors, bool images_share_colors, int channels,
                                int height, int width, T sigma, T gamma, T reach, T near, T far, int threads,
                                const T* color, const T* background, const T* transmittance, const T* peak,
                                const T* total, const T* grad_color, const T* grad_background,
                                const T* grad_transmittance, T* grad_points, T* grad_colors);
    void (*winding_number)(const T* points, int64_t point_count, const T* verts, const int64_t* faces,
                           int64_t face_count, double accuracy, int threads, T* out);
    void (*interpolate_forward)(const FaceBatch&, const T* attributes, int64_t channels, int64_t pixels, int threads,
                                const int32_t* face_id, const T* barycentric, T* out);
    void (*interpolate_backward)(const FaceBatch&, const T* attributes, int64_t channels, int64_t pixels, int threads,
                                 const int32_t* face_id, const T* barycentric, const T* grad_out, T* grad_attributes,
                                 T* grad_barycentric);
    void (*soft_outline_forward)(const FaceBatch&, const T* points, const int64_t* edges, const int64_t* edge_faces,
                                 int64_t edge_count, const T* depth, int height, int width, T scale, T reach,
                                 int threads, T* alpha, int32_t* nearest, T* fraction);
    void (*soft_outline_backward)(const FaceBatch&, const T* points, const int64_t* edges, const T* depth, int height,
                                  int width, T scale, int threads, const int32_t* nearest, const T* fraction,
                                  const T* grad_alpha, T* grad_points);
};

struct KernelTable {
    Kernels<float> f32;
    Kernels<double> f64;
    template <class T>
    const Kernels<T>& of() const;
};
template <>
inline const Kernels<float>& KernelTable::of<float>() const { return f32; }
template <>
inline const Kernels<double>& KernelTable::of<double>() const { return f64; }

// The fastest table that this processor can run, or the one named by INVGRAPH_ISA (baseline, avx2, avx512).
const KernelTable& kernel_table();
const char* kernel_isa();

}  // namespace invgraph
