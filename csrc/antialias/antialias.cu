// Antialiasing on CUDA: the rules are those of antialias.h. Which edge has a gap does not depend on the order in which
// edges ask: all that may have it lie on the side of its nearer pixel, the outermost wins, and the lower index where they
// tie.
#include "antialias/crossing.h"
#include "cuda/batch.h"
#include "cuda/kernels.h"

namespace invgraph {
namespace cuda {
namespace {

constexpr int kThreads = 256, kWarps = kThreads / kWarp;
constexpr unsigned kUnclaimed = 0xffffffffu;  // -1, as crossing has it

// Edges of all images: image b's edge e, or in packed batches edge e in the image of its first (entry 0) or second face.
struct Edges {
    const int64_t* corners;  // (count, 2)
    const int64_t* faces;    // (count, 2)
    int64_t count;

    __device__ int64_t slots(const FaceBatch& batch) const { return (batch.ranges ? 2 : batch.images) * count; }
};

// An edge that outlines its faces in an image.
struct Silhouette {
    int64_t image;
    int32_t edge;
    int8_t side;  // 0: it does not
};

template <class T>
__device__ int facing_at(const FaceBatch& batch, int64_t image, int64_t face, const T* points) {
    int64_t corner[3];
    return corners_at(batch, {image, face}, corner) ? facing(points, corner) : 0;
}

template <class T>
__device__ Silhouette silhouette_at(const FaceBatch& batch, const Edges& edges, const T* points, int64_t slot) {
    const int64_t e = slot % edges.count, entry = slot / edges.count;
    const int64_t* corner = edges.corners + 2 * e;
    const int64_t* face = edges.faces + 2 * e;
    Silhouette found{entry, static_cast<int32_t>(e), 0};
    if (batch.ranges) {
        found.image = face[entry] < 0 ? -1 : image_of(batch, face[entry]);
        if (found.image < 0 || (entry == 1 && face[0] >= 0 && image_of(batch, face[0]) == found.image)) return found;
    }
    for (int k = 0; k < 2; ++k)
        if (corner[k] < 0 || corner[k] >= batch.verts_per_image) return found;
    int side[2] = {0, 0};
    for (int k = 0; k < 2; ++k) {
        const int64_t i = face[k] - batch.first(found.image);
        if (face[k] < 0 || i < 0 || i >= batch.count(found.image)) continue;
        const int facing = facing_at(batch, found.image, i, points);
        if (facing != 0) side[k] = side_of(batch.faces + 3 * face[k], corner, facing);
    }
    found.side = static_cast<int8_t>(common_side(side[0], side[1]));
    return found;
}

template <class T>
__device__ Crossing<T> line_of(const FaceBatch& batch, const Edges& edges, const T* points, int64_t image, int64_t edge) {
    const int64_t offset = batch.vertex_offset(image);
    return Crossing<T>(points, edges.corners[2 * edge] + offset, edges.corners[2 * edge + 1] + offset);
}

// Finds the silhouettes among a block's edges, each thread testing one, then hands them to its warps one by one, with
// the centre lines that they cross: visit(silhouette, slot, line, inner_first, from, to).
template <class T, class Visit>
__device__ void each_silhouette(const FaceBatch& batch, const Edges& edges, const T* points, int height, int width,
                                const Visit& visit) {
    __shared__ Silhouette found[kThreads];
    const int64_t first = static_cast<int64_t>(blockIdx.x) * kThreads, slot = first + threadIdx.x;
    found[threadIdx.x].side = 0;
    if (slot < edges.slots(batch)) found[threadIdx.x] = silhouette_at(batch, edges, points, slot);
    __syncthreads();
    for (int i = threadIdx.x / kWarp; i < kThreads; i += kWarps) {
        const Silhouette one = found[i];
        if (one.side == 0) continue;
        const Crossing<T> line = line_of(batch, edges, points, one.image, one.edge);
        int from, to;
        crossed_lines(line, 0, line.axis == 0 ? height : width, from, to);
        visit(one, first + i, line, first_is_inner(line, one.side), from, to);
    }
}

template <class T>
__global__ void claim_kernel(FaceBatch batch, const T* points, Edges edges, int height, int width, const T* depth,
                             unsigned* crossing) {
    each_silhouette(batch, edges, points, height, width,
                    [&](const Silhouette& one, int64_t, const Crossing<T>& line, bool inner_first, int from, int to) {
        const int64_t pixels = static_cast<int64_t>(height) * width, plane = (one.image * 2 + line.axis) * pixels;
        const unsigned mine = 2 * static_cast<unsigned>(one.edge) + inner_first;
        for (int i = from + threadIdx.x % kWarp; i < to; i += kWarp) {
            const int gap = gap_at(line, i, 0, (line.axis == 0 ? width : height) - 1);
            if (gap < 0) continue;
            const int64_t at = gap_pixel(line, i, gap, width);
            if (!outlines(line, inner_first, i, at, width, depth + one.image * pixels)) continue;
            const T along = i + T(0.5), distance = line.distance(along, gap, inner_first);
            unsigned holder = atomicCAS(crossing + plane + at, kUnclaimed, mine);
            while (holder != kUnclaimed) {
                const T rival = line_of(batch, edges, points, one.image, holder >> 1).distance(along, gap, inner_first);
                if (!(distance > rival || (distance == rival && mine < holder))) break;
                const unsigned seen = atomicCAS(crossing + plane + at, holder, mine);
                if (seen == holder) break;
                holder = seen;
            }
        }
    });
}

// An image's gaps and what they do to its pixels.
template <class T>
struct Gaps {
    FaceBatch batch;
    const T* points;
    Edges edges;
    int height, width, channels;
    const int32_t* crossing;

    struct Place {
        int64_t image;
        int y, x, channel;
    };
    __device__ bool place(int64_t index, Place& at) const {
        const int64_t pixel = index / channels;
        at.channel = static_cast<int>(index % channels);
        at.x = static_cast<int>(pixel % width);
        at.y = static_cast<int>(pixel / width % height);
        at.image = pixel / width / height;
        return at.image < batch.images;
    }
    // The blend across the gap that begins at pixel (y, x), or false.
    __device__ bool blend(int64_t image, int axis, int y, int x, Blend<T>& out) const {
        if (y < 0 || x < 0) return false;
        const int64_t pixel = static_cast<int64_t>(y) * width + x;
        const int32_t code = crossing[(image * 2 + axis) * height * width + pixel];
        if (code < 0) return false;
        out = blend_at(line_of(batch, edges, points, image, code >> 1), code, y, x, width);
        return true;
    }
    // value(giver, channel) blended into pixel (y, x) across its two gaps of one axis
    template <class Value>
    __device__ T blended(int64_t image, int axis, int y, int x, int c, const Value& value) const {
        const int64_t pixel = static_cast<int64_t>(y) * width + x;
        const T own = value(pixel, c);
        T result = own;
        Blend<T> m;
        if (blend(image, axis, axis == 0 ? y : y - 1, axis == 0 ? x - 1 : x, m) && m.taker == pixel)
            result += m.weight * (value(m.giver, c) - own);
        if (blend(image, axis, y, x, m) && m.taker == pixel) result += m.weight * (value(m.giver, c) - own);
        return result;
    }
    // The transpose of that: the gradient of pixel (y, x) given grad(pixel, channel) of what was blended.
    template <class Grad>
    __device__ T unblended(int64_t image, int axis, int y, int x, int c, const Grad& grad) const {
        const int64_t pixel = static_cast<int64_t>(y) * width + x;
        T result = grad(pixel, c);
        for (int side = 0; side < 2; ++side) {
            Blend<T> m;
            if (!blend(image, axis, axis == 1 && side == 0 ? y - 1 : y, axis == 0 && side == 0 ? x - 1 : x, m)) continue;
            if (m.taker == pixel) result -= m.weight * grad(pixel, c);
            else result += m.weight * grad(m.taker, c);
        }
        return result;
    }
    // one image's values after the rows were blended
    __device__ auto rows(int64_t image, const T* values) const {
        const T* mine = values + image * height * width * channels;
        return [this, image, mine](int64_t pixel, int c) {
            return blended(image, 0, static_cast<int>(pixel / width), static_cast<int>(pixel % width), c,
                           [this, mine](int64_t p, int n) { return mine[p * channels + n]; });
        };
    }
    // the gradient of those, given that of the result
    __device__ auto grad_rows(int64_t image, const T* grads) const {
        const T* mine = grads + image * height * width * channels;
        return [this, image, mine](int64_t pixel, int c) {
            return unblended(image, 1, static_cast<int>(pixel / width), static_cast<int>(pixel % width), c,
                             [this, mine](int64_t p, int n) { return mine[p * channels + n]; });
        };
    }
};

template <class T>
__global__ void blend_kernel(Gaps<T> gaps, const T* image, T* out) {
    const int64_t index = thread_index();
    typename Gaps<T>::Place at;
    if (gaps.place(index, at)) out[index] = gaps.blended(at.image, 1, at.y, at.x, at.channel, gaps.rows(at.image, image));
}

template <class T>
__global__ void grad_image_kernel(Gaps<T> gaps, const T* grad_out, T* grad_image) {
    const int64_t index = thread_index();
    typename Gaps<T>::Place at;
    if (gaps.place(index, at))
        grad_image[index] = gaps.unblended(at.image, 0, at.y, at.x, at.channel, gaps.grad_rows(at.image, grad_out));
}

// d loss / d blend weight of a gap, summed over the channels
template <class T, class Value, class Grad>
__device__ T weight_gradient(const Blend<T>& m, int channels, const Value& value, const Grad& grad) {
    T sum = 0;
    for (int c = 0; c < channels; ++c) sum += grad(m.taker, c) * (value(m.giver, c) - value(m.taker, c));
    return sum;
}

template <class T>
__global__ void grad_edges_kernel(Gaps<T> gaps, const T* image, const T* grad_out, T* grad_edges) {
    const int64_t slot = thread_index();
    if (slot < gaps.edges.slots(gaps.batch))
        for (int n = 0; n < 4; ++n) grad_edges[4 * slot + n] = 0;
    // (the barrier within each_silhouette puts these zeros before the sums)
    each_silhouette(gaps.batch, gaps.edges, gaps.points, gaps.height, gaps.width,
                    [&](const Silhouette& one, int64_t to_slot, const Crossing<T>& line, bool inner_first, int from, int to) {
        const int axis = line.axis, width = gaps.width, channels = gaps.channels;
        const int64_t pixels = static_cast<int64_t>(gaps.height) * width;
        const int32_t mine = 2 * one.edge + inner_first;
        const int32_t* plane = gaps.crossing + (one.image * 2 + axis) * pixels;
        const T* values = image + one.image * pixels * channels;
        const T* grads = grad_out + one.image * pixels * channels;
        T sums[2] = {0, 0};  // of the position at each end
        for (int i = from + threadIdx.x % kWarp; i < to; i += kWarp) {
            const int gap = gap_at(line, i, 0, (axis == 0 ? width : gaps.height) - 1);
            if (gap < 0 || plane[gap_pixel(line, i, gap, width)] != mine) continue;
            const Blend<T> m = blend_at(line, mine, axis == 0 ? i : gap, axis == 0 ? gap : i, width);
            const T g = m.rate * (axis == 1 ? weight_gradient(m, channels, gaps.rows(one.image, image),
                                                              [&](int64_t p, int c) { return grads[p * channels + c]; })
                                            : weight_gradient(m, channels,
                                                              [&](int64_t p, int c) { return values[p * channels + c]; },
                                                              gaps.grad_rows(one.image, grad_out)));
            const T s = line.fraction(m.along);
            sums[0] += g * (1 - s);
            sums[1] += g * s;
        }
        const T slope = line.slope();
        for (int end = 0; end < 2; ++end) {
            const T sum = warp_sum(sums[end]);
            if (threadIdx.x % kWarp != 0) continue;
            grad_edges[4 * to_slot + 2 * end + axis] = sum;
            grad_edges[4 * to_slot + 2 * end + 1 - axis] = to > from ? -sum * slope : T(0);
        }
    });
}

}  // namespace

template <class T>
void antialias_claim(const Place& place, const FaceBatch& batch, const T* points, const int64_t* edges,
                     const int64_t* edge_faces, int64_t edge_count, int height, int width, const T* depth,
                     int32_t* crossing) {
    const int64_t slots = (batch.ranges ? 2 : batch.images) * edge_count;
    launch("antialias_claim", place, blocks_for(slots, kThreads), kThreads, claim_kernel<T>, batch, points,
           Edges{edges, edge_faces, edge_count}, height, width, depth,
           reinterpret_cast<unsigned*>(crossing));
}

template <class T>
void antialias_blend(const Place& place, const FaceBatch& batch, const T* points, const int64_t* edges, int height,
                     int width, int channels, const T* image, const int32_t* crossing, T* out) {
    const Gaps<T> gaps{batch, points, {edges, nullptr, 0}, height, width, channels, crossing};
    launch("antialias_blend", place, blocks_for(batch.images * height * width * channels, kThreads), kThreads,
           blend_kernel<T>, gaps, image, out);
}

template <class T>
void antialias_backward_image(const Place& place, const FaceBatch& batch, const T* points, const int64_t* edges, int height,
                              int width, int channels, const int32_t* crossing, const T* grad_out, T* grad_image) {
    const Gaps<T> gaps{batch, points, {edges, nullptr, 0}, height, width, channels, crossing};
    launch("antialias_backward_image", place, blocks_for(batch.images * height * width * channels, kThreads), kThreads,
           grad_image_kernel<T>, gaps, grad_out, grad_image);
}

template <class T>
void antialias_backward_edges(const Place& place, const FaceBatch& batch, const T* points, const int64_t* edges,
                              const int64_t* edge_faces, int64_t edge_count, int height, int width, int channels,
                              const T* image, const int32_t* crossing, const T* grad_out, T* grad_edges) {
    const Gaps<T> gaps{batch, points, {edges, edge_faces, edge_count}, height, width, channels, crossing};
    const int64_t slots = (batch.ranges ? 2 : batch.images) * edge_count;
    launch("antialias_backward_edges", place, blocks_for(slots, kThreads), kThreads, grad_edges_kernel<T>, gaps, image,
           grad_out, grad_edges);
}

#define INSTANTIATE(T)                                                                                                 \
    template void antialias_claim<T>(const Place&, const FaceBatch&, const T*, const int64_t*, const int64_t*, int64_t, \
                                     int, int, const T*, int32_t*);                                     \
    template void antialias_blend<T>(const Place&, const FaceBatch&, const T*, const int64_t*, int, int, int, const T*, \
                                     const int32_t*, T*);                                                              \
    template void antialias_backward_image<T>(const Place&, const FaceBatch&, const T*, const int64_t*, int, int, int, \
                                              const int32_t*, const T*, T*);                                           \
    template void antialias_backward_edges<T>(const Place&, const FaceBatch&, const T*, const int64_t*,                \
                                              const int64_t*, int64_t, int, int, int, const T*, const int32_t*,        \
                                              const T*, T*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace cuda
}  // namespace invgraph
