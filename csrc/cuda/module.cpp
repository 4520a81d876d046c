// The CUDA module: one line a function. Arrays come as addresses of dense device memory that invgraph/ops/cuda has checked
// and allocated; `place` is (device, stream). Nothing here knows of torch, nothing is allocated and nothing waits.
#include <nanobind/nanobind.h>

#include <array>
#include <cstdint>

#include "cuda/kernels.h"
#if defined(INVGRAPH_EMULATED)
#include "emulation.h"
#endif

namespace nb = nanobind;

namespace invgraph {
namespace cuda {
namespace {

using Address = std::uintptr_t;

template <class T>
T* at(Address a) {
    return reinterpret_cast<T*>(a);
}

// (faces, ranges or 0, images, faces an image, points an image), as FaceBatch; packed: all faces, all points
FaceBatch batch_of(const nb::tuple& b) {
    return {at<const int64_t>(nb::cast<Address>(b[0])), at<const int64_t>(nb::cast<Address>(b[1])),
            nb::cast<int64_t>(b[2]), nb::cast<int64_t>(b[3]), nb::cast<int64_t>(b[4])};
}
// sigma, gamma, reach, near, far, eps
using Numbers = std::array<double, 6>;
Numbers numbers_of(const nb::sequence& n) {
    Numbers numbers{};
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = nb::cast<double>(n[i]);
    return numbers;
}

Place place_of(const nb::tuple& p) { return {nb::cast<int>(p[0]), nb::cast<std::uintptr_t>(p[1])}; }

// Calls f with a float or a double, for its type alone, without the interpreter's lock.
template <class F>
void typed(bool is_double, const F& f) {
    nb::gil_scoped_release release;
    if (is_double) f(double{});
    else f(float{});
}

}  // namespace


NB_MODULE(INVGRAPH_CUDA_MODULE, m) {
    m.doc() = "CUDA kernels of invgraph, called by invgraph.ops.cuda.";
#if defined(INVGRAPH_EMULATED)
    m.def("set_schedule", &emulation::set_schedule, "Seed of the order in which threads run; 0: ascending.");
    m.attr("emulated") = true;
#else
    m.attr("emulated") = false;
#endif

    m.def("count_tiles", [](bool is_double, nb::tuple place, nb::tuple batch, int64_t slots, Address points, int stride,
                            double margin, int height, int width, Address counts) {
        const Place p = place_of(place);
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            count_tiles(p, faces, slots, at<const T>(points), stride, T(margin), height, width, at<int32_t>(counts));
        });
    });
    m.def("emit_tiles", [](bool is_double, nb::tuple place, nb::tuple batch, int64_t slots, Address points, int stride,
                           double margin, int height, int width, Address ends, Address tile, Address face) {
        const Place p = place_of(place);
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            emit_tiles(p, faces, slots, at<const T>(points), stride, T(margin), height, width, at<const int64_t>(ends),
                       at<int32_t>(tile), at<int32_t>(face));
        });
    });
    m.def("gather", [](bool is_double, nb::tuple place, Address order, Address begin, int64_t blocks, int64_t groups,
                       int64_t repeats, int64_t stride, int64_t numbers, int64_t width, Address values, Address out) {
        const Place p = place_of(place);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            gather(p, at<const int64_t>(order), at<const int64_t>(begin), blocks, groups, repeats, stride, numbers, width,
                   at<const T>(values), at<T>(out));
        });
    });
    m.def("soft_silhouette_forward", [](bool is_double, nb::tuple place, nb::tuple batch, Address points, Address begin,
                                        Address bins, int height, int width, double sigma, double reach, Address alpha,
                                        Address transmittance) {
        const Place p = place_of(place);
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            soft_silhouette_forward(p, faces, at<const T>(points), at<const int64_t>(begin), at<const int32_t>(bins),
                                    height, width, T(sigma), T(reach), at<T>(alpha), at<T>(transmittance));
        });
    });
    m.def("soft_silhouette_backward", [](bool is_double, nb::tuple place, nb::tuple batch, int64_t slots, Address points,
                                         int height, int width, double sigma, double reach, Address transmittance,
                                         Address grad_alpha, Address grad_faces) {
        const Place p = place_of(place);
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            soft_silhouette_backward(p, faces, slots, at<const T>(points), height, width, T(sigma), T(reach),
                                     at<const T>(transmittance), at<const T>(grad_alpha), at<T>(grad_faces));
        });
    });
    m.def("soft_color_forward", [](bool is_double, nb::tuple place, nb::tuple batch, Address points, Address colors,
                                   bool images_share_colors, int channels, Address begin, Address bins, int height,
                                   int width, nb::sequence numbers, Address color, Address background,
                                   Address transmittance, Address peak, Address total) {
        const Place p = place_of(place);
        const FaceBatch faces = batch_of(batch);
        const Numbers n = numbers_of(numbers);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            soft_color_forward(p, faces, at<const T>(points), at<const T>(colors), images_share_colors, channels,
                               at<const int64_t>(begin), at<const int32_t>(bins), height, width, n.data(), at<T>(color),
                               at<T>(background), at<T>(transmittance), at<T>(peak), at<T>(total));
        });
    });
    m.def("soft_color_backward", [](bool is_double, nb::tuple place, nb::tuple batch, int64_t slots, Address points,
                                    Address colors, bool images_share_colors, int channels, int height, int width,
                                    nb::sequence numbers, Address color, Address background, Address transmittance,
                                    Address peak, Address total, Address grad_color, Address grad_background,
                                    Address grad_transmittance, Address terms, Address grad_faces, Address grad_colors) {
        const Place p = place_of(place);
        const FaceBatch faces = batch_of(batch);
        const Numbers n = numbers_of(numbers);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            soft_color_backward(p, faces, slots, at<const T>(points), at<const T>(colors), images_share_colors, channels,
                                height, width, n.data(), at<const T>(color), at<const T>(background),
                                at<const T>(transmittance), at<const T>(peak), at<const T>(total),
                                at<const T>(grad_color), at<const T>(grad_background), at<const T>(grad_transmittance),
                                at<T>(terms), at<T>(grad_faces), at<T>(grad_colors));
        });
    });
    m.def("rasterize_forward", [](bool is_double, nb::tuple place, nb::tuple batch, Address points, Address begin,
                                  Address bins, int height, int width, Address face_id, Address barycentric,
                                  Address depth) {
        const Place p = place_of(place);
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            rasterize_forward(p, faces, at<const T>(points), at<const int64_t>(begin), at<const int32_t>(bins), height,
                              width, at<int32_t>(face_id), at<T>(barycentric), at<T>(depth));
        });
    });
    m.def("rasterize_backward", [](bool is_double, nb::tuple place, nb::tuple batch, int64_t slots, Address points,
                                   int height, int width, Address face_id, Address grad_barycentric, Address grad_depth,
                                   Address grad_faces) {
        const Place p = place_of(place);
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            rasterize_backward(p, faces, slots, at<const T>(points), height, width, at<const int32_t>(face_id),
                               at<const T>(grad_barycentric), at<const T>(grad_depth), at<T>(grad_faces));
        });
    });
    m.def("interpolate_forward", [](bool is_double, nb::tuple place, nb::tuple batch, int64_t rows, Address attributes,
                                    int64_t channels, int64_t pixels, Address face_id, Address barycentric, Address out) {
        const Place p = place_of(place);
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            interpolate_forward(p, faces, rows, at<const T>(attributes), channels, pixels, at<const int32_t>(face_id),
                                at<const T>(barycentric), at<T>(out));
        });
    });
    m.def("interpolate_backward_barycentric", [](bool is_double, nb::tuple place, nb::tuple batch, int64_t rows,
                                                 Address attributes, int64_t channels, int64_t pixels, Address face_id,
                                                 Address grad_out, Address grad_barycentric) {
        const Place p = place_of(place);
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            interpolate_backward_barycentric(p, faces, rows, at<const T>(attributes), channels, pixels,
                                             at<const int32_t>(face_id), at<const T>(grad_out), at<T>(grad_barycentric));
        });
    });
    m.def("visible_slots", [](nb::tuple place, nb::tuple batch, int64_t slots, int64_t pixels, Address face_id,
                              Address slot) {
        visible_slots(place_of(place), batch_of(batch), slots, pixels, at<const int32_t>(face_id), at<int32_t>(slot));
    });
    m.def("interpolate_backward_faces", [](bool is_double, nb::tuple place, int64_t slots, int64_t channels, Address order,
                                           Address begin, Address barycentric, Address grad_out, Address grad_faces) {
        const Place p = place_of(place);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            interpolate_backward_faces(p, slots, channels, at<const int64_t>(order), at<const int64_t>(begin),
                                       at<const T>(barycentric), at<const T>(grad_out), at<T>(grad_faces));
        });
    });
    m.def("antialias_claim", [](bool is_double, nb::tuple place, nb::tuple batch, Address points, Address edges,
                                Address edge_faces, int64_t edge_count, int height, int width, Address depth, int pass,
                                Address claims, Address crossing) {
        const Place p = place_of(place);
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            antialias_claim(p, faces, at<const T>(points), at<const int64_t>(edges), at<const int64_t>(edge_faces),
                            edge_count, height, width, at<const T>(depth), pass, at<int32_t>(claims),
                            at<int32_t>(crossing));
        });
    });
    m.def("antialias_blend", [](bool is_double, nb::tuple place, nb::tuple batch, Address points, Address edges,
                                int height, int width, int channels, Address image, Address crossing, Address out) {
        const Place p = place_of(place);
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            antialias_blend(p, faces, at<const T>(points), at<const int64_t>(edges), height, width, channels,
                            at<const T>(image), at<const int32_t>(crossing), at<T>(out));
        });
    });
    m.def("antialias_backward", [](bool is_double, nb::tuple place, nb::tuple batch, Address points, Address edges,
                                   Address edge_faces, int64_t edge_count, int height, int width, int channels,
                                   Address image, Address crossing, Address grad_out, Address grad_image,
                                   Address grad_edges) {
        const Place p = place_of(place);
        const FaceBatch faces = batch_of(batch);
        typed(is_double, [&](auto t) {
            using T = decltype(t);
            antialias_backward_image(p, faces, at<const T>(points), at<const int64_t>(edges), height, width, channels,
                                     at<const int32_t>(crossing), at<const T>(grad_out), at<T>(grad_image));
            antialias_backward_edges(p, faces, at<const T>(points), at<const int64_t>(edges),
                                     at<const int64_t>(edge_faces), edge_count, height, width, channels,
                                     at<const T>(image), at<const int32_t>(crossing), at<const T>(grad_out),
                                     at<T>(grad_edges));
        });
    });
}

}  // namespace cuda
}  // namespace invgraph
