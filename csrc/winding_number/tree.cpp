#include "winding_number/tree.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace invgraph {
inline namespace INVGRAPH_ISA {
namespace winding {
namespace {

constexpr double kRounding = 4e-7;

struct Centroid {
    float x[3];
};

void vector_area(const Triangle& t, double s[3]) {
    double e[3], f[3];
    for (int k = 0; k < 3; ++k) {
        e[k] = double(t.v[1][k]) - t.v[0][k];
        f[k] = double(t.v[2][k]) - t.v[0][k];
    }
    s[0] = 0.5 * (e[1] * f[2] - e[2] * f[1]);
    s[1] = 0.5 * (e[2] * f[0] - e[0] * f[2]);
    s[2] = 0.5 * (e[0] * f[1] - e[1] * f[0]);
}

// Order of the triangles and the spans of the nodes: median splits along the longest side of the centroids' box.
// An explicit stack, because a mesh of copies of one triangle must not exhaust the real one.
void split(const std::vector<Centroid>& centroid, std::vector<int32_t>& order, std::vector<Cluster>& nodes) {
    struct Job {
        int32_t begin, end, parent;  // parent >= 0: this is its second child
    };
    std::vector<Job> jobs{{0, static_cast<int32_t>(order.size()), -1}};
    while (!jobs.empty()) {
        const Job job = jobs.back();
        jobs.pop_back();
        const auto index = static_cast<int32_t>(nodes.size());
        if (job.parent >= 0) nodes[job.parent].right = index;
        Cluster node{};
        node.begin = job.begin;
        node.end = job.end;
        nodes.push_back(node);
        if (job.end - job.begin <= kLeafFaces) continue;

        float low[3], high[3];
        for (int k = 0; k < 3; ++k) low[k] = high[k] = centroid[order[job.begin]].x[k];
        for (int32_t i = job.begin; i < job.end; ++i) {
            for (int k = 0; k < 3; ++k) {
                low[k] = std::min(low[k], centroid[order[i]].x[k]);
                high[k] = std::max(high[k], centroid[order[i]].x[k]);
            }
        }
        int axis = 0;
        for (int k = 1; k < 3; ++k) {
            if (high[k] - low[k] > high[axis] - low[axis]) axis = k;
        }
        const int32_t middle = job.begin + (job.end - job.begin) / 2;
        // ties broken by index: the same tree on every standard library
        std::nth_element(order.begin() + job.begin, order.begin() + middle, order.begin() + job.end,
                         [&](int32_t a, int32_t b) {
                             const float xa = centroid[a].x[axis], xb = centroid[b].x[axis];
                             return xa < xb || (xa == xb && a < b);
                         });
        jobs.push_back({middle, job.end, index});
        jobs.push_back({job.begin, middle, -1});
    }
}

// Moments about the area-weighted centroid, exact for flat triangles:
//   int_T m_j dA = A c_j,   int_T m_j m_k dA = A/12 (9 c_j c_k + sum over corners v_j v_k),   c the face's own, from p.
void set_moments(Cluster& node, const std::vector<Triangle>& triangles) {
    double total = 0, center[3] = {0, 0, 0}, plain[3] = {0, 0, 0};
    for (int32_t i = node.begin; i < node.end; ++i) {
        const Triangle& t = triangles[i];
        double s[3];
        vector_area(t, s);
        const double a = std::sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2]);
        total += a;
        for (int k = 0; k < 3; ++k) {
            const double c = (double(t.v[0][k]) + t.v[1][k] + t.v[2][k]) / 3;
            center[k] += a * c;
            plain[k] += c;
        }
    }
    for (int k = 0; k < 3; ++k) {
        node.center[k] = static_cast<float>(total > 0 ? center[k] / total : plain[k] / (node.end - node.begin));
    }

    double area[3] = {}, first[3][3] = {}, second[3][6] = {};  // second[i]: dS_i times xx yy zz xy xz yz
    double radius2 = 0;
    for (int32_t i = node.begin; i < node.end; ++i) {
        double v[3][3], c[3], s[3];
        vector_area(triangles[i], s);
        for (int j = 0; j < 3; ++j) {
            double r2 = 0;
            for (int k = 0; k < 3; ++k) {
                v[j][k] = double(triangles[i].v[j][k]) - node.center[k];
                r2 += v[j][k] * v[j][k];
            }
            radius2 = std::max(radius2, r2);
        }
        for (int k = 0; k < 3; ++k) c[k] = (v[0][k] + v[1][k] + v[2][k]) / 3;
        const auto product = [&](int a, int b) {
            return (9 * c[a] * c[b] + v[0][a] * v[0][b] + v[1][a] * v[1][b] + v[2][a] * v[2][b]) / 12;
        };
        const double mm[6] = {product(0, 0), product(1, 1), product(2, 2), product(0, 1), product(0, 2), product(1, 2)};
        for (int a = 0; a < 3; ++a) {
            area[a] += s[a];
            for (int b = 0; b < 3; ++b) first[a][b] += s[a] * c[b];
            for (int b = 0; b < 6; ++b) second[a][b] += s[a] * mm[b];
        }
    }
    enum { X, Y, Z };
    enum { XX, YY, ZZ, XY, XZ, YZ };
    node.radius = static_cast<float>(std::sqrt(radius2) * (1 + 1e-6));
    const double sym1[6] = {first[X][X],
                          first[Y][Y],
                          first[Z][Z],
                          (first[X][Y] + first[Y][X]) / 2,
                          (first[X][Z] + first[Z][X]) / 2,
                          (first[Y][Z] + first[Z][Y]) / 2};
    const double sym2[10] = {second[X][XX],
                           second[Y][YY],
                           second[Z][ZZ],
                           (2 * second[X][XY] + second[Y][XX]) / 3,
                           (2 * second[X][XZ] + second[Z][XX]) / 3,
                           (2 * second[Y][XY] + second[X][YY]) / 3,
                           (2 * second[Y][YZ] + second[Z][YY]) / 3,
                           (2 * second[Z][XZ] + second[X][ZZ]) / 3,
                           (2 * second[Z][YZ] + second[Y][ZZ]) / 3,
                           (second[X][YZ] + second[Y][XZ] + second[Z][XY]) / 3};
    for (int k = 0; k < 3; ++k) node.area[k] = static_cast<float>(area[k]);
    for (int k = 0; k < 6; ++k) node.first[k] = static_cast<float>(sym1[k]);
    for (int k = 0; k < 10; ++k) node.second[k] = static_cast<float>(sym2[k]);
    node.trace[X] = static_cast<float>(sym2[0] + sym2[5] + sym2[7]);
    node.trace[Y] = static_cast<float>(sym2[1] + sym2[3] + sym2[8]);
    node.trace[Z] = static_cast<float>(sym2[2] + sym2[4] + sym2[6]);
}

}  // namespace

Tree build_tree(std::vector<Triangle> triangles) {
    Tree tree;
    if (triangles.empty()) return tree;
    std::vector<Centroid> centroid(triangles.size());
    for (size_t i = 0; i < triangles.size(); ++i) {
        const Triangle& t = triangles[i];
        for (int k = 0; k < 3; ++k) centroid[i].x[k] = (t.v[0][k] + t.v[1][k] + t.v[2][k]) / 3;
    }
    std::vector<int32_t> order(triangles.size());
    std::iota(order.begin(), order.end(), 0);
    tree.nodes.reserve(triangles.size());
    split(centroid, order, tree.nodes);
    tree.triangles.resize(triangles.size());
    for (size_t i = 0; i < order.size(); ++i) tree.triangles[i] = triangles[order[i]];
    for (Triangle& t : tree.triangles) {
        double s[3];
        vector_area(t, s);
        // det = 2 A h at height h; coordinates of unit size are rounded by 6e-8
        t.flat = static_cast<float>(2 * kRounding * std::sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2]));
    }
    for (Cluster& node : tree.nodes) set_moments(node, tree.triangles);
    return tree;
}

}  // namespace winding
}  // namespace INVGRAPH_ISA
}  // namespace invgraph
