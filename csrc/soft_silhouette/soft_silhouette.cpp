#include "soft_silhouette/soft_silhouette.h"

#include <algorithm>
#include <cmath>

#include "common/pixel_block.h"
#include "common/scatter.h"
#include "common/tiles.h"
#include "soft_silhouette/edge_lines.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {
namespace {

constexpr int kTileHeight = 32, kTileWidth = 64;

// 2^x and 2^-x stay finite, and the product of such factors may only ever overflow to infinity: transmittance 0.
template <class T>
constexpr T kMaxExponent = sizeof(T) == 4 ? T(120) : T(1000);

// What turns squared distances into exponents of 2, and the least exponent that counts.
template <class T>
struct Softness {
    T scale, lowest;

    Softness(T sigma, T reach)
        : scale(static_cast<T>(1.44269504088896340736) / sigma), lowest(static_cast<T>(-1.44269504088896340736) * reach) {}
};

// Multiplies the pixels of a box, in rows of `stride` from `product` on, by the face's 1 + e^x.
template <class T, class Block>
void multiply(Block, const EdgeLines<T>& lines, int face, const SmallBox& box, const Softness<T>& soft, T* product,
              int stride) {
    const Vec<T> zero{}, inside = broadcast(soft.scale), lowest = broadcast(soft.lowest);
    const Vec<T> most = broadcast(kMaxExponent<T>);
    for (int x = box.x0; x <= box.x1; x += Block::width) {
        const EdgeWalk<T> walk(lines, face, x + T(0.5), box.y0 + T(0.5), Block::columns(), Block::rows());
        Vec<T> down{};  // rows from the first block, counted in a vector: a product with a number would be broadcast anew
        for (int y = box.y0; y <= box.y1; y += Block::height, down += T(Block::height)) {
            T* at = product + (y - box.y0) * stride + (x - box.x0);
            const Vec<T> p = Block::load_block(at, stride);
            if (!any(p <= kSaturated<T>)) continue;
            Vec<T> d2{}, least{};
            for (int k = 0; k < 3; ++k) {
                const Vec<T> across = walk.across[k] + down * walk.across_down[k];
                const Vec<T> along = walk.along[k] + down * walk.along_down[k];
                const Vec<T> beyond = maximum(absolute<T>(along) - walk.half[k], zero);  // an end of the edge
                const Vec<T> edge_d2 = across * across + beyond * beyond;
                d2 = k == 0 ? edge_d2 : minimum(d2, edge_d2);
                least = k == 0 ? across : minimum(least, across);
            }
            const Vec<T> e = d2 * select(least > walk.least, inside, -inside);
            const auto counted = e > lowest;
            if (!any(counted)) continue;
            const Vec<T> factor = exp2<T>(minimum(maximum(e, -most), most));
            Block::store_block(at, stride, select(counted, p + p * factor, p));  // p + p * 0: p may be infinite
        }
    }
}

template <class T>
void draw_tile(const FaceBatch& batch, const T* points, const TileGrid& grid, const TileBins& bins, int64_t item,
               const Softness<T>& soft, T* alpha, T* transmittance) {
    const int64_t b = item / grid.tiles(), tile = item % grid.tiles();
    const int y0 = static_cast<int>(tile / grid.columns) * kTileHeight;
    const int x0 = static_cast<int>(tile % grid.columns) * kTileWidth;
    const int y1 = std::min(y0 + kTileHeight, grid.height), x1 = std::min(x0 + kTileWidth, grid.width);
    constexpr int kStride = kTileWidth + kOverhang<T>, kRows = kTileHeight + kOverhang<T>;
    alignas(kVectorBytes) T product[kRows * kStride];
    std::fill(product, product + kRows * kStride, T(1));

    auto saturated = [&] {
        for (int y = 0; y < y1 - y0; ++y)
            for (int x = 0; x < x1 - x0; ++x)
                if (!(product[y * kStride + x] > kSaturated<T>)) return false;
        return true;
    };
    FaceGroup<T, 2> group;
    EdgeLines<T> lines;
    const int32_t* face = bins.faces.get() + bins.begin[item];
    const int32_t* end = bins.faces.get() + bins.begin[item + 1];
    for (int since_check = 0; face < end; face += kLanes<T>, since_check += kLanes<T>) {
        if (since_check >= 256) {
            if (saturated()) break;
            since_check = 0;
        }
        const int count = static_cast<int>(std::min<int64_t>(kLanes<T>, end - face));
        group.load_faces(batch, b, points, count, [&](int lane) { return face[lane]; });
        lines.set(group);
        for (int i = 0; i < count; ++i) {
            const SmallBox box = bins.box(batch, b, face[i]).within(x0, x1 - 1, y0, y1 - 1);
            T* first = product + (box.y0 - y0) * kStride + (box.x0 - x0);
            with_block<T>(box.x1 - box.x0 + 1, box.y1 - box.y0 + 1,
                          [&](auto block) { multiply(block, lines, i, box, soft, first, kStride); });
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

// Sums over the pixels whose nearest edge is k, with g = d alpha / d (squared distance) and the pixel's nearest point `at`
// along the edge from its middle: of g * across, g * across * at, g * beyond, g * beyond * at.
template <class T>
struct EdgeSums {
    alignas(kVectorBytes) T parts[3][4][kLanes<T>][kLanes<T>];  // of each face of a group, still to be added up

    void set(int face, const Vec<T> of[3][4]) {
        for (int k = 0; k < 3; ++k)
            for (int n = 0; n < 4; ++n) store(parts[k][n][face], of[k][n]);
    }
    void clear(int face) {
        const Vec<T> none[3][4]{};
        set(face, none);
    }
    Vec<T> total(int k, int n) const { return invgraph::sums<T>(parts[k][n]); }
};

// The sums of one face over a box, with weight(p) = grad_alpha(p) * transmittance(p) in rows of `stride` from its corner on.
template <class T, class Block>
void sum_box(Block, const EdgeLines<T>& lines, int face, const SmallBox& box, const Softness<T>& soft, const T* weight,
             int64_t stride, EdgeSums<T>& sums) {
    const Vec<T> zero{}, one = zero + T(1), inside = broadcast(soft.scale), lowest = broadcast(soft.lowest);
    const Vec<T> most = broadcast(kMaxExponent<T>);
    Vec<T> sum_of[3][4];
    for (auto& of_edge : sum_of)
        for (Vec<T>& v : of_edge) v = zero;
    for (int x = box.x0; x <= box.x1; x += Block::width) {
        const EdgeWalk<T> walk(lines, face, x + T(0.5), box.y0 + T(0.5), Block::columns(), Block::rows());
        Vec<T> down{};
        for (int y = box.y0; y <= box.y1; y += Block::height, down += T(Block::height)) {
            // lanes beyond the box hold pixels beyond the reach, or beyond the image, where the weight is 0
            const Vec<T> w = Block::load_block(weight + (y - box.y0) * stride + (x - box.x0), stride);
            if (!any(w != zero)) continue;
            Vec<T> across[3], at[3], beyond[3], d2[3];
            for (int k = 0; k < 3; ++k) {
                across[k] = walk.across[k] + down * walk.across_down[k];
                const Vec<T> along = walk.along[k] + down * walk.along_down[k];
                at[k] = minimum(maximum(along, -walk.half[k]), walk.half[k]);
                beyond[k] = along - at[k];
                d2[k] = across[k] * across[k] + beyond[k] * beyond[k];
            }
            const Vec<T> nearest = minimum(minimum(d2[0], d2[1]), d2[2]);
            const auto covers = minimum(minimum(across[0], across[1]), across[2]) > walk.least;
            const Vec<T> e = nearest * select(covers, inside, -inside);
            const auto counted = e > lowest;
            if (!any(counted)) continue;
            // d alpha / d x = transmittance * sigmoid(x), and x changes sign with the side of the outline
            const Vec<T> sigmoid = one / (one + exp2<T>(-minimum(maximum(e, -most), most)));
            const Vec<T> g = select(counted, select(covers, w, -w) * sigmoid, zero);
            const auto first = d2[0] <= nearest, second = ~first & (d2[1] <= nearest);
            for (int k = 0; k < 3; ++k) {
                const Vec<T> mine = k == 0 ? select(first, g, zero) : k == 1 ? select(second, g, zero)
                                                                             : select(first | second, zero, g);
                const Vec<T> sideways = mine * across[k], onward = mine * beyond[k];
                sum_of[k][0] += sideways;
                sum_of[k][1] += sideways * at[k];
                sum_of[k][2] += onward;
                sum_of[k][3] += onward * at[k];
            }
        }
    }
    sums.set(face, sum_of);
}

// The gradients of a group's corners. The offset r of a pixel from its nearest point is across * normal + beyond *
// direction; that point lies at t = 1/2 + at / length between the edge's corners, 0 on an edge of no length;
// d (d^2) / d corner = -2 (1 - t) r for the one and -2 t r for the other (the nearest point is a minimum, so its own motion
// along the edge adds nothing).
template <class T>
void corner_gradients(const EdgeLines<T>& lines, const EdgeSums<T>& sums, T sigma, T grad[6][kLanes<T>]) {
    const Vec<T> zero{}, factor = broadcast(T(-2) / sigma), side = load(lines.side);
    Vec<T> gx[3]{}, gy[3]{};
    for (int k = 0; k < 3; ++k) {
        const Vec<T> dx = load(lines.dx[k]), dy = load(lines.dy[k]), half = load(lines.half[k]);
        const Vec<T> inverse = select(half > zero, T(0.5) / select(half > zero, half, zero + T(1)), zero);  // 1 / length
        const Vec<T> sideways = sums.total(k, 0), onward = sums.total(k, 2);
        const Vec<T> middle = select(half > zero, zero + T(0.5), zero);
        const Vec<T> sideways_end = sideways * middle + sums.total(k, 1) * inverse;
        const Vec<T> onward_end = onward * middle + sums.total(k, 3) * inverse;
        const Vec<T> all_x = onward * dx - sideways * side * dy, all_y = onward * dy + sideways * side * dx;
        const Vec<T> end_x = onward_end * dx - sideways_end * side * dy, end_y = onward_end * dy + sideways_end * side * dx;
        const int next = next_corner(k);
        gx[k] += all_x - end_x, gy[k] += all_y - end_y;
        gx[next] += end_x, gy[next] += end_y;
    }
    for (int k = 0; k < 3; ++k) store(grad[2 * k], factor * gx[k]), store(grad[2 * k + 1], factor * gy[k]);
}

}  // namespace

template <class T>
void soft_silhouette_forward(const FaceBatch& batch, const T* points, int height, int width, T sigma, T reach,
                             int threads, T* alpha, T* transmittance) {
    const TileGrid grid(height, width, kTileHeight, kTileWidth);
    const Softness<T> soft(sigma, reach);
    const TileBins bins = bin_triangles<T, 2>(batch, points, std::sqrt(reach * sigma), grid, threads);
    parallel_for(batch.images * grid.tiles(), threads, [&](int64_t item) {
        draw_tile(batch, points, grid, bins, item, soft, alpha, transmittance);
    });
}

template <class T>
void soft_silhouette_backward(const FaceBatch& batch, const T* points, int height, int width, T sigma, T reach,
                              int threads, const T* transmittance, const T* grad_alpha, T* grad_points) {
    const int64_t stride = width + kOverhang<T>, rows = height + kOverhang<T>;
    const Scratch<T> weight(batch.images * rows * stride);
    parallel_for(batch.images * rows, threads, [&](int64_t row) {
        const int64_t b = row / rows, y = row % rows;
        T* to = weight.get() + row * stride;
        const int64_t from = (b * height + y) * width;
        const int filled = y < height ? width : 0;
        for (int x = 0; x < filled; ++x) to[x] = grad_alpha[from + x] * transmittance[from + x];
        std::fill(to + filled, to + stride, T(0));
    });
    const T margin = std::sqrt(reach * sigma);
    const Softness<T> soft(sigma, reach);
    gather_group_gradients<T, 2>(batch, threads, points, grad_points, [&](int64_t b, const FaceGroup<T, 2>& group, int count, T grad[6][kLanes<T>]) {
        SmallBox boxes[kLanes<T>];
        group.boxes(margin, height, width, boxes);
        EdgeLines<T> lines;
        lines.set(group);
        EdgeSums<T> sums;
        uint32_t present = 0;
        for (int i = 0; i < kLanes<T>; ++i) {
            const SmallBox box = boxes[i];
            if (i >= count || box.empty()) {
                sums.clear(i);
                continue;
            }
            present |= 1u << i;
            const T* first = weight.get() + (b * rows + box.y0) * stride + box.x0;
            with_block<T>(box.x1 - box.x0 + 1, box.y1 - box.y0 + 1,
                          [&](auto block) { sum_box(block, lines, i, box, soft, first, stride, sums); });
        }
        corner_gradients(lines, sums, sigma, grad);
        return present;
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
