// The native module: one line a function. Arrays come as addresses of dense CPU memory that invgraph/ops has checked;
// nothing here knows of torch. Every kernel exists for float32 and float64: `is_double` says which.
#include <nanobind/nanobind.h>

#include <cstdint>

#include "common/kernels.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace invgraph {
namespace {

using Address = std::uintptr_t;

template <class T>
T* at(Address a) {
    return reinterpret_cast<T*>(a);
}

// (faces, ranges or 0, images, faces an image, points an image), as FaceBatch
using Batch = nb::tuple;

FaceBatch batch_of(const Batch& b) {
    return {at<const int64_t>(nb::cast<Address>(b[0])), at<const int64_t>(nb::cast<Address>(b[1])),
            nb::cast<int64_t>(b[2]), nb::cast<int64_t>(b[3]), nb::cast<int64_t>(b[4])};
}

// Calls f with a float or a double, for its type alone, without the interpreter's lock.
template <class F>
void typed(bool is_double, const F& f) {
    nb::gil_scoped_release release;
    if (is_double) f(double{});
    else f(float{});
}

}  // namespace

NB_MODULE(_native, m) {
    m.def("isa", &kernel_isa, "Instruction set of the kernels in use: baseline, avx2 or avx512.");
    m.def("indices_within", [](Address index, int64_t count, int64_t low, int64_t end) {
        return indices_within(at<const int64_t>(index), count, low, end);
    });
    m.def("ranges_ascend", [](Address ranges, int64_t images, int64_t faces) {
        return ranges_ascend(at<const int64_t>(ranges), images, faces);
    });

    m.def("soft_silhouette_forward", [](bool is_double, Batch batch, Address points, int height, int width, double sigma,
                                        double reach, int threads, Address alpha, Address transmittance) {
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            kernel_table().of<T>().soft_silhouette_forward(faces, at<const T>(points), height, width, T(sigma), T(reach),
                                                           threads, at<T>(alpha), at<T>(transmittance));
        });
    });
    m.def("soft_silhouette_backward", [](bool is_double, Batch batch, Address points, int height, int width,
                                         double sigma, double reach, int threads, Address transmittance,
                                         Address grad_alpha, Address grad_points) {
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            kernel_table().of<T>().soft_silhouette_backward(faces, at<const T>(points), height, width, T(sigma),
                                                            T(reach), threads, at<const T>(transmittance),
                                                            at<const T>(grad_alpha), at<T>(grad_points));
        });
    });
    m.def("rasterize_forward", [](bool is_double, Batch batch, Address points, int height, int width, int threads,
                                  Address barycentric, Address depth, Address face_id) {
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            kernel_table().of<T>().rasterize_forward(faces, at<const T>(points), height, width, threads,
                                                     at<int32_t>(face_id), at<T>(barycentric), at<T>(depth));
        });
    });
    m.def("rasterize_backward", [](bool is_double, Batch batch, Address points, int height, int width, int threads,
                                   Address face_id, Address grad_barycentric, Address grad_depth, Address grad_points) {
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            kernel_table().of<T>().rasterize_backward(faces, at<const T>(points), height, width, threads,
                                                      at<const int32_t>(face_id), at<const T>(grad_barycentric),
                                                      at<const T>(grad_depth), at<T>(grad_points));
        });
    });
    m.def("antialias_forward", [](bool is_double, Batch batch, Address points, Address edges, Address edge_faces,
                                  int64_t edge_count, int height, int width, int channels, int threads, Address depth,
                                  Address image, Address out, Address crossing) {
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            kernel_table().of<T>().antialias_forward(faces, at<const T>(points), at<const int64_t>(edges),
                                                     at<const int64_t>(edge_faces), edge_count, height, width, channels,
                                                     threads, at<const T>(depth), at<const T>(image), at<T>(out),
                                                     at<int32_t>(crossing));
        });
    });
    m.def("antialias_backward", [](bool is_double, Batch batch, Address points, Address edges, int height, int width,
                                   int channels, int threads, Address depth, Address image, Address crossing,
                                   Address grad_out, Address grad_image, Address grad_points) {
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            kernel_table().of<T>().antialias_backward(faces, at<const T>(points), at<const int64_t>(edges), height, width,
                                                      channels, threads, at<const T>(depth), at<const T>(image),
                                                      at<const int32_t>(crossing), at<const T>(grad_out),
                                                      at<T>(grad_image), at<T>(grad_points));
        });
    });
    m.def("interpolate_forward", [](bool is_double, Batch batch, Address attributes, int64_t channels, int64_t pixels,
                                    int threads, Address face_id, Address barycentric, Address out) {
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            kernel_table().of<T>().interpolate_forward(faces, at<const T>(attributes), channels, pixels, threads,
                                                       at<const int32_t>(face_id), at<const T>(barycentric), at<T>(out));
        });
    });
    m.def("interpolate_backward", [](bool is_double, Batch batch, Address attributes, int64_t channels, int64_t pixels,
                                     int threads, Address face_id, Address barycentric, Address grad_out,
                                     Address grad_attributes, Address grad_barycentric) {
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            kernel_table().of<T>().interpolate_backward(faces, at<const T>(attributes), channels, pixels, threads,
                                                        at<const int32_t>(face_id), at<const T>(barycentric),
                                                        at<const T>(grad_out), at<T>(grad_attributes),
                                                        at<T>(grad_barycentric));
        });
    });
    m.def("soft_color_forward", [](bool is_double, Batch batch, Address points, Address colors, bool images_share_colors,
                                   int channels, int height, int width, double sigma, double gamma, double reach,
                                   double near, double far, double eps, int threads, Address color, Address background,
                                   Address transmittance, Address peak, Address total) {
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            kernel_table().of<T>().soft_color_forward(
                faces, at<const T>(points), at<const T>(colors), images_share_colors, channels, height, width, T(sigma),
                T(gamma), T(reach), T(near), T(far), T(eps), threads, at<T>(color), at<T>(background),
                at<T>(transmittance), at<T>(peak), at<T>(total));
        });
    });
    m.def("soft_color_backward", [](bool is_double, Batch batch, Address points, Address colors, bool images_share_colors,
                                    int channels, int height, int width, double sigma, double gamma, double reach,
                                    double near, double far, int threads, Address color, Address background,
                                    Address transmittance, Address peak, Address total, Address grad_color,
                                    Address grad_background, Address grad_transmittance, Address grad_points,
                                    Address grad_colors) {
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            kernel_table().of<T>().soft_color_backward(
                faces, at<const T>(points), at<const T>(colors), images_share_colors, channels, height, width, T(sigma),
                T(gamma), T(reach), T(near), T(far), threads, at<const T>(color), at<const T>(background),
                at<const T>(transmittance), at<const T>(peak), at<const T>(total), at<const T>(grad_color),
                at<const T>(grad_background), at<const T>(grad_transmittance), at<T>(grad_points), at<T>(grad_colors));
        });
    });
    m.def("soft_outline_forward", [](bool is_double, Batch batch, Address points, Address edges, Address edge_faces,
                                     int64_t edge_count, Address depth, int height, int width, double scale,
                                     double reach, int threads, Address alpha, Address nearest, Address fraction) {
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            kernel_table().of<T>().soft_outline_forward(faces, at<const T>(points), at<const int64_t>(edges),
                                                        at<const int64_t>(edge_faces), edge_count, at<const T>(depth),
                                                        height, width, T(scale), T(reach), threads, at<T>(alpha),
                                                        at<int32_t>(nearest), at<T>(fraction));
        });
    });
    m.def("soft_outline_backward", [](bool is_double, Batch batch, Address points, Address edges, Address depth,
                                      int height, int width, double scale, int threads, Address nearest,
                                      Address fraction, Address grad_alpha, Address grad_points) {
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            kernel_table().of<T>().soft_outline_backward(faces, at<const T>(points), at<const int64_t>(edges),
                                                         at<const T>(depth), height, width, T(scale), threads,
                                                         at<const int32_t>(nearest), at<const T>(fraction),
                                                         at<const T>(grad_alpha), at<T>(grad_points));
        });
    });
    m.def("winding_number", [](bool is_double, Address points, int64_t point_count, Address verts, Address faces,
                               int64_t face_count, double accuracy, int threads, Address out) {
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            kernel_table().of<T>().winding_number(at<const T>(points), point_count, at<const T>(verts),
                                                  at<const int64_t>(faces), face_count, accuracy, threads, at<T>(out));
        });
    });
}

}  // namespace invgraph
