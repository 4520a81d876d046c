// Exact-capacity tile bins: for each tile of each image, the faces whose box touches it, in face order.
//
// Count, prefix sum, fill: the bins hold exactly what was counted, so that nothing can overflow, and the order does not
// depend on the number of threads.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "common/faces.h"
#include "common/parallel.h"
#include "common/pixel_box.h"
#include "common/scratch.h"
#include "common/simd.h"
#include "common/triangle.h"

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
    Scratch<int64_t> begin;  // (images * tiles + 1)
    Scratch<int32_t> faces;  // indices local to the image
};

// box(image, face) -> PixelBox already clipped to the image
template <class Box>
TileBins bin_faces(const FaceBatch& batch, const TileGrid& grid, int threads, const Box& box) {
    constexpr int64_t kChunk = 4096;  // faces counted by one work item
    const int64_t tiles = grid.tiles();
    const Scratch<int64_t> first_chunk(batch.images + 1);
    first_chunk[0] = 0;
    for (int64_t b = 0; b < batch.images; ++b) first_chunk[b + 1] = first_chunk[b] + (batch.count(b) + kChunk - 1) / kChunk;
    const int64_t chunks = first_chunk[batch.images];

    struct TileBox {
        int16_t x0, x1, y0, y1;
    };
    const Scratch<TileBox> boxes(chunks * kChunk);
    const Scratch<int32_t> counts(chunks * tiles);
    const Scratch<int64_t> image_of(chunks);
    for (int64_t b = 0; b < batch.images; ++b)
        for (int64_t c = first_chunk[b]; c < first_chunk[b + 1]; ++c) image_of[c] = b;

    auto each_face = [&](int64_t c, auto&& visit) {
        const int64_t b = image_of[c], begin = (c - first_chunk[b]) * kChunk;
        const int64_t end = begin + kChunk < batch.count(b) ? begin + kChunk : batch.count(b);
        for (int64_t i = begin; i < end; ++i) visit(b, i, boxes[c * kChunk + i - begin]);
    };
    auto each_tile = [&](const TileBox& t, auto&& visit) {
        for (int y = t.y0; y <= t.y1; ++y)
            for (int x = t.x0; x <= t.x1; ++x) visit(static_cast<int64_t>(y) * grid.columns + x);
    };

    parallel_for(chunks, threads, [&](int64_t c) {
        int32_t* count = counts.get() + c * tiles;
        std::fill(count, count + tiles, 0);
        each_face(c, [&](int64_t b, int64_t i, TileBox& t) {
            const PixelBox p = box(b, i);
            t = {0, -1, 0, -1};
            if (p.empty()) return;
            t = {static_cast<int16_t>(p.x0 / grid.tile_width), static_cast<int16_t>(p.x1 / grid.tile_width),
                 static_cast<int16_t>(p.y0 / grid.tile_height), static_cast<int16_t>(p.y1 / grid.tile_height)};
            each_tile(t, [&](int64_t tile) { ++count[tile]; });
        });
    });

    TileBins bins;
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
        each_face(c, [&](int64_t, int64_t i, TileBox& t) {
            each_tile(t, [&](int64_t tile) { bins.faces[at[tile]++] = static_cast<int32_t>(i); });
        });
    });
    return bins;
}

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
