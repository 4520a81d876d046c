// Antialiasing on CUDA: the rules are those of antialias.h. Which edge has a gap does not depend on the order in which
// edges ask: all that may have it lie on the side of its nearer pixel, the outermost wins, and the lower index where they
// tie.
#include "antialias/gaps.h"
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

// The gaps of a batch, and its pixels in the order of the results.
template <class T>
struct Batch {
    FaceBatch faces;
    const T* points;
    Edges edges;
    int height, width, channels;
    const int32_t* crossing;
    const T* depth;

    __device__ int64_t pixels() const { return static_cast<int64_t>(height) * width; }
    __device__ Gaps<T> gaps(int64_t image) const {
        return {points, edges.corners, faces.vertex_offset(image), crossing + image * 2 * pixels(), height, width};
    }
    // The picture of an image, null for the mask that its depth makes.
    __device__ Pixels<T> picture(int64_t image, const T* values) const {
        return {values ? values + image * pixels() * channels : nullptr, depth + image * pixels(), channels};
    }
};

template <class T>
__global__ void blend_kernel(Batch<T> batch, const T* image, T* out) {
    const int64_t index = thread_index(), pixel = index / batch.channels, b = pixel / batch.pixels();
    if (b >= batch.faces.images) return;
    const Rows<T> rows{batch.gaps(b), batch.picture(b, image)};
    out[index] = rows.gaps.blended(1, pixel % batch.pixels(), static_cast<int>(index % batch.channels), rows);
}

template <class T>
__global__ void grad_image_kernel(Batch<T> batch, const T* grad_out, T* grad_image) {
    const int64_t index = thread_index(), pixel = index / batch.channels, b = pixel / batch.pixels();
    if (b >= batch.faces.images) return;
    const GradRows<T> grad_rows{batch.gaps(b), batch.picture(b, grad_out)};
    grad_image[index] =
        grad_rows.gaps.unblended(0, pixel % batch.pixels(), static_cast<int>(index % batch.channels), grad_rows);
}

template <class T>
__global__ void grad_edges_kernel(Batch<T> batch, const T* image, const T* grad_out, T* grad_edges) {
    const int64_t slot = thread_index();
    if (slot < batch.edges.slots(batch.faces))
        for (int n = 0; n < 4; ++n) grad_edges[4 * slot + n] = 0;
    // (the barrier within each_silhouette puts these zeros before the sums)
    each_silhouette(batch.faces, batch.edges, batch.points, batch.height, batch.width,
                    [&](const Silhouette& one, int64_t to_slot, const Crossing<T>& line, bool inner_first, int from, int to) {
        const int axis = line.axis, width = batch.width;
        const int32_t mine = 2 * one.edge + inner_first;
        const Gaps<T> gaps = batch.gaps(one.image);
        const Pixels<T> values = batch.picture(one.image, image), grads = batch.picture(one.image, grad_out);
        const int32_t* plane = gaps.crossing + axis * batch.pixels();
        T sums[2] = {0, 0};  // of the position at each end
        for (int i = from + threadIdx.x % kWarp; i < to; i += kWarp) {
            const int gap = gap_at(line, i, 0, (axis == 0 ? width : batch.height) - 1);
            if (gap < 0 || plane[gap_pixel(line, i, gap, width)] != mine) continue;
            const Blend<T> m = blend_at(line, mine, axis == 0 ? i : gap, axis == 0 ? gap : i, width);
            const T g = m.rate * weight_gradient(gaps, axis, m, values, grads), s = line.fraction(m.along);
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
void antialias_blend(const Place& place, const FaceBatch& faces, const T* points, const int64_t* edges, int height,
                     int width, int channels, const T* depth, const T* image, const int32_t* crossing, T* out) {
    const Batch<T> batch{faces, points, {edges, nullptr, 0}, height, width, channels, crossing, depth};
    launch("antialias_blend", place, blocks_for(faces.images * height * width * channels, kThreads), kThreads,
           blend_kernel<T>, batch, image, out);
}

template <class T>
void antialias_backward_image(const Place& place, const FaceBatch& faces, const T* points, const int64_t* edges, int height,
                              int width, int channels, const T* depth, const int32_t* crossing, const T* grad_out,
                              T* grad_image) {
    const Batch<T> batch{faces, points, {edges, nullptr, 0}, height, width, channels, crossing, depth};
    launch("antialias_backward_image", place, blocks_for(faces.images * height * width * channels, kThreads), kThreads,
           grad_image_kernel<T>, batch, grad_out, grad_image);
}

template <class T>
void antialias_backward_edges(const Place& place, const FaceBatch& faces, const T* points, const int64_t* edges,
                              const int64_t* edge_faces, int64_t edge_count, int height, int width, int channels,
                              const T* depth, const T* image, const int32_t* crossing, const T* grad_out, T* grad_edges) {
    const Batch<T> batch{faces, points, {edges, edge_faces, edge_count}, height, width, channels, crossing, depth};
    launch("antialias_backward_edges", place, blocks_for((faces.ranges ? 2 : faces.images) * edge_count, kThreads), kThreads,
           grad_edges_kernel<T>, batch, image, grad_out, grad_edges);
}

#define INSTANTIATE(T)                                                                                                 \
    template void antialias_claim<T>(const Place&, const FaceBatch&, const T*, const int64_t*, const int64_t*, int64_t, \
                                     int, int, const T*, int32_t*);                                                    \
    template void antialias_blend<T>(const Place&, const FaceBatch&, const T*, const int64_t*, int, int, int, const T*, \
                                     const T*, const int32_t*, T*);                                                    \
    template void antialias_backward_image<T>(const Place&, const FaceBatch&, const T*, const int64_t*, int, int, int, \
                                              const T*, const int32_t*, const T*, T*);                                 \
    template void antialias_backward_edges<T>(const Place&, const FaceBatch&, const T*, const int64_t*,                \
                                              const int64_t*, int64_t, int, int, int, const T*, const T*,              \
                                              const int32_t*, const T*, T*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace cuda
}  // namespace invgraph
