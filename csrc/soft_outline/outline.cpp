#include "soft_outline/outline.h"

#include <algorithm>
#include <limits>

#include "common/parallel.h"
#include "common/silhouette.h"
#include "common/tiles.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {
namespace {

// Counts of what each item gives, in place, become where each item's share begins, and `begin` where each image's does, whose
// items are items[b] up to items[b + 1]. Returns the sum, begin[images].
int64_t begins_of_counts(int64_t images, const int64_t* items, int64_t* counts, int64_t* begin) {
    int64_t total = 0;
    for (int64_t b = 0; b < images; ++b) {
        begin[b] = total;
        for (int64_t n = items[b]; n < items[b + 1]; ++n) {
            const int64_t count = counts[n];
            counts[n] = total;
            total += count;
        }
    }
    begin[images] = total;
    return total;
}

template <class T>
struct Candidates {
    std::unique_ptr<int64_t[]> begin;  // of each image
    std::unique_ptr<Candidate<T>[]> list;
};

template <class T>
Candidates<T> find_candidates(const FaceBatch& batch, const T* points, const int64_t* edges,
                              const Silhouettes& silhouettes, const T* depth, int height, int width, T margin,
                              int threads) {
    constexpr int64_t kChunk = 64;
    const int64_t pixels = static_cast<int64_t>(height) * width;
    std::unique_ptr<int64_t[]> at(new int64_t[silhouettes.begin[batch.images] + 1]);
    auto each_edge = [&](auto&& body) {
        int64_t most = 0;
        for (int64_t b = 0; b < batch.images; ++b)
            most = std::max(most, silhouettes.begin[b + 1] - silhouettes.begin[b]);
        const int64_t chunks = (most + kChunk - 1) / kChunk;
        parallel_for(batch.images * chunks, threads, [&](int64_t item) {
            const int64_t b = item / chunks, begin = silhouettes.begin[b] + item % chunks * kChunk;
            const CellGrid<T> grid(height, width, depth + b * pixels);
            for (int64_t n = begin; n < std::min(begin + kChunk, silhouettes.begin[b + 1]); ++n) {
                const OutlineEdge<T> e = edge_of(batch, b, points, edges, silhouettes.code[n]);
                body(n, grid, e, may_outline(e, height, width, margin));
            }
        });
    };
    each_edge([&](int64_t n, const CellGrid<T>& grid, const OutlineEdge<T>& e, bool wanted) {
        int64_t count = 0;
        if (wanted) walk_open_cells(grid, e, [&](T, T, int) { ++count; });
        at[n] = count;
    });
    Candidates<T> result;
    result.begin.reset(new int64_t[batch.images + 1]);
    const int64_t total = begins_of_counts(batch.images, silhouettes.begin.get(), at.get(), result.begin.get());
    result.list.reset(new Candidate<T>[total + 1]);
    each_edge([&](int64_t n, const CellGrid<T>& grid, const OutlineEdge<T>& e, bool wanted) {
        Candidate<T>* to = result.list.get() + at[n];
        if (wanted)
            walk_open_cells(grid, e,
                            [&](T t0, T t1, int tile) { *to++ = {silhouettes.code[n], tile, t0, t1}; });
    });
    return result;
}

// For each tile of each image that has candidates: the faces whose box touches it.
template <class T>
TileBins bin_near_faces(const FaceBatch& batch, const T* points, const Candidates<T>& candidates, const TileGrid& grid,
                        int height, int width, T margin, int threads) {
    const int64_t tiles = grid.tiles();
    std::unique_ptr<bool[]> wanted(new bool[batch.images * tiles]());
    for (int64_t b = 0; b < batch.images; ++b)
        for (int64_t n = candidates.begin[b]; n < candidates.begin[b + 1]; ++n)
            wanted[b * tiles + candidates.list[n].tile] = true;
    return bin_faces(batch, grid, threads, [&](int64_t b, int64_t i) -> PixelBox {
        int64_t corner[3];
        batch.corners(b, i, corner);
        PixelBox box;
        if (!cells_of_face(points, corner, height, width, margin, box)) return box;
        const bool* image = wanted.get() + b * tiles;
        for (int y = box.y0 / kCellTile; y <= box.y1 / kCellTile; ++y)
            for (int x = box.x0 / kCellTile; x <= box.x1 / kCellTile; ++x)
                if (image[y * grid.columns + x]) return box;
        return {0, -1, 0, -1};
    });
}

}  // namespace

template <class T>
Outline<T> find_outline(const FaceBatch& batch, const T* points, const int64_t* edges, const int64_t* edge_faces,
                        int64_t edge_count, const T* depth, int height, int width, T margin, int threads) {
    constexpr int64_t kChunk = 16;
    const Silhouettes silhouettes = find_silhouettes(batch, points, edges, edge_faces, edge_count, threads);
    const Candidates<T> candidates =
        find_candidates(batch, points, edges, silhouettes, depth, height, width, margin, threads);
    const TileGrid grid(height + 1, width + 1, kCellTile, kCellTile);
    const TileBins bins = bin_near_faces(batch, points, candidates, grid, height, width, margin, threads);
    const T least_pixels = 32 * std::numeric_limits<T>::epsilon() * std::max(height, width);

    const int64_t total = candidates.begin[batch.images], chunks = (total + kChunk - 1) / kChunk;
    std::unique_ptr<int64_t[]> at(new int64_t[total + 1]);
    std::unique_ptr<Part<T>[]> first(new Part<T>[total + 1]);  // of each candidate: most have one, or none
    auto each_candidate = [&](auto&& body) {
        parallel_for(chunks, threads, [&](int64_t chunk) {
            const int64_t begin = chunk * kChunk, end = std::min(begin + kChunk, total);
            const int64_t* starts = candidates.begin.get();
            int64_t b = std::upper_bound(starts, starts + batch.images + 1, begin) - starts - 1;
            for (int64_t n = begin; n < end; ++n) {
                while (n >= starts[b + 1]) ++b;
                body(b, n);
            }
        });
    };
    auto visible = [&](int64_t b, int64_t n, auto&& visit) {
        const Candidate<T>& candidate = candidates.list[n];
        const OutlineEdge<T> edge = edge_of(batch, b, points, edges, candidate.code);
        const T length = std::max(std::abs(edge.bx - edge.ax), std::abs(edge.by - edge.ay));
        const int64_t bin = b * grid.tiles() + candidate.tile;
        visible_parts(batch, b, points, edge_faces, edge, candidate, bins.faces.get() + bins.begin[bin],
                      bins.begin[bin + 1] - bins.begin[bin], least_pixels / length, visit);
    };
    each_candidate([&](int64_t b, int64_t n) {
        int64_t count = 0;
        visible(b, n, [&](const Part<T>& part) {
            if (count++ == 0) first[n] = part;
        });
        at[n] = count;
    });
    Outline<T> outline;
    outline.begin.reset(new int64_t[batch.images + 1]);
    const int64_t parts = begins_of_counts(batch.images, candidates.begin.get(), at.get(), outline.begin.get());
    at[total] = parts;
    outline.part.reset(new Part<T>[parts + 1]);
    each_candidate([&](int64_t b, int64_t n) {
        Part<T>* to = outline.part.get() + at[n];
        if (at[n + 1] - at[n] == 1) *to = first[n];
        else if (at[n + 1] > at[n]) visible(b, n, [&](const Part<T>& part) { *to++ = part; });
    });
    return outline;
}

template Outline<float> find_outline<float>(const FaceBatch&, const float*, const int64_t*, const int64_t*, int64_t,
                                            const float*, int, int, float, int);
template Outline<double> find_outline<double>(const FaceBatch&, const double*, const int64_t*, const int64_t*, int64_t,
                                              const double*, int, int, double, int);

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
