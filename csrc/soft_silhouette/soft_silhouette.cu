// Soft silhouette on CUDA: the definitions are those of soft_silhouette.h.
#include "cuda/accumulate.h"
#include "cuda/batch.h"
#include "cuda/kernels.h"
#include "cuda/tile.h"

namespace invgraph {
namespace cuda {
namespace {

// e^x and e^-x stay finite.
template <class T>
constexpr T kMaxExponent = sizeof(T) == 4 ? T(80) : T(700);

template <class T>
struct Staged {
    Triangle<T> tri;
    PixelBox box;
};

template <class T>
__global__ void __launch_bounds__(kTileThreads)
    draw_kernel(FaceBatch batch, const T* points, const int64_t* begin, const int32_t* faces, int height, int width,
                T sigma, T margin, T* alpha, T* transmittance) {
    __shared__ Staged<T> staged[kStage<T>];
    const TilePixel pixel(height, width);
    const bool inside = pixel.x < width && pixel.y < height;
    const T px = pixel.x + T(0.5), py = pixel.y + T(0.5);
    const T inverse_sigma = 1 / sigma, lowest = -margin * margin / sigma;
    T product = 1;
    each_face_of_tile<kStage<T>>(
        pixel, faces, begin[blockIdx.x], begin[blockIdx.x + 1], staged,
        [&](int32_t face, Staged<T>& to) {
            int64_t corner[3];
            batch.corners(pixel.image, face, corner);
            to.tri.set(points, 2, corner);
            to.tri.prepare();
            to.box = pixels_within(to.tri, margin, height, width);
        },
        [&](const Staged<T>& from) {
            const T e = signed_squared_distance<T>(from.tri, px, py) * inverse_sigma;
            if (e > lowest) product += product * exp(minimum(maximum(e, -kMaxExponent<T>), kMaxExponent<T>));
        },
        [&] { return !inside || product > kSaturated<T>; });
    if (!inside) return;
    const int64_t at = (pixel.image * height + pixel.y) * width + pixel.x;
    const T t = 1 / product;
    transmittance[at] = t;
    alpha[at] = 1 - t;
}

// The gradient of a face's six coordinates, over the pixels within its reach.
template <class T>
struct FaceGradient {
    using Number = T;
    static constexpr int kNumbers = 6;
    FaceBatch batch;
    const T* points;
    int height, width;
    T inverse_sigma, margin, lowest;
    const T* transmittance;
    const T* grad_alpha;
    T* grad_faces;

    struct Unit {
        Triangle<T> tri;
        PixelBox box;
        int64_t image;
    };
    __device__ int64_t open(int64_t index, Unit& unit) const {
        const Slot slot = slot_at(batch, index);
        int64_t corner[3];
        if (!corners_at(batch, slot, corner) || !unit.tri.set(points, 2, corner)) return 0;
        unit.tri.prepare();
        unit.box = pixels_within(unit.tri, margin, height, width);
        unit.image = slot.image;
        return pixels_of(unit.box);
    }
    __device__ void add(const Unit& unit, int64_t item, T sums[6]) const {
        int x, y;
        pixel_of(unit.box, item, x, y);
        const int64_t at = (unit.image * height + y) * width + x;
        const T weight = grad_alpha[at] * transmittance[at];
        if (weight == 0) return;
        T rx, ry, corner_weight[3];
        const T e =
            signed_squared_distance<T>(unit.tri, x + T(0.5), y + T(0.5), rx, ry, corner_weight) * inverse_sigma;
        if (!(e > lowest)) return;
        // d alpha / d x = transmittance * sigmoid(x), and x changes sign with the side of the outline
        const T bounded = minimum(maximum(e, -kMaxExponent<T>), kMaxExponent<T>);
        const T g = weight / (1 + exp(-bounded)) * (e > 0 ? T(1) : T(-1));
        for (int k = 0; k < 3; ++k) {
            sums[2 * k] += corner_weight[k] * (rx * g);
            sums[2 * k + 1] += corner_weight[k] * (ry * g);
        }
    }
    __device__ void close(int64_t index, const Unit&, const T sums[6]) const {
        for (int n = 0; n < 6; ++n) grad_faces[6 * index + n] = T(-2) * inverse_sigma * sums[n];
    }
};

}  // namespace

template <class T>
void soft_silhouette_forward(const Place& place, const FaceBatch& batch, const T* points, const int64_t* begin,
                             const int32_t* faces, int height, int width, T sigma, T reach, T* alpha,
                             T* transmittance) {
    const int64_t tiles = blocks_for(height, kTile) * blocks_for(width, kTile);
    launch("soft_silhouette_forward", place, batch.images * tiles, kTileThreads, draw_kernel<T>, batch, points, begin,
           faces, height, width, sigma, static_cast<T>(std::sqrt(reach * sigma)), alpha, transmittance);
}

template <class T>
void soft_silhouette_backward(const Place& place, const FaceBatch& batch, int64_t slots, const T* points, int height,
                              int width, T sigma, T reach, const T* transmittance, const T* grad_alpha, T* grad_faces) {
    const FaceGradient<T> work{batch,  points,        height,     width,     1 / sigma, static_cast<T>(std::sqrt(reach * sigma)),
                               -reach, transmittance, grad_alpha, grad_faces};
    accumulate("soft_silhouette_backward", place, work, slots);
}

#define INSTANTIATE(T)                                                                                                \
    template void soft_silhouette_forward<T>(const Place&, const FaceBatch&, const T*, const int64_t*, const int32_t*, \
                                             int, int, T, T, T*, T*);                                                 \
    template void soft_silhouette_backward<T>(const Place&, const FaceBatch&, int64_t, const T*, int, int, T, T,      \
                                              const T*, const T*, T*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace cuda
}  // namespace invgraph
