// Soft colour on CUDA: the definitions are those of soft_color.h.
#include "soft_color/pair.h"

#include "cuda/accumulate.h"
#include "cuda/batch.h"
#include "cuda/kernels.h"
#include "cuda/tile.h"

namespace invgraph {
namespace cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kSome = 4;  // channels drawn at a time: more are drawn in several passes

template <class T>
__device__ T bounded_exp(T x) {
    return exp(minimum(maximum(x, -kMaxExponent<T>), kMaxExponent<T>));
}

// The colours of faces' corners, (drawn faces or, where images share them, faces of one image; 3; channels).
template <class T>
struct Colors {
    const T* data;
    int channels;
    bool shared;

    __device__ const T* of(const FaceBatch& batch, int64_t image, int64_t face) const {
        return data + 3 * channels * (shared ? face : batch.slot(image, face));
    }
};

template <class T>
struct Softness {
    T inverse_sigma, margin, lowest, inverse_gamma;
    DepthRange<T> range;
};

template <class T>
struct Staged {
    ColorTriangle<T> tri;
    T nearest, colors[3][kSome];
    PixelBox box;
};

template <class T>
__global__ void __launch_bounds__(kTileThreads)
    draw_kernel(FaceBatch batch, const T* points, Colors<T> colors, int first_channel, const int64_t* begin,
                const int32_t* faces, int height, int width, Softness<T> soft, T eps, T* color, T* background,
                T* transmittance, T* peak, T* total) {
    constexpr int kStaged = kStage<T> / 2;
    __shared__ Staged<T> staged[kStaged];
    const int some = minimum(colors.channels - first_channel, kSome);
    const TilePixel pixel(height, width);
    const bool inside = pixel.x < width && pixel.y < height;
    const T px = pixel.x + T(0.5), py = pixel.y + T(0.5);
    // the background is the first to be added: probability 1 at zhat = eps, and its colour is added by the caller
    T product = 1, nearest = eps, sum = 1, sums[kSome];
    for (int c = 0; c < kSome; ++c) sums[c] = 0;
    each_face_of_tile<kStaged>(
        pixel, faces, begin[blockIdx.x], begin[blockIdx.x + 1], staged,
        [&](int32_t face, Staged<T>& to) {
            int64_t corner[3];
            batch.corners(pixel.image, face, corner);
            to.tri.set(points, corner);
            to.tri.prepare();
            to.nearest = to.tri.largest_nearness(soft.range);
            to.box = pixels_within(to.tri.plane, soft.margin, height, width);
            const T* from = colors.of(batch, pixel.image, face) + first_channel;
            for (int k = 0; k < 3; ++k)
                for (int c = 0; c < some; ++c) to.colors[k][c] = from[k * colors.channels + c];
        },
        [&](const Staged<T>& from) {
            if (!(product <= kSaturated<T> || (nearest - from.nearest) * soft.inverse_gamma < kHidden<T>)) return;
            const T x = signed_squared_distance<T>(from.tri.plane, px, py) * soft.inverse_sigma;
            if (!(x > soft.lowest)) return;
            const T e = bounded_exp(x);
            product += product * e;

            const PlanePoint<T> seen = plane_point<T>(from.tri, px, py);
            const T nearness = relative_nearness<T>(soft.range, seen.depth);
            const T behind = (nearest - nearness) * soft.inverse_gamma;  // of the nearest so far, in the exponent
            if (!(behind < kHidden<T>)) return;
            const bool leads = behind < 0;
            const T ratio = bounded_exp(leads ? behind : -behind);
            const T rest = leads ? ratio : T(1);  // what remains of the sums so far
            const T weight = e / (1 + e) * (leads ? T(1) : ratio);
            if (leads) nearest = nearness;
            sum = sum * rest + weight;
            for (int c = 0; c < some; ++c)
                sums[c] = sums[c] * rest + weight * (seen.weight[0] * from.colors[0][c] +
                                                     seen.weight[1] * from.colors[1][c] + seen.weight[2] * from.colors[2][c]);
        },
        [&] { return !inside; });
    if (!inside) return;
    const int64_t at = (pixel.image * height + pixel.y) * width + pixel.x;
    const T inverse_total = 1 / sum;
    transmittance[at] = 1 / product;
    peak[at] = nearest;
    total[at] = sum;
    background[at] = exp((eps - nearest) * soft.inverse_gamma) * inverse_total;
    for (int c = 0; c < some; ++c) color[at * colors.channels + first_channel + c] = sums[c] * inverse_total;
}

// What the backward pass needs of every pixel, in three planes: the gradient of coverage, 1 / total (0 where no gradient
// comes through the colours), and the mean of the gradient over what the pixel mixes.
template <class T>
__global__ void terms_kernel(int64_t pixels, int channels, const T* color, const T* background, const T* transmittance,
                             const T* total, const T* grad_color, const T* grad_background, const T* grad_transmittance,
                             T* terms) {
    const int64_t at = thread_index();
    if (at >= pixels) return;
    T mean = grad_background[at] * background[at];
    bool flows = grad_background[at] != 0;
    for (int c = 0; c < channels; ++c) {
        const T g = grad_color[at * channels + c];
        mean += g * color[at * channels + c];
        flows |= g != 0;
    }
    const bool saturated = transmittance[at] * kSaturated<T> < 1;
    terms[at] = saturated ? T(0) : -grad_transmittance[at] * transmittance[at];
    terms[pixels + at] = flows ? 1 / total[at] : T(0);
    terms[2 * pixels + at] = mean;
}

// What both gradients of a face share.
template <class T>
struct FaceWork {
    FaceBatch batch;
    const T* points;
    Colors<T> colors;
    int height, width;
    Softness<T> soft;
    const T* peak;
    const T* terms;
    const T* grad_color;

    struct Unit {
        ColorTriangle<T> tri;
        PixelBox box;
        int64_t image;
        const T* colors;
        T nearest;
    };
    // One pixel as the face sees it.
    struct Seen {
        int64_t at;
        T px, py, probability, weight;  // weight: of the face's colour in the pixel's, 0 where it is hidden
        PlanePoint<T> point;
    };
    __device__ int64_t pixels() const { return batch.images * height * width; }
    __device__ int64_t open_face(int64_t index, Unit& unit) const {
        const Slot slot = slot_at(batch, index);
        int64_t corner[3];
        if (!corners_at(batch, slot, corner) || !unit.tri.set(points, corner)) return 0;
        unit.tri.prepare();
        unit.box = pixels_within(unit.tri.plane, soft.margin, height, width);
        unit.image = slot.image;
        unit.colors = colors.of(batch, slot.image, slot.face);
        unit.nearest = unit.tri.largest_nearness(soft.range);
        return pixels_of(unit.box);
    }
    // x: the face's x_f there; false where nothing comes back
    __device__ bool see(const Unit& unit, int64_t item, Seen& seen, T& x, T& rx, T& ry, T nearest[3]) const {
        int column, row;
        pixel_of(unit.box, item, column, row);
        seen.at = (unit.image * height + row) * width + column;
        const T inverse_total = terms[pixels() + seen.at], front = peak[seen.at];
        const bool visible = inverse_total != 0 && (unit.nearest - front) * soft.inverse_gamma > -kHidden<T>;
        if (terms[seen.at] == 0 && !visible) return false;
        seen.px = column + T(0.5);
        seen.py = row + T(0.5);
        x = signed_squared_distance<T>(unit.tri.plane, seen.px, seen.py, rx, ry, nearest) * soft.inverse_sigma;
        if (!(x > soft.lowest)) return false;
        seen.probability = 1 / (1 + bounded_exp(-x));
        seen.point = plane_point<T>(unit.tri, seen.px, seen.py);
        // at most 0, but for roundings that need not be those of the forward pass
        const T ahead = minimum((relative_nearness<T>(soft.range, seen.point.depth) - front) * soft.inverse_gamma, T(0));
        const bool adds = visible && ahead > -kHidden<T>;
        seen.weight = adds ? seen.probability * bounded_exp(ahead) * inverse_total : T(0);
        return true;
    }
};

// The gradient of a face's nine coordinates.
template <class T>
struct PointGradient : FaceWork<T> {
    using Number = T;
    static constexpr int kNumbers = 9;
    using typename FaceWork<T>::Unit;
    T* grad_faces;

    __device__ int64_t open(int64_t index, Unit& unit) const { return this->open_face(index, unit); }
    __device__ void add(const Unit& unit, int64_t item, T sums[9]) const {
        typename FaceWork<T>::Seen seen;
        T x, rx, ry, nearest[3], grad_log = 0;  // of the loss with respect to log (p_f exp(zhat_f / gamma))
        if (!this->see(unit, item, seen, x, rx, ry, nearest)) return;
        if (seen.weight != 0) {
            T grad_weight[3] = {0, 0, 0}, change = 0;
            const int channels = this->colors.channels;
            for (int c = 0; c < channels; ++c) {
                const T g = this->grad_color[seen.at * channels + c] * seen.weight;
                for (int k = 0; k < 3; ++k) grad_weight[k] += g * unit.colors[k * channels + c];
            }
            for (int k = 0; k < 3; ++k) change += grad_weight[k] * seen.point.weight[k];
            grad_log = change - seen.weight * this->terms[2 * this->pixels() + seen.at];
            plane_point_gradient<T>(unit.tri, this->soft.range, seen.px, seen.py, seen.point, grad_weight,
                                    grad_log * this->soft.inverse_gamma, sums);
        }
        // x_f moves the colours through log p_f and the coverage as in the soft silhouette; it changes sign with the side
        const T grad_x = grad_log * (1 - seen.probability) + this->terms[seen.at] * seen.probability;
        const T g = (x > 0 ? grad_x : -grad_x) * (T(-2) * this->soft.inverse_sigma);
        for (int k = 0; k < 3; ++k) {
            sums[3 * k] += nearest[k] * rx * g;
            sums[3 * k + 1] += nearest[k] * ry * g;
        }
    }
    __device__ void close(int64_t index, const Unit&, const T sums[9]) const {
        for (int n = 0; n < 9; ++n) grad_faces[9 * index + n] = sums[n];
    }
};

// The gradient of a face's colours, some channels at a time: unit = slot * passes + pass.
template <class T>
struct ColorGradient : FaceWork<T> {
    using Number = T;
    static constexpr int kNumbers = 3 * kSome;
    struct Unit : FaceWork<T>::Unit {
        int first, some;
    };
    int passes;
    T* grad_colors;

    __device__ int64_t open(int64_t index, Unit& unit) const {
        unit.first = static_cast<int>(index % passes) * kSome;
        unit.some = minimum(this->colors.channels - unit.first, kSome);
        return this->open_face(index / passes, unit);
    }
    __device__ void add(const Unit& unit, int64_t item, T sums[3 * kSome]) const {
        typename FaceWork<T>::Seen seen;
        T x, rx, ry, nearest[3];
        if (!this->see(unit, item, seen, x, rx, ry, nearest) || seen.weight == 0) return;
        for (int c = 0; c < unit.some; ++c) {
            const T g = this->grad_color[seen.at * this->colors.channels + unit.first + c] * seen.weight;
            for (int k = 0; k < 3; ++k) sums[k * kSome + c] += g * seen.point.weight[k];
        }
    }
    __device__ void close(int64_t index, const Unit& unit, const T sums[3 * kSome]) const {
        T* to = grad_colors + index / passes * 3 * this->colors.channels + unit.first;
        for (int k = 0; k < 3; ++k)
            for (int c = 0; c < unit.some; ++c) to[k * this->colors.channels + c] = sums[k * kSome + c];
    }
};

template <class T>
Softness<T> softness(const ColorNumbers& numbers) {
    const T sigma = T(numbers.sigma), reach = T(numbers.reach);
    return {1 / sigma, static_cast<T>(std::sqrt(reach * sigma)), -reach, 1 / T(numbers.gamma),
            DepthRange<T>(T(numbers.near), T(numbers.far))};
}

}  // namespace

template <class T>
void soft_color_forward(const Place& place, const FaceBatch& batch, const T* points, const T* colors,
                        bool images_share_colors, int channels, const int64_t* begin, const int32_t* faces, int height,
                        int width, const ColorNumbers& numbers, T* color, T* background, T* transmittance, T* peak, T* total) {
    const int64_t tiles = blocks_for(height, kTile) * blocks_for(width, kTile);
    for (int first = 0; first < channels; first += kSome)
        launch("soft_color_forward", place, batch.images * tiles, kTileThreads, draw_kernel<T>, batch, points,
               Colors<T>{colors, channels, images_share_colors}, first, begin, faces, height, width, softness<T>(numbers),
               T(numbers.eps), color, background, transmittance, peak, total);
}

template <class T>
void soft_color_backward(const Place& place, const FaceBatch& batch, int64_t slots, const T* points, const T* colors,
                         bool images_share_colors, int channels, int height, int width, const ColorNumbers& numbers,
                         const T* color, const T* background, const T* transmittance, const T* peak, const T* total,
                         const T* grad_color, const T* grad_background, const T* grad_transmittance, T* terms,
                         T* grad_faces, T* grad_colors) {
    const int64_t pixels = batch.images * height * width;
    launch("soft_color_backward, terms", place, blocks_for(pixels, kThreads), kThreads, terms_kernel<T>, pixels, channels,
           color, background, transmittance, total, grad_color, grad_background, grad_transmittance, terms);
    const FaceWork<T> work{batch, points, {colors, channels, images_share_colors}, height, width, softness<T>(numbers),
                           peak, terms, grad_color};
    accumulate("soft_color_backward", place, PointGradient<T>{work, grad_faces}, slots);
    if (!grad_colors) return;
    const int passes = (channels + kSome - 1) / kSome;
    accumulate("soft_color_backward, colours", place, ColorGradient<T>{work, passes, grad_colors}, slots * passes);
}

#define INSTANTIATE(T)                                                                                                 \
    template void soft_color_forward<T>(const Place&, const FaceBatch&, const T*, const T*, bool, int, const int64_t*, \
                                        const int32_t*, int, int, const ColorNumbers&, T*, T*, T*, T*, T*);                \
    template void soft_color_backward<T>(const Place&, const FaceBatch&, int64_t, const T*, const T*, bool, int, int,  \
                                         int, const ColorNumbers&, const T*, const T*, const T*, const T*, const T*,       \
                                         const T*, const T*, const T*, T*, T*, T*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace cuda
}  // namespace invgraph
