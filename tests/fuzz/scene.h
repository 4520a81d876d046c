// Random drawings, from ordinary ones to what no renderer should be given.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "common/faces.h"

namespace fuzz {

// splitmix64 (Steele et al. 2014): a scene is its number, on every machine.
class Random {
  public:
    explicit Random(uint64_t seed) : state_(seed) {}
    uint64_t bits() {
        uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
        return z ^ (z >> 31);
    }
    int64_t below(int64_t n) { return static_cast<int64_t>(bits() % static_cast<uint64_t>(n)); }  // 0 .. n - 1
    bool one_in(int64_t n) { return below(n) == 0; }
    double uniform(double low = 0, double high = 1) {
        return low + (high - low) * (static_cast<double>(bits() >> 11) * 0x1p-53);
    }
    double log_uniform(double low, double high) { return std::exp(uniform(std::log(low), std::log(high))); }
    template <class T, size_t N>
    T pick(const T (&values)[N]) {
        return values[below(N)];
    }

  private:
    uint64_t state_;
};

// Memory of exactly its size, so that AddressSanitizer sees the first byte beyond.
template <class T>
struct Array {
    std::unique_ptr<T[]> data;
    int64_t size = 0;
    explicit Array(int64_t n = 0) : data(new T[n]), size(n) {}
    T* get() const { return data.get(); }
    T& operator[](int64_t i) const { return data[i]; }
};

template <class T>
T extreme(Random& r) {
    using L = std::numeric_limits<T>;
    const T values[] = {T(0),       T(-0.0),    T(1e-30),  T(-1e-30), T(1e30),    T(-1e30), T(1e15),      T(-1e15),
                        T(9.9e14),  T(1e12),    T(-1e12),  L::min(),  L::denorm_min(), L::max(), L::lowest(),
                        L::infinity(), -L::infinity(), L::quiet_NaN(), T(2147483648.0), T(-2147483648.0), T(32768),
                        L::epsilon()};
    return r.pick(values);
}

enum class Style { ordinary, lattice, sliver, tiny, extreme, mixed };

template <class T>
struct Scene {
    int height = 1, width = 1;
    bool ordinary = true;  // nothing that the mathematics itself makes infinite
    Array<int64_t> faces, ranges, edges, edge_faces;
    Array<T> points;  // (u, v, depth)
    invgraph::FaceBatch batch{};

    int64_t pixels() const { return batch.images * height * width; }
    int64_t point_count() const { return points.size / 3; }
    Array<T> plane_points() const {
        Array<T> uv(point_count() * 2);
        for (int64_t i = 0; i < point_count(); ++i) uv[2 * i] = points[3 * i], uv[2 * i + 1] = points[3 * i + 1];
        return uv;
    }
};

template <class T>
T coordinate(Random& r, Style style, int size) {
    if (style == Style::mixed) style = r.one_in(8) ? Style::extreme : Style::ordinary;
    if (style == Style::extreme) return r.one_in(2) ? extreme<T>(r) : T(r.uniform(-2, size + 2));
    if (style == Style::lattice) return T(0.5) * T(r.below(2 * size + 5) - 2);  // on centres and between them
    if (style == Style::tiny) return T(size) / 2 + T(r.uniform(-1, 1) * r.log_uniform(1e-12, 1));
    return T(r.uniform(-0.3 * size - 2, 1.3 * size + 2));
}

template <class T>
T depth(Random& r, Style style) {
    if (style == Style::mixed) style = r.one_in(8) ? Style::extreme : Style::ordinary;
    if (style == Style::lattice) return T(1 + r.below(2));
    if (style != Style::extreme) return T(r.uniform(1, 4));
    const T special[] = {T(-1), T(1e-30), T(1.0001e-30), T(0.9999e-30), T(1e-31), T(0.1), T(1), T(1e6)};
    return r.one_in(2) ? r.pick(special) : extreme<T>(r);
}

inline std::pair<int, int> image_size(Random& r) {
    if (r.one_in(4000)) return r.one_in(2) ? std::pair{1, 8192} : std::pair{8192, 1};
    if (r.one_in(8)) return {1, 1};
    const int most = r.one_in(1500) ? 300 : r.one_in(60) ? 80 : 12;  // small ones, and so many of them
    return {1 + static_cast<int>(r.below(most)), 1 + static_cast<int>(r.below(most))};
}

// Each edge once with the two faces on it, as Topology has them; or, rarely, nothing that belongs together.
template <class T>
void set_edges(Random& r, Scene<T>& scene, int64_t faces, int64_t indices) {
    std::vector<std::pair<int64_t, int64_t>> ends, sides;
    if (indices > 0 && r.one_in(10)) {
        for (int64_t n = r.below(20); n > 0; --n) {
            ends.emplace_back(r.below(indices), r.below(indices));
            sides.emplace_back(r.below(faces + 1) - 1, r.below(faces + 1) - 1);
        }
    } else {
        std::map<std::pair<int64_t, int64_t>, std::pair<int64_t, int64_t>> found;
        for (int64_t f = 0; f < faces; ++f)
            for (int k = 0; k < 3; ++k) {
                const auto both = std::minmax(scene.faces[3 * f + k], scene.faces[3 * f + (k + 1) % 3]);
                const auto entry = found.emplace(std::pair{both.first, both.second}, std::pair{f, int64_t(-1)});
                if (!entry.second) entry.first->second.second = f;
            }
        for (const auto& [edge, side] : found) ends.push_back(edge), sides.push_back(side);
    }
    scene.edges = Array<int64_t>(2 * static_cast<int64_t>(ends.size()));
    scene.edge_faces = Array<int64_t>(2 * static_cast<int64_t>(ends.size()));
    for (size_t e = 0; e < ends.size(); ++e) {
        scene.edges[2 * e] = ends[e].first, scene.edges[2 * e + 1] = ends[e].second;
        scene.edge_faces[2 * e] = sides[e].first, scene.edge_faces[2 * e + 1] = sides[e].second;
    }
}

template <class T>
Scene<T> random_scene(Random& r) {
    Scene<T> scene;
    std::tie(scene.height, scene.width) = image_size(r);
    const bool packed = r.one_in(3), many = r.one_in(1500);
    const int64_t images = many ? r.below(200) : r.below(4);
    const int64_t verts = r.one_in(30) ? 0 : 1 + r.below(r.one_in(20) ? 300 : 12);
    const int64_t faces = verts == 0 ? 0 : r.below(r.one_in(3000) ? 9000 : r.one_in(60) ? 200 : 12);
    if (many || faces > 200) scene.height = std::min(scene.height, 20), scene.width = std::min(scene.width, 20);

    const Style styles[] = {Style::ordinary, Style::ordinary, Style::lattice, Style::sliver,
                            Style::tiny,     Style::extreme,  Style::mixed};
    const Style plane = r.pick(styles), deep = r.pick(styles);
    scene.ordinary = plane == Style::ordinary && deep != Style::extreme && deep != Style::mixed;
    const int64_t points = packed ? verts : images * verts;
    scene.points = Array<T>(3 * points);
    for (int64_t i = 0; i < points; ++i) {
        scene.points[3 * i] = coordinate<T>(r, plane, scene.width);
        scene.points[3 * i + 1] = coordinate<T>(r, plane, scene.height);
        scene.points[3 * i + 2] = depth<T>(r, deep);
        if (plane != Style::sliver || i % 3 != 2) continue;
        const T s = T(r.uniform(-0.5, 1.5)), off = r.one_in(2) ? T(0) : T(r.uniform(-1, 1) * r.log_uniform(1e-9, 1e-3));
        const T *a = scene.points.get() + 3 * (i - 2), *b = a + 3;  // the third corner is almost on the line of two
        for (int k = 0; k < 2; ++k) scene.points[3 * i + k] = a[k] + s * (b[k] - a[k]) + off;
    }
    scene.faces = Array<int64_t>(3 * faces);
    const bool soup = r.one_in(2);  // or corners drawn at random, with repeats
    for (int64_t i = 0; i < 3 * faces; ++i) scene.faces[i] = soup ? i % verts : r.below(verts);
    if (packed) {
        std::vector<int64_t> bounds(2 * images);
        for (int64_t& bound : bounds) bound = r.below(faces + 1);
        std::sort(bounds.begin(), bounds.end());
        scene.ranges = Array<int64_t>(2 * images);
        std::copy(bounds.begin(), bounds.end(), scene.ranges.get());
    }
    set_edges(r, scene, faces, verts);
    scene.batch = {scene.faces.get(), packed ? scene.ranges.get() : nullptr, images, faces, verts};
    return scene;
}

}  // namespace fuzz
