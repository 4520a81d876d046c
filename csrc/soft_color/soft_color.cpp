#include "soft_color/soft_color.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "common/scatter.h"
#include "common/tiles.h"
#include "soft_color/pair.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {
namespace {

constexpr int kTileHeight = 16, kTileWidth = 64;

template <class T>
inline Vec<T> bounded_exp(Vec<T> x) {
    return exp<T>(minimum(maximum(x, broadcast<T>(-kMaxExponent<T>)), broadcast<T>(kMaxExponent<T>)));
}

// What the kernels know of a pixel beside its colours: planes of a tile, in this order.
enum Plane { kProduct, kPeak, kTotal, kColor };

// The colour of channel c where the corners' weights are `weight`; colours of a face are (3, channels).
template <class T>
inline Vec<T> color_at(const T* colors, int channels, int c, const Vec<T> weight[3]) {
    return weight[0] * colors[c] + weight[1] * colors[channels + c] + weight[2] * colors[2 * channels + c];
}

template <class T>
struct Forward {
    const FaceBatch& batch;
    const T *points, *colors;
    bool images_share_colors;
    int channels;
    T sigma, margin, inverse_gamma, eps;
    DepthRange<T> range;
    T *color, *background, *transmittance, *peak, *total;

    void draw_tile(const TileGrid& grid, const TileBins& bins, int64_t item) const;
};

template <class T>
void Forward<T>::draw_tile(const TileGrid& grid, const TileBins& bins, int64_t item) const {
    const int64_t b = item / grid.tiles(), tile = item % grid.tiles();
    const int y0 = static_cast<int>(tile / grid.columns) * kTileHeight;
    const int x0 = static_cast<int>(tile % grid.columns) * kTileWidth;
    const int y1 = std::min(y0 + kTileHeight, grid.height), x1 = std::min(x0 + kTileWidth, grid.width);
    constexpr int kStride = kTileWidth + kLanes<T>;  // rows are drawn in vectors that may hang over the tile's right end
    constexpr int kPlane = kTileHeight * kStride;
    std::unique_ptr<T[]> planes(new T[static_cast<int64_t>(kColor + channels) * kPlane]);
    // the background is the first to be added: probability 1 at zhat = eps, and its colour is added by the caller
    std::fill(planes.get() + kProduct * kPlane, planes.get() + (kProduct + 1) * kPlane, T(1));
    std::fill(planes.get() + kPeak * kPlane, planes.get() + (kPeak + 1) * kPlane, eps);
    std::fill(planes.get() + kTotal * kPlane, planes.get() + (kTotal + 1) * kPlane, T(1));
    std::fill(planes.get() + kColor * kPlane, planes.get() + (kColor + channels) * kPlane, T(0));

    const T inverse_sigma = 1 / sigma, lowest = -margin * margin / sigma;
    const Vec<T> lane = iota<T>() + T(0.5), one = broadcast<T>(1);
    for (int64_t n = bins.begin[item]; n < bins.begin[item + 1]; ++n) {
        int64_t corner[3];
        batch.corners(b, bins.faces[n], corner);
        ColorTriangle<T> tri;
        tri.set(points, corner);
        tri.prepare();
        const T* face_colors = colors + 3 * channels * (images_share_colors ? bins.faces[n] : batch.slot(b, bins.faces[n]));
        const T nearest = tri.largest_nearness(range);
        const PixelBox box = pixels_within(tri.plane, margin, grid.height, grid.width);
        const int left = std::max(box.x0, x0), right = std::min(box.x1, x1 - 1);
        const int top = std::max(box.y0, y0), bottom = std::min(box.y1, y1 - 1);
        for (int y = top; y <= bottom; ++y) {
            const Vec<T> py = broadcast<T>(y + T(0.5));
            for (int x = left; x <= right; x += kLanes<T>) {
                T* at = planes.get() + (y - y0) * kStride + (x - x0);
                const Vec<T> product = load(at + kProduct * kPlane), before = load(at + kPeak * kPlane);
                if (!any((product <= kSaturated<T>) | ((before - nearest) * inverse_gamma < kHidden<T>))) continue;
                const Vec<T> px = lane + T(x);
                Vec<T> e = signed_squared_distance<T>(tri.plane, px, py) * inverse_sigma;
                const auto counted = e > lowest;
                if (!any(counted)) continue;
                e = bounded_exp<T>(e);
                store(at + kProduct * kPlane, select(counted, product + product * e, product));

                const PlanePoint<Vec<T>> seen = plane_point<T>(tri, px, py);
                const Vec<T> nearness = relative_nearness<T>(range, seen.depth);
                const Vec<T> behind = (before - nearness) * inverse_gamma;  // of the nearest so far, in the exponent
                const auto adds = counted & (behind < kHidden<T>);
                if (!any(adds)) continue;
                const auto leads = adds & (behind < Vec<T>{});
                const Vec<T> ratio = bounded_exp<T>(select(behind < Vec<T>{}, behind, -behind));
                const Vec<T> rest = select(leads, ratio, one);  // what remains of the sums so far
                const Vec<T> weight = select(adds, e / (T(1) + e) * select(leads, one, ratio), Vec<T>{});
                store(at + kPeak * kPlane, select(leads, nearness, before));
                store(at + kTotal * kPlane, load(at + kTotal * kPlane) * rest + weight);
                for (int c = 0; c < channels; ++c) {
                    T* sum = at + (kColor + c) * kPlane;
                    store(sum, load(sum) * rest + weight * color_at<T>(face_colors, channels, c, seen.weight));
                }
            }
        }
    }
    for (int y = y0; y < y1; ++y) {
        const int64_t row = (b * grid.height + y) * grid.width;
        for (int x = x0; x < x1; ++x) {
            const T* at = planes.get() + (y - y0) * kStride + (x - x0);
            const T inverse_total = 1 / at[kTotal * kPlane];
            transmittance[row + x] = 1 / at[kProduct * kPlane];
            peak[row + x] = at[kPeak * kPlane];
            total[row + x] = at[kTotal * kPlane];
            background[row + x] = std::exp((eps - at[kPeak * kPlane]) * inverse_gamma) * inverse_total;
            for (int c = 0; c < channels; ++c)
                color[(row + x) * channels + c] = at[(kColor + c) * kPlane] * inverse_total;
        }
    }
}

// What the backward pass needs of every pixel, in planes whose rows vectors may hang over; zero where nothing comes back.
template <class T>
struct PixelGradients {
    int channels, height, width;
    int64_t stride, plane;
    std::unique_ptr<T[]> data;
    enum { kCoverage, kPeak, kInverseTotal, kMean, kColor };

    PixelGradients(int64_t images, int channels_, int height_, int width_)
        : channels(channels_), height(height_), width(width_), stride(width_ + kLanes<T>), plane(images * height_ * stride),
          data(new T[(kColor + channels_) * plane]) {}
    const T* row(int64_t b, int y) const { return data.get() + (b * height + y) * stride; }

    void fill_row(int64_t row, const T* color, const T* background, const T* transmittance, const T* peak, const T* total,
                  const T* grad_color, const T* grad_background, const T* grad_transmittance) {
        T* at = data.get() + row * stride;
        for (int64_t k = 0; k < kColor + channels; ++k) std::fill(at + k * plane + width, at + k * plane + stride, T(0));
        for (int x = 0; x < width; ++x) {
            const int64_t i = row * width + x;
            T mean = grad_background[i] * background[i];
            bool flows = grad_background[i] != 0;
            for (int c = 0; c < channels; ++c) {
                const T g = grad_color[i * channels + c];
                at[(kColor + c) * plane + x] = g;
                mean += g * color[i * channels + c];
                flows |= g != 0;
            }
            const bool saturated = transmittance[i] * kSaturated<T> < 1;
            at[kCoverage * plane + x] = saturated ? 0 : -grad_transmittance[i] * transmittance[i];
            at[kPeak * plane + x] = peak[i];
            at[kInverseTotal * plane + x] = flows ? 1 / total[i] : 0;
            at[kMean * plane + x] = mean;
        }
    }
};

template <class T>
struct Backward {
    T inverse_sigma, lowest, inverse_gamma;
    DepthRange<T> range;

    // The gradient of one face's nine coordinates, and of its colours (3, channels) unless null.
    void face_gradient(const ColorTriangle<T>& tri, const T* colors, const PixelBox& box, const PixelGradients<T>& pixels,
                       int64_t b, T grad[9], T* grad_colors) const {
        constexpr int kFew = 4;
        const int channels = pixels.channels;
        Vec<T> few[3 * kFew], g[9]{};
        std::unique_ptr<Vec<T>[]> many(grad_colors && channels > kFew ? new Vec<T>[3 * channels] : nullptr);
        Vec<T>* sums = many ? many.get() : few;
        if (grad_colors) std::fill(sums, sums + 3 * channels, Vec<T>{});
        const T nearest_corner = tri.largest_nearness(range);
        for (int y = box.y0; y <= box.y1; ++y)
            for (int x = box.x0; x <= box.x1; x += kLanes<T>)
                pixel_gradients(tri, colors, pixels, nearest_corner, b, y, x, g, grad_colors ? sums : nullptr);
        for (int k = 0; k < 9; ++k) grad[k] = sum<T>(g[k]);
        if (grad_colors)
            for (int k = 0; k < 3 * channels; ++k) grad_colors[k] = sum<T>(sums[k]);
    }

    void pixel_gradients(const ColorTriangle<T>& tri, const T* colors, const PixelGradients<T>& pixels, T nearest_corner,
                         int64_t b, int y, int x, Vec<T> grad[9], Vec<T>* grad_colors) const {
        using Pixels = PixelGradients<T>;
        const T* at = pixels.row(b, y) + x;
        const Vec<T> coverage = load(at + Pixels::kCoverage * pixels.plane);
        const Vec<T> inverse_total = load(at + Pixels::kInverseTotal * pixels.plane);
        const Vec<T> peak = load(at + Pixels::kPeak * pixels.plane);
        const auto visible = (inverse_total != Vec<T>{}) & ((nearest_corner - peak) * inverse_gamma > -kHidden<T>);
        if (!any((coverage != Vec<T>{}) | visible)) return;
        const Vec<T> px = iota<T>() + T(0.5) + T(x), py = broadcast<T>(y + T(0.5));
        Vec<T> rx, ry, nearest[3];
        const Vec<T> e = signed_squared_distance<T>(tri.plane, px, py, rx, ry, nearest) * inverse_sigma;
        const auto counted = e > lowest;
        if (!any(counted)) return;
        const Vec<T> probability = T(1) / (T(1) + bounded_exp<T>(-e));

        const PlanePoint<Vec<T>> seen = plane_point<T>(tri, px, py);
        // at most 0, but for roundings that need not be those of the forward pass
        const Vec<T> ahead = minimum((relative_nearness<T>(range, seen.depth) - peak) * inverse_gamma, Vec<T>{});
        const auto adds = counted & visible & (ahead > -kHidden<T>);
        Vec<T> grad_log{};  // of the loss with respect to log (p_f exp(zhat_f / gamma))
        if (any(adds)) {
            const Vec<T> weight = select(adds, probability * bounded_exp<T>(ahead) * inverse_total, Vec<T>{});
            Vec<T> grad_weight[3]{}, change{};
            for (int c = 0; c < pixels.channels; ++c) {
                const Vec<T> g = load(at + (Pixels::kColor + c) * pixels.plane) * weight;
                for (int k = 0; k < 3; ++k) grad_weight[k] += g * colors[k * pixels.channels + c];
                if (!grad_colors) continue;
                for (int k = 0; k < 3; ++k) grad_colors[k * pixels.channels + c] += g * seen.weight[k];
            }
            for (int k = 0; k < 3; ++k) change += grad_weight[k] * seen.weight[k];
            grad_log = change - weight * load(at + Pixels::kMean * pixels.plane);
            plane_point_gradient<T>(tri, range, px, py, seen, grad_weight, grad_log * inverse_gamma, grad);
        }
        // x_f moves the colours through log p_f and the coverage as in the soft silhouette; it changes sign with the side
        const Vec<T> grad_x = grad_log * (T(1) - probability) + coverage * probability;
        const Vec<T> g = select(counted, select(e > Vec<T>{}, grad_x, -grad_x), Vec<T>{}) * (T(-2) * inverse_sigma);
        for (int k = 0; k < 3; ++k) {
            grad[3 * k] += nearest[k] * rx * g;
            grad[3 * k + 1] += nearest[k] * ry * g;
        }
    }
};

}  // namespace

template <class T>
void soft_color_forward(const FaceBatch& batch, const T* points, const T* colors, bool images_share_colors, int channels,
                        int height, int width, T sigma, T gamma, T reach, T near, T far, T eps, int threads, T* color,
                        T* background, T* transmittance, T* peak, T* total) {
    const TileGrid grid(height, width, kTileHeight, kTileWidth);
    const T margin = std::sqrt(reach * sigma);
    const TileBins bins = bin_faces(batch, grid, threads, [&](int64_t b, int64_t i) -> PixelBox {
        int64_t corner[3];
        batch.corners(b, i, corner);
        ColorTriangle<T> tri;
        if (!tri.set(points, corner)) return {0, -1, 0, -1};
        return pixels_within(tri.plane, margin, height, width);
    });
    const Forward<T> forward{batch, points, colors, images_share_colors, channels, sigma, margin, 1 / gamma, eps,
                             DepthRange<T>(near, far), color, background, transmittance, peak, total};
    parallel_for(batch.images * grid.tiles(), threads, [&](int64_t item) { forward.draw_tile(grid, bins, item); });
}

template <class T>
void soft_color_backward(const FaceBatch& batch, const T* points, const T* colors, bool images_share_colors, int channels,
                         int height, int width, T sigma, T gamma, T reach, T near, T far, int threads, const T* color,
                         const T* background, const T* transmittance, const T* peak, const T* total,
                         const T* grad_color, const T* grad_background, const T* grad_transmittance, T* grad_points,
                         T* grad_colors) {
    PixelGradients<T> pixels(batch.images, channels, height, width);
    parallel_for(batch.images * height, threads, [&](int64_t row) {
        pixels.fill_row(row, color, background, transmittance, peak, total, grad_color, grad_background,
                        grad_transmittance);
    });
    const T margin = std::sqrt(reach * sigma);
    const Backward<T> backward{1 / sigma, -reach, 1 / gamma, DepthRange<T>(near, far)};
    gather_face_gradients<T, 3>(batch, threads, grad_points, [&](int64_t b, int64_t i, const int64_t corner[3], T grad[9]) {
        ColorTriangle<T> tri;
        if (!tri.set(points, corner)) return false;
        const PixelBox box = pixels_within(tri.plane, margin, height, width);
        if (box.empty()) return false;
        tri.prepare();
        const int64_t slot = 3 * channels * batch.slot(b, i);
        backward.face_gradient(tri, colors + (images_share_colors ? 3 * channels * i : slot), box, pixels, b, grad,
                               grad_colors ? grad_colors + slot : nullptr);
        return true;
    });
}

#define INSTANTIATE(T)                                                                                                \
    template void soft_color_forward<T>(const FaceBatch&, const T*, const T*, bool, int, int, int, T, T, T, T, T, T,  \
                                        int, T*, T*, T*, T*, T*);                                                     \
    template void soft_color_backward<T>(const FaceBatch&, const T*, const T*, bool, int, int, int, T, T, T, T, T,    \
                                         int, const T*, const T*, const T*, const T*, const T*, const T*, const T*,   \
                                         const T*, T*, T*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
