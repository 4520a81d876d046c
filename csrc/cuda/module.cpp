// The CUDA module: one line a function. Arrays come as addresses of dense device memory that invgraph/ops/cuda has checked
// and allocated. Nothing here knows of torch, nothing is allocated and nothing waits. Every kernel exists for float32 and
// float64, which its first argument says; the others are those of kernels.h.
#include <nanobind/nanobind.h>

#include <cstdint>
#include <tuple>
#include <type_traits>

#include "cuda/kernels.h"
#if defined(INVGRAPH_EMULATED)
#include "emulation.h"
#endif

namespace nb = nanobind;

namespace invgraph {
namespace cuda {
namespace {

using Address = std::uintptr_t;

// How Python passes a parameter: numbers as themselves, arrays as addresses, 0 for none.
template <class P>
struct Parameter {
    using Python = std::conditional_t<std::is_pointer<P>::value, Address,
                                      std::conditional_t<std::is_floating_point<P>::value, double, P>>;
    static P native(Python value) {
        if constexpr (std::is_pointer<P>::value) return reinterpret_cast<P>(value);
        else return static_cast<P>(value);
    }
};
template <>
struct Parameter<const Place&> {
    using Python = nb::tuple;  // (device, stream)
    static Place native(const Python& p) { return {nb::cast<int>(p[0]), nb::cast<std::uintptr_t>(p[1])}; }
};
template <>
struct Parameter<const FaceBatch&> {
    using Python = nb::tuple;  // (faces, ranges or 0, images, faces an image, points an image); packed: all of them
    static FaceBatch native(const Python& b) {
        return {reinterpret_cast<const int64_t*>(nb::cast<Address>(b[0])),
                reinterpret_cast<const int64_t*>(nb::cast<Address>(b[1])), nb::cast<int64_t>(b[2]),
                nb::cast<int64_t>(b[3]), nb::cast<int64_t>(b[4])};
    }
};
template <>
struct Parameter<const ColorNumbers&> {
    using Python = nb::list;
    static ColorNumbers native(const Python& n) {
        double value[6];
        for (int i = 0; i < 6; ++i) value[i] = nb::cast<double>(n[i]);
        return {value[0], value[1], value[2], value[3], value[4], value[5]};
    }
};

// Calls a kernel without the interpreter's lock.
template <class... P>
void call(void (*kernel)(P...), typename Parameter<P>::Python... arguments) {
    const auto native = std::make_tuple(Parameter<P>::native(arguments)...);
    const nb::gil_scoped_release release;
    std::apply(kernel, native);
}

template <class... P>
void define(nb::module_& m, const char* name, void (*kernel)(P...)) {
    m.def(name, [kernel](typename Parameter<P>::Python... arguments) { call(kernel, arguments...); });
}
template <class... P, class... Q>
void define(nb::module_& m, const char* name, void (*single)(P...), void (*twice)(Q...)) {
    m.def(name, [single, twice](bool is_double, typename Parameter<P>::Python... arguments) {
        if (is_double) call(twice, arguments...);
        else call(single, arguments...);
    });
}

}  // namespace

#define KERNEL(name) define(m, #name, &name<float>, &name<double>)

NB_MODULE(INVGRAPH_CUDA_MODULE, m) {
    m.doc() = "CUDA kernels of invgraph, called by invgraph.ops.cuda.";
#if defined(INVGRAPH_EMULATED)
    m.def("set_schedule", &emulation::set_schedule, "Seed of the order in which threads run; 0: ascending.");
#endif
    KERNEL(count_tiles);
    KERNEL(emit_tiles);
    KERNEL(gather);
    KERNEL(soft_silhouette_forward);
    KERNEL(soft_silhouette_backward);
    KERNEL(soft_color_forward);
    KERNEL(soft_color_backward);
    KERNEL(rasterize_forward);
    KERNEL(rasterize_backward);
    KERNEL(interpolate_forward);
    KERNEL(interpolate_backward_barycentric);
    define(m, "visible_slots", &visible_slots);
    KERNEL(interpolate_backward_faces);
    KERNEL(antialias_claim);
    KERNEL(antialias_blend);
    KERNEL(antialias_backward_image);
    KERNEL(antialias_backward_edges);
    KERNEL(outline_candidates);
    KERNEL(outline_faces);
    KERNEL(outline_parts);
    KERNEL(outline_tiles);
    KERNEL(soft_outline_forward);
    define(m, "outline_pulled", &outline_pulled);
    KERNEL(soft_outline_backward);
}

}  // namespace cuda
}  // namespace invgraph
