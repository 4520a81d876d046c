#include "antialias/antialias.h"
#include "common/kernels.h"
#include "common/simd.h"
#include "interpolate/interpolate.h"
#include "rasterize/rasterize.h"
#include "soft_color/soft_color.h"
#include "soft_outline/soft_outline.h"
#include "soft_silhouette/soft_silhouette.h"
#include "winding_number/winding_number.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

template <class T>
constexpr Kernels<T> kernels_of() {
    return {soft_silhouette_forward<T>, soft_silhouette_backward<T>, rasterize_forward<T>,
            rasterize_backward<T>,      antialias_forward<T>,        antialias_backward<T>,
            soft_color_forward<T>,      soft_color_backward<T>,      winding_number<T>,
            interpolate_forward<T>,     interpolate_backward<T>,
            soft_outline_forward<T>,    soft_outline_backward<T>};
}

extern const KernelTable table;
const KernelTable table{kernels_of<float>(), kernels_of<double>()};

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
