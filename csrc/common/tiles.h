// Exact-capacity tile bins: for each tile of each image, the faces whose box touches it, in face order.
//
// Count, prefix sum, fill: the bins hold exactly what was counted, so that nothing can overflow, and the order does not
// depend on the number of threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/face_group.h"
#include "common/faces.h"
#include "common/parallel.h"
#include "common/pixel_box.h"
#include "common/scratch.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

struct TileGrid {
    int height, width;            // of the image, pixels
    int tile_height, tile_width;  // pixels
    int rows, columns;            // tiles
    TileGrid(int h, int w, int th, int tw)
        : height(h), width(w), tile_height(th), tile_width(tw), rows((h + th - 1) / th), columns((w + tw - 1) / tw) {}
    int64_t tiles() const { return static_cast<int64_t>(rows) * columns; }
};

struct TileBins {
    Scratch<int64_t> begin;   // (images * tiles + 1)
    Scratch<int32_t> faces;   // indices local to the image
    Scratch<SmallBox> boxes;  // of every drawn face, at FaceBatch::slot

    const SmallBox& box(const FaceBatch& batch, int64_t b, int64_t face) const { return boxes[batch.slot(b, face)]; }
};

// fill(image, first, end, boxes) writes the boxes, clipped to the image, of its faces from first up to end
template <class Fill>
TileBins bin_boxes(const FaceBatch& batch, const TileGrid& grid, int threads, const Fill& fill) {
    const int64_t tiles = grid.tiles(), slots = batch.slots();
    // faces counted by one work item: enough items for many threads, but no more counts than boxes
    const int64_t chunk = std::min<int64_t>(std::max<int64_t>({slots / 16, tiles, 256}), 4096);
    const Scratch<int64_t> first_chunk(batch.images + 1);
    first_chunk[0] = 0;
    for (int64_t b = 0; b < batch.images; ++b) first_chunk[b + 1] = first_chunk[b] + (batch.count(b) + chunk - 1) / chunk;
    const int64_t chunks = first_chunk[batch.images];

    TileBins bins;
    bins.boxes = Scratch<SmallBox>(slots);
    const Scratch<int32_t> counts(chunks * tiles);
    const Scratch<int64_t> image_of(chunks);
    for (int64_t b = 0; b < batch.images; ++b)
        for (int64_t c = first_chunk[b]; c < first_chunk[b + 1]; ++c) image_of[c] = b;

    // visit(face, tile) for each tile that a box of the chunk touches
    auto each_tile = [&](int64_t c, auto&& visit) {
        const int64_t b = image_of[c], begin = (c - first_chunk[b]) * chunk, end = std::min(begin + chunk, batch.count(b));
        for (int64_t i = begin; i < end; ++i) {
            const SmallBox box = bins.box(batch, b, i);
            if (box.empty()) continue;
            const int left = box.x0 / grid.tile_width, right = box.x1 / grid.tile_width;
            for (int y = box.y0 / grid.tile_height; y <= box.y1 / grid.tile_height; ++y)
                for (int x = left; x <= right; ++x) visit(i, static_cast<int64_t>(y) * grid.columns + x);
        }
    };

    parallel_for(chunks, threads, [&](int64_t c) {
        const int64_t b = image_of[c], begin = (c - first_chunk[b]) * chunk, end = std::min(begin + chunk, batch.count(b));
        fill(b, begin, end, bins.boxes.get() + batch.slot(b, begin));
        int32_t* count = counts.get() + c * tiles;
        std::fill(count, count + tiles, 0);
        each_tile(c, [&](int64_t, int64_t tile) { ++count[tile]; });
    });

    bins.begin = Scratch<int64_t>(batch.images * tiles + 1);
    const Scratch<int64_t> cursor(chunks * tiles);
    int64_t total = 0;
    for (int64_t b = 0; b < batch.images; ++b)
        for (int64_t tile = 0; tile < tiles; ++tile) {
            bins.begin[b * tiles + tile] = total;
            for (int64_t c = first_chunk[b]; c < first_chunk[b + 1]; ++c) {
                cursor[c * tiles + tile] = total;
                total += counts[c * tiles + tile];
            }
        }
    bins.begin[batch.images * tiles] = total;
    bins.faces = Scratch<int32_t>(total);
    parallel_for(chunks, threads, [&](int64_t c) {
        int64_t* at = cursor.get() + c * tiles;
        each_tile(c, [&](int64_t i, int64_t tile) { bins.faces[at[tile]++] = static_cast<int32_t>(i); });
    });
    return bins;
}

// box(image, face) -> PixelBox already clipped to the image
template <class Box>
TileBins bin_faces(const FaceBatch& batch, const TileGrid& grid, int threads, const Box& box) {
    return bin_boxes(batch, grid, threads, [&](int64_t b, int64_t begin, int64_t end, SmallBox* out) {
        for (int64_t i = begin; i < end; ++i) {
            const PixelBox p = box(b, i);
            *out++ = p.empty() ? SmallBox{0, -1, 0, -1}
                               : SmallBox{static_cast<int16_t>(p.x0), static_cast<int16_t>(p.x1),
                                          static_cast<int16_t>(p.y0), static_cast<int16_t>(p.y1)};
        }
    });
}

// The faces of the batch by their boxes grown by `margin`; points (P, N).
template <class T, int N>
TileBins bin_triangles(const FaceBatch& batch, const T* points, T margin, const TileGrid& grid, int threads) {
    return bin_boxes(batch, grid, threads, [&](int64_t b, int64_t begin, int64_t end, SmallBox* out) {
        SmallBox boxes[kLanes<T>];
        FaceGroup<T, N> group;
        for (int64_t i = begin; i < end; i += kLanes<T>) {
            const int count = static_cast<int>(std::min<int64_t>(kLanes<T>, end - i));
            group.load_faces(batch, b, points, count, [&](int lane) { return i + lane; });
            group.boxes(margin, grid.height, grid.width, boxes);
            out = std::copy(boxes, boxes + count, out);
        }
    });
}

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
