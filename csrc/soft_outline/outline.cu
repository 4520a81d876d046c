// The outline on CUDA, as parts of silhouette edges, by the steps of outline.cpp. Each list is counted first and filled
// after a prefix sum, in the order of the edges.
#include "cuda/batch.h"
#include "cuda/kernels.h"
#include "soft_outline/parts.h"

namespace invgraph {
namespace cuda {
namespace {

constexpr int kThreads = 256;

// Edge `edge` in one image; packed: slot 2 e + k is edge e in the image of its k-th face.
struct EdgeSlot {
    int64_t image, edge;  // image -1: none, or the same as that of the other slot
    int64_t local[2];     // its faces in the image; -1 where there is none
};

__device__ inline EdgeSlot edge_slot(const FaceBatch& batch, const int64_t* edges, const int64_t* edge_faces,
                                     int64_t edge_count, int64_t slot) {
    EdgeSlot at{slot / edge_count, slot % edge_count, {-1, -1}};
    if (batch.ranges) at.edge = slot / 2;
    const int64_t* face = edge_faces + 2 * at.edge;
    if (batch.ranges) {
        at.image = face[slot % 2] < 0 ? -1 : image_of(batch, face[slot % 2]);
        if (at.image >= 0 && slot % 2 == 1 && face[0] >= 0 && image_of(batch, face[0]) == at.image) at.image = -1;
        if (at.image < 0) return at;
    }
    for (int k = 0; k < 2; ++k) {
        if (edges[2 * at.edge + k] < 0 || edges[2 * at.edge + k] >= batch.verts_per_image) at.image = -1;
        const int64_t i = face[k] - batch.first(at.image < 0 ? 0 : at.image);
        if (at.image >= 0 && face[k] >= 0 && i >= 0 && i < batch.count(at.image)) at.local[k] = i;
    }
    return at;
}

// The code of a silhouette edge, 2 * edge + (1 if its side is positive), or -1.
template <class T>
__device__ int32_t silhouette_code(const FaceBatch& batch, const EdgeSlot& at, const int64_t* edges, const T* points) {
    if (at.image < 0) return -1;
    int side[2] = {0, 0};
    for (int k = 0; k < 2; ++k) {
        int64_t corner[3];
        if (at.local[k] < 0 || !corners_at(batch, {at.image, at.local[k]}, corner)) continue;
        const int64_t* face = batch.faces + 3 * (batch.first(at.image) + at.local[k]);
        side[k] = side_of(face, edges + 2 * at.edge, facing(points, corner));
    }
    const int common = common_side(side[0], side[1]);
    return common == 0 ? -1 : static_cast<int32_t>(2 * at.edge + (common > 0));
}

__host__ __device__ inline int64_t cell_tiles(int height, int width) {
    return static_cast<int64_t>(height / kCellTile + 1) * (width / kCellTile + 1);
}

// Counts candidates if `ends` is null, else fills their list.
template <class T>
__global__ void candidates_kernel(FaceBatch batch, int64_t slots, const T* points, const int64_t* edges,
                                  const int64_t* edge_faces, int64_t edge_count, const T* depth, int height, int width,
                                  T margin, int32_t* counts, const int64_t* ends, int32_t* candidates, T* cuts,
                                  uint8_t* wanted) {
    const int64_t slot = thread_index();
    if (slot >= slots) return;
    int64_t count = 0, to = ends ? ends[slot] - counts[slot] : 0;
    const EdgeSlot at = edge_slot(batch, edges, edge_faces, edge_count, slot);
    const int32_t code = silhouette_code(batch, at, edges, points);
    if (code >= 0) {
        const OutlineEdge<T> edge = edge_of(batch, at.image, points, edges, code);
        const CellGrid<T> grid(height, width, depth + at.image * height * width);
        if (may_outline(edge, height, width, margin))
            walk_open_cells(grid, edge, [&](T t0, T t1, int tile) {
                if (ends) {
                    const int64_t n = to + count;
                    candidates[3 * n] = static_cast<int32_t>(at.image);
                    candidates[3 * n + 1] = code;
                    candidates[3 * n + 2] = tile;
                    cuts[2 * n] = t0;
                    cuts[2 * n + 1] = t1;
                    wanted[at.image * cell_tiles(height, width) + tile] = 1;
                }
                ++count;
            });
    }
    if (!ends) counts[slot] = static_cast<int32_t>(count);
}

// Counts the wanted tiles of each face if `ends` is null, else fills the pairs of tile and face.
template <class T>
__global__ void faces_kernel(FaceBatch batch, int64_t slots, const T* points, int height, int width, T margin,
                             const uint8_t* wanted, int32_t* counts, const int64_t* ends, int32_t* tile, int32_t* face) {
    const int64_t index = thread_index();
    if (index >= slots) return;
    const Slot slot = slot_at(batch, index);
    int64_t corner[3], to = ends ? ends[index] - counts[index] : 0;
    int32_t count = 0;
    PixelBox box;
    if (corners_at(batch, slot, corner) && cells_of_face(points, corner, height, width, margin, box)) {
        const int columns = width / kCellTile + 1;
        for (int y = box.y0 / kCellTile; y <= box.y1 / kCellTile; ++y)
            for (int x = box.x0 / kCellTile; x <= box.x1 / kCellTile; ++x) {
                const int64_t at = slot.image * cell_tiles(height, width) + static_cast<int64_t>(y) * columns + x;
                if (!wanted[at]) continue;
                if (ends) {
                    tile[to + count] = static_cast<int32_t>(at);
                    face[to + count] = static_cast<int32_t>(slot.face);
                }
                ++count;
            }
    }
    if (!ends) counts[index] = count;
}

// Counts the visible parts of each candidate if `ends` is null, else fills their list.
template <class T>
__global__ void parts_kernel(FaceBatch batch, int64_t count, const T* points, const int64_t* edges,
                             const int64_t* edge_faces, int height, int width, T least_pixels, const int32_t* candidates,
                             const T* candidate_cuts, const int64_t* begin, const int32_t* faces, int32_t* counts,
                             const int64_t* ends, int32_t* parts, T* cuts) {
    const int64_t n = thread_index();
    if (n >= count) return;
    const int64_t image = candidates[3 * n];
    const Candidate<T> candidate{candidates[3 * n + 1], candidates[3 * n + 2], candidate_cuts[2 * n],
                                 candidate_cuts[2 * n + 1]};
    const OutlineEdge<T> edge = edge_of(batch, image, points, edges, candidate.code);
    const T length = maximum(std::abs(edge.bx - edge.ax), std::abs(edge.by - edge.ay));
    const int64_t bin = image * cell_tiles(height, width) + candidate.tile;
    int64_t to = ends ? ends[n] - counts[n] : 0;
    int32_t found = 0;
    visible_parts(batch, image, points, edge_faces, edge, candidate, faces + begin[bin], begin[bin + 1] - begin[bin],
                  least_pixels / length, [&](const Part<T>& part) {
                      if (ends) {
                          const int64_t at = to + found;
                          parts[4 * at] = static_cast<int32_t>(image);
                          parts[4 * at + 1] = part.code;
                          for (int k = 0; k < 2; ++k) {
                              parts[4 * at + 2 + k] = part.face[k];
                              cuts[2 * at + k] = part.t[k];
                          }
                      }
                      ++found;
                  });
    if (!ends) counts[n] = found;
}

}  // namespace

template <class T>
void outline_candidates(const Place& place, const FaceBatch& batch, int64_t slots, const T* points, const int64_t* edges,
                        const int64_t* edge_faces, int64_t edge_count, const T* depth, int height, int width, T margin,
                        int32_t* counts, const int64_t* ends, int32_t* candidates, T* cuts, uint8_t* wanted) {
    launch("outline_candidates", place, blocks_for(slots, kThreads), kThreads, candidates_kernel<T>, batch, slots, points,
           edges, edge_faces, edge_count, depth, height, width, margin, counts, ends, candidates, cuts, wanted);
}

template <class T>
void outline_faces(const Place& place, const FaceBatch& batch, int64_t slots, const T* points, int height, int width,
                   T margin, const uint8_t* wanted, int32_t* counts, const int64_t* ends, int32_t* tile, int32_t* face) {
    launch("outline_faces", place, blocks_for(slots, kThreads), kThreads, faces_kernel<T>, batch, slots, points, height,
           width, margin, wanted, counts, ends, tile, face);
}

template <class T>
void outline_parts(const Place& place, const FaceBatch& batch, int64_t count, const T* points, const int64_t* edges,
                   const int64_t* edge_faces, int height, int width, const int32_t* candidates, const T* candidate_cuts,
                   const int64_t* begin, const int32_t* faces, int32_t* counts, const int64_t* ends, int32_t* parts,
                   T* cuts) {
    const T least = 32 * std::numeric_limits<T>::epsilon() * (height > width ? height : width);
    launch("outline_parts", place, blocks_for(count, kThreads), kThreads, parts_kernel<T>, batch, count, points, edges,
           edge_faces, height, width, least, candidates, candidate_cuts, begin, faces, counts, ends, parts, cuts);
}

#define INSTANTIATE(T)                                                                                                  \
    template void outline_candidates<T>(const Place&, const FaceBatch&, int64_t, const T*, const int64_t*,              \
                                        const int64_t*, int64_t, const T*, int, int, T, int32_t*, const int64_t*,       \
                                        int32_t*, T*, uint8_t*);                                                        \
    template void outline_faces<T>(const Place&, const FaceBatch&, int64_t, const T*, int, int, T, const uint8_t*,      \
                                   int32_t*, const int64_t*, int32_t*, int32_t*);                                       \
    template void outline_parts<T>(const Place&, const FaceBatch&, int64_t, const T*, const int64_t*, const int64_t*,   \
                                   int, int, const int32_t*, const T*, const int64_t*, const int32_t*, int32_t*,        \
                                   const int64_t*, int32_t*, T*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace cuda
}  // namespace invgraph
