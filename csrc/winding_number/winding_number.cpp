#include "winding_number/winding_number.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "common/parallel.h"
#include "winding_number/tree.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {
namespace {

using winding::Cluster;
using winding::Triangle;

// Points are processed in packets of neighbours: one visit of a node serves all lanes, and every loop over lanes is a
// straight line that the compiler turns into vector instructions.
constexpr int kPacket = 16;
constexpr int64_t kBatch = 32;  // packets that a thread takes at a time
constexpr float kPi = 3.14159265358979323846f;
constexpr double kFarthest = 1e6;  // sizes of the mesh: beyond, it is not seen, and powers of the distance overflow

struct Packet {
    float x[kPacket], y[kPacket], z[kPacket], sum[kPacket];  // sum of solid angles
};

struct Visit {
    int32_t node;
    int32_t active[kPacket];  // -1 where the lane needs this node, else 0
};

// atan2 without branches, by Abramowitz and Stegun 4.4.49: error below 2e-7 radians in floats. 0 at the origin.
inline float arc_tangent(float y, float x) {
    const float ax = std::fabs(x), ay = std::fabs(y);
    const float high = std::max(ax, ay), low = std::min(ax, ay);
    const float t = low / std::max(high, 1e-37f), s = t * t;
    float r = 0.0028662257f;
    r = r * s - 0.0161657367f;
    r = r * s + 0.0429096138f;
    r = r * s - 0.0752896400f;
    r = r * s + 0.1065626393f;
    r = r * s - 0.1420889944f;
    r = r * s + 0.1999355085f;
    r = r * s - 0.3333314528f;
    r = r * s * t + t;
    r = ay > ax ? 0.5f * kPi - r : r;
    r = x < 0 ? kPi - r : r;
    return std::copysign(r, y);
}

// Solid angle of a triangle with corners a, b, c from the point (van Oosterom and Strackee 1983):
//   2 atan2(a . b x c, |a||b||c| + (a.b)|c| + (b.c)|a| + (c.a)|b|)
inline void add_exact(const Triangle& t, const int32_t* active, Packet& p) {
    for (int l = 0; l < kPacket; ++l) {
        const float ax = t.v[0][0] - p.x[l], ay = t.v[0][1] - p.y[l], az = t.v[0][2] - p.z[l];
        const float bx = t.v[1][0] - p.x[l], by = t.v[1][1] - p.y[l], bz = t.v[1][2] - p.z[l];
        const float cx = t.v[2][0] - p.x[l], cy = t.v[2][1] - p.y[l], cz = t.v[2][2] - p.z[l];
        const float a = std::sqrt(ax * ax + ay * ay + az * az);
        const float b = std::sqrt(bx * bx + by * by + bz * bz);
        const float c = std::sqrt(cx * cx + cy * cy + cz * cz);
        const float ab = ax * bx + ay * by + az * bz;
        const float bc = bx * cx + by * cy + bz * cz;
        const float ca = cx * ax + cy * ay + cz * az;
        const float det = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx);
        const float angle = 2 * arc_tangent(det, a * b * c + ab * c + bc * a + ca * b);
        // a triangle seen edge-on is not seen: on the surface this leaves the mean of the two sides
        p.sum[l] += active[l] & -(std::fabs(det) > t.flat) ? angle : 0.0f;
    }
}

// Taylor expansion of int dS_i(x) G_i(x - q), G(d) = d / |d|^3, about the cluster's centre, d = centre - q:
//   S_i d_i / R^3  +  (tr F - 3 d F d / R^2) / R^3  +  1/2 (-9 d . trace / R^2 + 15 ddd : second / R^4) / R^3
inline void add_far(const Cluster& n, const int32_t* far, Packet& p) {
    const float trace = n.first[0] + n.first[1] + n.first[2];
    for (int l = 0; l < kPacket; ++l) {
        const float x = n.center[0] - p.x[l], y = n.center[1] - p.y[l], z = n.center[2] - p.z[l];
        const float r2 = x * x + y * y + z * z;
        const float inv2 = 1.0f / std::max(r2, 1e-30f);
        const float inv3 = inv2 * std::sqrt(inv2);
        const float xx = x * x, yy = y * y, zz = z * z;
        const float zeroth = n.area[0] * x + n.area[1] * y + n.area[2] * z;
        const float first = n.first[0] * xx + n.first[1] * yy + n.first[2] * zz +
                        2 * (n.first[3] * x * y + n.first[4] * x * z + n.first[5] * y * z);
        const float cubic = x * (n.second[0] * xx + 3 * (n.second[5] * yy + n.second[7] * zz)) +
                        y * (n.second[1] * yy + 3 * (n.second[3] * xx + n.second[8] * zz)) +
                        z * (n.second[2] * zz + 3 * (n.second[4] * xx + n.second[6] * yy)) +
                        6 * n.second[9] * x * y * z;
        const float linear = n.trace[0] * x + n.trace[1] * y + n.trace[2] * z;
        const float value = inv3 * (zeroth + trace + inv2 * (-3 * first - 4.5f * linear + 7.5f * inv2 * cubic));
        p.sum[l] += far[l] ? value : 0.0f;
    }
}

void evaluate(const winding::Tree& tree, float accuracy, Packet& p, std::vector<Visit>& stack) {
    const float accuracy2 = accuracy * accuracy;
    stack.clear();
    stack.emplace_back();
    std::memset(stack.back().active, 0xff, sizeof(stack.back().active));
    stack.back().node = 0;
    while (!stack.empty()) {
        const Visit visit = stack.back();
        stack.pop_back();
        const Cluster& node = tree.nodes[visit.node];
        // a point as good as on a cluster without extent is near it: the expansion's powers would overflow
        const float limit = std::max(accuracy2 * node.radius * node.radius, 1e-12f);
        int32_t far[kPacket], near[kPacket], any_far = 0, any_near = 0;
        for (int l = 0; l < kPacket; ++l) {
            const float x = node.center[0] - p.x[l], y = node.center[1] - p.y[l], z = node.center[2] - p.z[l];
            const int32_t is_far = x * x + y * y + z * z > limit ? -1 : 0;
            far[l] = visit.active[l] & is_far;
            near[l] = visit.active[l] & ~is_far;
            any_far |= far[l];
            any_near |= near[l];
        }
        if (any_far) add_far(node, far, p);
        if (!any_near) continue;
        if (node.right == 0) {
            for (int32_t i = node.begin; i < node.end; ++i) add_exact(tree.triangles[i], near, p);
            continue;
        }
        for (const int32_t child : {node.right, visit.node + 1}) {
            stack.emplace_back();
            stack.back().node = child;
            std::memcpy(stack.back().active, near, sizeof(near));
        }
    }
}

inline uint32_t spread_bits(uint32_t v) {  // 10 bits -> every third of 30
    v = (v | (v << 16)) & 0x030000ffu;
    v = (v | (v << 8)) & 0x0300f00fu;
    v = (v | (v << 4)) & 0x030c30c3u;
    return (v | (v << 2)) & 0x09249249u;
}

// Points along a Morton curve over their own box, so that packets hold neighbours. Radix sort of 30-bit keys.
std::vector<int64_t> spatial_order(const std::vector<float>& unit, int64_t count) {
    float low[3] = {unit[0], unit[1], unit[2]}, high[3] = {unit[0], unit[1], unit[2]};
    for (int64_t i = 0; i < count; ++i) {
        for (int k = 0; k < 3; ++k) {
            low[k] = std::min(low[k], unit[3 * i + k]);
            high[k] = std::max(high[k], unit[3 * i + k]);
        }
    }
    std::vector<uint32_t> key(count);
    for (int64_t i = 0; i < count; ++i) {
        uint32_t code = 0;
        for (int k = 0; k < 3; ++k) {
            const float width = high[k] - low[k];
            const float f = width > 0 ? (unit[3 * i + k] - low[k]) / width * 1023.0f : 0.0f;
            code |= spread_bits(static_cast<uint32_t>(f >= 0 && f <= 1023.0f ? f : 0.0f)) << k;
        }
        key[i] = code;
    }
    std::vector<int64_t> order(count), next(count);
    for (int64_t i = 0; i < count; ++i) order[i] = i;
    for (int shift = 0; shift < 30; shift += 10) {
        std::vector<int64_t> start(1025, 0);
        for (int64_t i = 0; i < count; ++i) ++start[((key[i] >> shift) & 1023u) + 1];
        for (int b = 0; b < 1024; ++b) start[b + 1] += start[b];
        for (int64_t i = 0; i < count; ++i) next[start[(key[order[i]] >> shift) & 1023u]++] = order[i];
        order.swap(next);
    }
    return order;
}

}  // namespace

template <class T>
void winding_number(const T* points, int64_t point_count, const T* verts, const int64_t* faces, int64_t face_count,
                    double accuracy, int threads, T* out) {
    if (point_count == 0) return;
    if (face_count == 0) {
        std::fill(out, out + point_count, T(0));
        return;
    }
    // Single precision inside, in coordinates where the faces have unit size about the origin.
    double low[3], high[3];
    for (int k = 0; k < 3; ++k) low[k] = high[k] = verts[3 * faces[0] + k];
    for (int64_t i = 0; i < 3 * face_count; ++i) {
        for (int k = 0; k < 3; ++k) {
            low[k] = std::min(low[k], double(verts[3 * faces[i] + k]));
            high[k] = std::max(high[k], double(verts[3 * faces[i] + k]));
        }
    }
    double center[3], half = 0;  // halves, because the sum or the difference of two doubles may overflow
    for (int k = 0; k < 3; ++k) {
        center[k] = 0.5 * low[k] + 0.5 * high[k];
        half = std::max(half, 0.5 * high[k] - 0.5 * low[k]);
    }
    const double scale = half >= std::numeric_limits<double>::min() ? 0.5 / half : 1;
    std::vector<Triangle> triangles(face_count);
    for (int64_t i = 0; i < face_count; ++i) {
        for (int j = 0; j < 3; ++j) {
            for (int k = 0; k < 3; ++k) {
                triangles[i].v[j][k] = static_cast<float>((verts[3 * faces[3 * i + j] + k] - center[k]) * scale);
            }
        }
    }
    const winding::Tree tree = winding::build_tree(std::move(triangles));

    std::vector<float> unit(3 * point_count);
    for (int64_t i = 0; i < point_count; ++i) {
        for (int k = 0; k < 3; ++k) {
            const double x = (points[3 * i + k] - center[k]) * scale;
            unit[3 * i + k] = static_cast<float>(std::min(std::max(x, -kFarthest), kFarthest));
        }
    }
    const std::vector<int64_t> order = spatial_order(unit, point_count);
    const int64_t packet_count = (point_count + kPacket - 1) / kPacket;
    const int64_t batch_count = (packet_count + kBatch - 1) / kBatch;
    parallel_for(batch_count, threads, [&](int64_t batch) {
        std::vector<Visit> stack;
        for (int64_t packet = batch * kBatch; packet < std::min((batch + 1) * kBatch, packet_count); ++packet) {
            Packet p;
            for (int l = 0; l < kPacket; ++l) {  // the last packet repeats its last point
                const int64_t i = order[std::min(packet * kPacket + l, point_count - 1)];
                p.x[l] = unit[3 * i];
                p.y[l] = unit[3 * i + 1];
                p.z[l] = unit[3 * i + 2];
                p.sum[l] = 0;
            }
            evaluate(tree, static_cast<float>(accuracy), p, stack);
            for (int l = 0; l < kPacket && packet * kPacket + l < point_count; ++l) {
                const int64_t i = order[packet * kPacket + l];
                const bool finite = std::isfinite(points[3 * i]) && std::isfinite(points[3 * i + 1]) &&
                                    std::isfinite(points[3 * i + 2]);
                const float value = finite ? p.sum[l] / (4 * kPi) : std::numeric_limits<float>::quiet_NaN();
                out[i] = static_cast<T>(value);
            }
        }
    });
}

template void winding_number<float>(const float*, int64_t, const float*, const int64_t*, int64_t, double, int, float*);
template void winding_number<double>(const double*, int64_t, const double*, const int64_t*, int64_t, double, int,
                                     double*);

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
