// Cells: the squares between four neighbouring pixel centres, and the walk of an edge through them.
#pragma once

#include "common/numbers.h"
#include "soft_outline/outline_math.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

constexpr int kCellTile = 16;  // cells a side of a tile

// Cell (i, j), i in [-1, width), lies between the centres of columns i and i + 1 and of rows j and j + 1. Those with -1
// or the last index are not squares but all that lies beyond the outermost centres. Tiles count from cell -1.
template <class T>
struct CellGrid {
    int height, width, tile_columns;
    const T* depth;  // (height, width): of one image, infinity where nothing is drawn

    INVGRAPH_HD CellGrid(int h, int w, const T* d) : height(h), width(w), tile_columns(w / kCellTile + 1), depth(d) {}

    // which cell's columns (or rows) hold coordinate v; on a line of centres those below it, if `below`
    INVGRAPH_HD static int index(T v, int size, bool below = false) {
        const T i = below ? std::ceil(v - T(0.5)) - 1 : std::floor(v - T(0.5));
        return static_cast<int>(minimum(maximum(i, T(-1)), T(size - 1)));
    }
    INVGRAPH_HD int tile(int i, int j) const { return (j + 1) / kCellTile * tile_columns + (i + 1) / kCellTile; }
    INVGRAPH_HD bool covered(int row, int column) const { return depth[static_cast<int64_t>(row) * width + column] < T(INFINITY); }
    // Whether an outline may pass here: not where all four centres are covered. Beyond the image nobody knows.
    INVGRAPH_HD bool open(int i, int j) const {
        if (i < 0 || j < 0 || i >= width - 1 || j >= height - 1) return true;
        return !(covered(j, i) && covered(j, i + 1) && covered(j + 1, i) && covered(j + 1, i + 1));
    }
};

// visit(t0, t1, tile) for the parts of the edge in open cells, as long as they are within a tile. An edge along a line of
// centres belongs to the cells on its outer side.
template <class T, class Visit>
INVGRAPH_HD inline void walk_open_cells(const CellGrid<T>& grid, const OutlineEdge<T>& edge, const Visit& visit) {
    const T ax = edge.ax, ay = edge.ay, dx = edge.bx - ax, dy = edge.by - ay;
    int i = grid.index(ax, grid.width, dx == 0 && dy * edge.side < 0);
    int j = grid.index(ay, grid.height, dy == 0 && dx * edge.side > 0);
    const int step_i = dx > 0 ? 1 : -1, step_j = dy > 0 ? 1 : -1;
    // the next line of centres in each direction; 2, beyond the edge, where there is none
    auto next_x = [&] {
        const int line = dx > 0 ? i + 1 : i;
        return dx != 0 && line >= 0 && line < grid.width ? (line + T(0.5) - ax) / dx : T(2);
    };
    auto next_y = [&] {
        const int line = dy > 0 ? j + 1 : j;
        return dy != 0 && line >= 0 && line < grid.height ? (line + T(0.5) - ay) / dy : T(2);
    };
    T t = 0, begin = 0, tx = next_x(), ty = next_y();
    int tile = -1;  // of the part under way
    while (true) {
        const T end = minimum(minimum(tx, ty), T(1));
        if (end > t) {
            const int here = grid.open(i, j) ? grid.tile(i, j) : -1;
            if (here != tile) {
                if (tile >= 0) visit(begin, t, tile);
                tile = here;
                begin = t;
            }
            t = end;
        }
        if (end >= 1) break;
        if (tx <= ty) {
            i += step_i;
            tx = next_x();
        } else {
            j += step_j;
            ty = next_y();
        }
    }
    if (tile >= 0) visit(begin, T(1), tile);
}

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
