#include "soft_silhouette/soft_silhouette.h"

#include <algorithm>
#include <cmath>

#include "common/scatter.h"
#include "common/tiles.h"
#include "common/triangle.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {
namespace {

constexpr int kTileHeight = 32, kTileWidth = 64;

// Beyond this product of (1 + e^x) alpha is 1 to the last bit.
template <class T>
constexpr T kSaturated = sizeof(T) == 4 ? T(1 << 26) : T(1ll << 55);

// e^x and e^-x stay finite, and the product of such factors may only ever overflow to infinity: transmittance 0.
template <class T>
constexpr T kMaxExponent = sizeof(T) == 4 ? T(80) : T(700);

template <class T>
void draw_tile(const FaceBatch& batch, const T* points, const TileGrid& grid, const TileBins& bins, int64_t item,
               T sigma, T margin, T* alpha, T* transmittance) {
    const int64_t b = item / grid.tiles(), tile = item % grid.tiles();
    const int y0 = static_cast<int>(tile / grid.columns) * kTileHeight;
    const int x0 = static_cast<int>(tile % grid.columns) * kTileWidth;
    const int y1 = std::min(y0 + kTileHeight, grid.height), x1 = std::min(x0 + kTileWidth, grid.width);
    constexpr int kStride = kTileWidth + kLanes<T>;  // rows are drawn in vectors that may hang over the tile's right end
    alignas(kVectorBytes) T product[kTileHeight * kStride];
    std::fill(product, product + kTileHeight * kStride, T(1));

    const T inverse_sigma = 1 / sigma, lowest = -margin * margin / sigma;
    const Vec<T> lane = iota<T>() + T(0.5);
    auto saturated = [&] {
        for (int y = 0; y < y1 - y0; ++y)
            for (int x = 0; x < x1 - x0; ++x)
                if (!(product[y * kStride + x] > kSaturated<T>)) return false;
        return true;
    };
    int since_check = 0;
    for (int64_t k = bins.begin[item]; k < bins.begin[item + 1]; ++k) {
        if (++since_check == 256) {
            if (saturated()) break;
            since_check = 0;
        }
        int64_t corner[3];
        batch.corners(b, bins.faces[k], corner);
        Triangle<T> tri;
        tri.set(points, 2, corner);
        tri.prepare();
        const PixelBox box = pixels_within(tri, margin, grid.height, grid.width);
        const int left = std::max(box.x0, x0), right = std::min(box.x1, x1 - 1);
        const int top = std::max(box.y0, y0), bottom = std::min(box.y1, y1 - 1);
        for (int y = top; y <= bottom; ++y) {
            const Vec<T> py = broadcast<T>(y + T(0.5));
            for (int x = left; x <= right; x += kLanes<T>) {
                T* at = product + (y - y0) * kStride + (x - x0);
                Vec<T> p = load(at);
                if (!any(p <= kSaturated<T>)) continue;
                Vec<T> e = signed_squared_distance<T>(tri, lane + T(x), py) * inverse_sigma;
                const auto counted = e > lowest;
                if (!any(counted)) continue;
                e = exp<T>(minimum(maximum(e, broadcast<T>(-kMaxExponent<T>)), broadcast<T>(kMaxExponent<T>)));
                store(at, select(counted, p + p * e, p));  // not p + p * 0: the product may be infinite
            }
        }
    }
    for (int y = y0; y < y1; ++y) {
        const int64_t row = (b * grid.height + y) * grid.width;
        for (int x = x0; x < x1; ++x) {
            const T t = 1 / product[(y - y0) * kStride + (x - x0)];
            transmittance[row + x] = t;
            alpha[row + x] = 1 - t;
        }
    }
}

// The gradient of one face's six coordinates; weight(p) = grad_alpha(p) * transmittance(p), rows of `stride`.
template <class T>
void face_gradient(const Triangle<T>& tri, const PixelBox& box, const T* weight, int64_t stride, T sigma, T lowest,
                   T grad[6]) {
    const T inverse_sigma = 1 / sigma;
    const Vec<T> lane = iota<T>() + T(0.5);
    Vec<T> gx[3]{}, gy[3]{};
    for (int y = box.y0; y <= box.y1; ++y) {
        const Vec<T> py = broadcast<T>(y + T(0.5));
        for (int x = box.x0; x <= box.x1; x += kLanes<T>) {
            // lanes beyond the box hold pixels beyond the reach, or beyond the image, where the weight is 0
            const Vec<T> w = load(weight + y * stride + x);
            if (!any(w != Vec<T>{})) continue;
            Vec<T> rx, ry, at[3];
            const Vec<T> e = signed_squared_distance<T>(tri, lane + T(x), py, rx, ry, at) * inverse_sigma;
            const auto counted = (e > lowest) & (w != Vec<T>{});
            if (!any(counted)) continue;
            const Vec<T> bounded = minimum(maximum(e, broadcast<T>(-kMaxExponent<T>)), broadcast<T>(kMaxExponent<T>));
            const Vec<T> probability = T(1) / (T(1) + exp<T>(-bounded));
            // d alpha / d x = transmittance * sigmoid(x), and x changes sign with the side of the outline
            Vec<T> g = w * probability;
            g = select(counted, select(e > Vec<T>{}, g, -g), Vec<T>{});
            rx *= g;
            ry *= g;
            for (int k = 0; k < 3; ++k) {
                gx[k] += at[k] * rx;
                gy[k] += at[k] * ry;
            }
        }
    }
    for (int k = 0; k < 3; ++k) {
        grad[2 * k] = T(-2) * inverse_sigma * sum<T>(gx[k]);
        grad[2 * k + 1] = T(-2) * inverse_sigma * sum<T>(gy[k]);
    }
}

}  // namespace

template <class T>
void soft_silhouette_forward(const FaceBatch& batch, const T* points, int height, int width, T sigma, T reach,
                             int threads, T* alpha, T* transmittance) {
    const TileGrid grid(height, width, kTileHeight, kTileWidth);
    const T margin = std::sqrt(reach * sigma);
    const TileBins bins = bin_faces(batch, grid, threads, [&](int64_t b, int64_t i) -> PixelBox {
        int64_t corner[3];
        batch.corners(b, i, corner);
        Triangle<T> tri;
        if (!tri.set(points, 2, corner)) return {0, -1, 0, -1};
        return pixels_within(tri, margin, height, width);
    });
    parallel_for(batch.images * grid.tiles(), threads, [&](int64_t item) {
        draw_tile(batch, points, grid, bins, item, sigma, margin, alpha, transmittance);
    });
}

template <class T>
void soft_silhouette_backward(const FaceBatch& batch, const T* points, int height, int width, T sigma, T reach,
                              int threads, const T* transmittance, const T* grad_alpha, T* grad_points) {
    const int64_t stride = width + kLanes<T>;  // so that a vector may hang over a row's end
    const Scratch<T> weight(batch.images * height * stride);
    parallel_for(batch.images * height, threads, [&](int64_t row) {
        T* to = weight.get() + row * stride;
        for (int x = 0; x < width; ++x) to[x] = grad_alpha[row * width + x] * transmittance[row * width + x];
        std::fill(to + width, to + stride, T(0));
    });
    const T margin = std::sqrt(reach * sigma), lowest = -reach;
    gather_face_gradients<T, 2>(batch, threads, grad_points, [&](int64_t b, int64_t, const int64_t corner[3], T grad[6]) {
        Triangle<T> tri;
        if (!tri.set(points, 2, corner)) return false;
        const PixelBox box = pixels_within(tri, margin, height, width);
        if (box.empty()) return false;
        tri.prepare();
        face_gradient(tri, box, weight.get() + b * height * stride, stride, sigma, lowest, grad);
        return true;
    });
}

#define INSTANTIATE(T)                                                                                             \
    template void soft_silhouette_forward<T>(const FaceBatch&, const T*, int, int, T, T, int, T*, T*);             \
    template void soft_silhouette_backward<T>(const FaceBatch&, const T*, int, int, T, T, int, const T*, const T*, \
                                              T*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
