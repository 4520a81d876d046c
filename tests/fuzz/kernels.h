// Every kernel on one random scene: what must hold whatever the scene, and what must hold for an ordinary one.
#pragma once

#include "check.h"
#include "common/kernels.h"

namespace fuzz {

using invgraph::Kernels;

template <class T>
void fuzz_soft_silhouette(Random& r, const Kernels<T>& k, const Scene<T>& s) {
    using L = std::numeric_limits<T>;
    const bool usual = !r.one_in(8);
    const T sigmas[] = {L::min(), L::max(), T(1e-30), T(1e30), T(1e15)};
    const T sigma = usual ? T(r.log_uniform(1e-2, 1e3)) : r.pick(sigmas);
    const T reaches[] = {T(1e-4), T(80), T(710), T(744)};
    const T reach = r.one_in(8) ? r.pick(reaches) : T(9.21);
    const Array<T> uv = s.plane_points();
    Output<T> alpha(s.pixels()), transmittance(s.pixels()), grad(uv.size, true);
    repeat(r, "soft_silhouette_forward", [&](int threads) {
        k.soft_silhouette_forward(s.batch, uv.get(), s.height, s.width, sigma, reach, threads, alpha.get(), transmittance.get());
    }, alpha, transmittance);
    each(alpha, "soft_silhouette_forward", "alpha", [](T a) { return a >= 0 && a <= 1; });
    each(transmittance, "soft_silhouette_forward", "transmittance", [](T a) { return a >= 0 && a <= 1; });
    Array<T> grad_alpha(s.pixels());
    const bool wild = r.one_in(10);
    fill_random(r, grad_alpha, wild);
    repeat(r, "soft_silhouette_backward", [&](int threads) {
        k.soft_silhouette_backward(s.batch, uv.get(), s.height, s.width, sigma, reach, threads, transmittance.get(), grad_alpha.get(), grad.get());
    }, grad);
    if (!wild && usual) check_finite(grad, "soft_silhouette_backward", "gradient");
}

// Depth and face_id go on to the kernels that follow rasterize.
template <class T>
struct Seen {
    Output<int32_t> face_id;
    Output<T> barycentric, depth;
};

template <class T>
Seen<T> fuzz_rasterize(Random& r, const Kernels<T>& k, const Scene<T>& s) {
    Seen<T> seen{Output<int32_t>(s.pixels()), Output<T>(3 * s.pixels()), Output<T>(s.pixels())};
    const char* name = "rasterize_forward";
    repeat(r, name, [&](int threads) {
        k.rasterize_forward(s.batch, s.points.get(), s.height, s.width, threads, seen.face_id.get(), seen.barycentric.get(), seen.depth.get());
    }, seen.face_id, seen.barycentric, seen.depth);
    for (int64_t i = 0; i < s.pixels(); ++i) {
        const int64_t image = i / (static_cast<int64_t>(s.height) * s.width);
        const int32_t face = seen.face_id[i];
        const T* weight = seen.barycentric.get() + 3 * i;
        check(face >= -1 && face < s.batch.count(image), name, "face_id out of range");
        check(seen.depth[i] > 0, name, "depth is not positive");
        if (face < 0) {
            check(std::isinf(seen.depth[i]) && weight[0] == 0 && weight[1] == 0 && weight[2] == 0, name, "background");
            continue;
        }
        check(std::isfinite(seen.depth[i]), name, "depth of a face is not finite");
        T total = 0;
        for (int c = 0; c < 3; ++c) {
            check(weight[c] >= T(-1e-3) && weight[c] <= T(1.001), name, "barycentric out of range");
            total += weight[c];
        }
        check(std::abs(total - 1) < T(1e-3), name, "barycentrics do not sum to 1");
        int64_t corner[3];
        s.batch.corners(image, face, corner);
        T low = std::numeric_limits<T>::infinity(), high = 0;
        for (int64_t c : corner) low = std::min(low, s.points[3 * c + 2]), high = std::max(high, s.points[3 * c + 2]);
        check(seen.depth[i] >= low * T(0.999) && seen.depth[i] <= high * T(1.001), name, "depth beyond the corners'");
    }
    Output<int32_t> ids(s.pixels());
    Output<T> depths(s.pixels());
    k.rasterize_forward(s.batch, s.points.get(), s.height, s.width, 1, ids.get(), nullptr, depths.get());
    check(ids.bytes() == seen.face_id.bytes() && depths.bytes() == seen.depth.bytes(), name, "differs without barycentrics");

    Array<T> grad_barycentric(3 * s.pixels()), grad_depth(s.pixels());
    const bool wild = r.one_in(10);
    fill_random(r, grad_barycentric, wild);
    fill_random(r, grad_depth, wild);
    Output<T> grad(s.points.size, true);
    repeat(r, "rasterize_backward", [&](int threads) {
        k.rasterize_backward(s.batch, s.points.get(), s.height, s.width, threads, seen.face_id.get(), grad_barycentric.get(), grad_depth.get(), grad.get());
    }, grad);
    if (!wild && s.ordinary) check_finite(grad, "rasterize_backward", "gradient");
    return seen;
}

template <class T>
void fuzz_antialias(Random& r, const Kernels<T>& k, const Scene<T>& s, const Seen<T>& seen) {
    const char* name = "antialias_forward";
    const bool mask = r.one_in(4), image_wanted = !mask && r.one_in(2);
    const int channels = mask ? 1 : r.one_in(20) ? 0 : 1 + static_cast<int>(r.below(4));
    const int64_t edges = s.edges.size / 2;
    Array<T> depth(s.pixels()), image(s.pixels() * channels), grad_out(s.pixels() * channels);
    const bool wild = r.one_in(8);
    if (r.one_in(8)) fill_random(r, depth, true);  // not what rasterize saw
    else std::copy(seen.depth.get(), seen.depth.get() + s.pixels(), depth.get());
    fill_random(r, image, wild);
    fill_random(r, grad_out, wild);
    Output<T> out(image.size), grad_image(image.size), grad_points(s.points.size, true);
    Output<int32_t> crossing(2 * s.pixels());
    repeat(r, name, [&](int threads) {
        k.antialias_forward(s.batch, s.points.get(), s.edges.get(), s.edge_faces.get(), edges, s.height, s.width,
                            channels, threads, depth.get(), mask ? nullptr : image.get(), out.get(), crossing.get());
    }, out, crossing);
    each(crossing, name, "crossing", [&](int32_t c) { return c >= -1 && c < 2 * edges; });
    if (!wild) each(out, name, "value", [](T v) { return std::abs(v) <= T(1.0001); });
    repeat(r, "antialias_backward", [&](int threads) {
        k.antialias_backward(s.batch, s.points.get(), s.edges.get(), s.height, s.width, channels, threads, depth.get(),
                             mask ? nullptr : image.get(), crossing.get(), grad_out.get(),
                             image_wanted ? grad_image.get() : nullptr, grad_points.get());
        if (!image_wanted) std::fill(grad_image.get(), grad_image.get() + grad_image.size, T(0));  // nobody wrote it
    }, grad_image, grad_points);
    if (!wild && image_wanted) check_finite(grad_image, "antialias_backward", "gradient of the image");
    if (!wild && s.ordinary) check_finite(grad_points, "antialias_backward", "gradient of the points");
}

template <class T>
void fuzz_interpolate(Random& r, const Kernels<T>& k, const Scene<T>& s, const Seen<T>& seen) {
    const char* name = "interpolate_forward";
    const int64_t channels = r.one_in(20) ? 0 : 1 + r.below(5), plane = static_cast<int64_t>(s.height) * s.width;
    invgraph::FaceBatch batch = s.batch;
    const bool shared = !batch.ranges && r.one_in(2);
    const int64_t count = shared ? batch.verts_per_image : s.point_count();
    if (shared) batch.verts_per_image = 0;
    const bool wild = r.one_in(8);
    Array<T> attributes(count * channels), weights(3 * s.pixels()), grad_out(s.pixels() * channels);
    fill_random(r, attributes, wild);
    fill_random(r, grad_out, wild);
    std::copy(seen.barycentric.get(), seen.barycentric.get() + weights.size, weights.get());
    if (r.one_in(8)) fill_random(r, weights, wild);  // not what rasterize saw
    Output<T> out(s.pixels() * channels), grad_attributes(attributes.size, true), grad_weights(weights.size);
    repeat(r, name, [&](int threads) {
        k.interpolate_forward(batch, attributes.get(), channels, plane, threads, seen.face_id.get(), weights.get(), out.get());
    }, out);
    if (!wild) each(out, name, "value", [](T v) { return std::abs(v) <= T(3.001); });
    repeat(r, "interpolate_backward", [&](int threads) {
        k.interpolate_backward(batch, attributes.get(), channels, plane, threads, seen.face_id.get(), weights.get(),
                               grad_out.get(), grad_attributes.get(), grad_weights.get());
    }, grad_attributes, grad_weights);
    if (!wild) check_finite(grad_attributes, "interpolate_backward", "gradient of the attributes");
    if (!wild) check_finite(grad_weights, "interpolate_backward", "gradient of the barycentrics");
    k.interpolate_backward(batch, attributes.get(), channels, plane, 1, seen.face_id.get(), weights.get(), grad_out.get(),
                           nullptr, nullptr);
}

template <class T>
void fuzz_soft_color(Random& r, const Kernels<T>& k, const Scene<T>& s) {
    using L = std::numeric_limits<T>;
    const char* name = "soft_color_forward";
    const bool usual = !r.one_in(8), wild = r.one_in(10), shared = !s.batch.ranges && r.one_in(2);
    const T extremes[] = {L::min(), L::max(), T(1e-30), T(1e30)}, reaches[] = {T(1e-4), T(80), T(744)};
    const T sigma = usual ? T(r.log_uniform(1e-2, 1e3)) : r.pick(extremes);
    const T gamma = usual ? T(r.log_uniform(1e-4, 1)) : r.pick(extremes);
    const T reach = r.one_in(8) ? r.pick(reaches) : T(9.21), near = T(r.uniform(0, 2)), far = near + T(r.log_uniform(1e-3, 100));
    const T eps = T(r.uniform());
    const int channels = 1 + static_cast<int>(r.below(5));
    const int64_t faces = s.faces.size / 3, slots = s.batch.ranges || shared ? faces : faces * s.batch.images;
    Array<T> colors(slots * 3 * channels);
    fill_random(r, colors, wild);
    Output<T> color(s.pixels() * channels), background(s.pixels()), transmittance(s.pixels()), peak(s.pixels()), total(s.pixels());
    repeat(r, name, [&](int threads) {
        k.soft_color_forward(s.batch, s.points.get(), colors.get(), shared, channels, s.height, s.width, sigma, gamma, reach,
                             near, far, eps, threads, color.get(), background.get(), transmittance.get(), peak.get(), total.get());
    }, color, background, transmittance, peak, total);
    auto fraction = [](T v) { return v >= 0 && v <= T(1.0001); };
    each(background, name, "background's share", fraction);
    each(transmittance, name, "transmittance", fraction);
    if (!wild) each(color, name, "colour", [](T v) { return std::abs(v) <= T(1.001); });
    Array<T> grad_color(color.size), grad_background(s.pixels()), grad_transmittance(s.pixels());
    for (const Array<T>* grad : {&grad_color, &grad_background, &grad_transmittance}) fill_random(r, *grad, wild);
    // where images share the colours, each has a gradient of its own
    Output<T> grad_points(s.points.size, true), grad_colors(3 * channels * (s.batch.ranges ? faces : faces * s.batch.images), true);
    const bool wants_colors = !r.one_in(4);
    repeat(r, "soft_color_backward", [&](int threads) {
        k.soft_color_backward(s.batch, s.points.get(), colors.get(), shared, channels, s.height, s.width, sigma, gamma, reach,
                              near, far, threads, color.get(), background.get(), transmittance.get(), peak.get(),
                              total.get(), grad_color.get(), grad_background.get(), grad_transmittance.get(),
                              grad_points.get(), wants_colors ? grad_colors.get() : nullptr);
    }, grad_points, grad_colors);
    if (!wild) check_finite(grad_colors, "soft_color_backward", "gradient of the colours");
    if (!wild && usual && s.ordinary) check_finite(grad_points, "soft_color_backward", "gradient of the points");
}

template <class T>
void fuzz_soft_outline(Random& r, const Kernels<T>& k, const Scene<T>& s, const Seen<T>& seen) {
    const char* name = "soft_outline_forward";
    const bool usual = !r.one_in(8), wild = r.one_in(10);
    const T extremes[] = {T(1e-15), T(1e15), T(1e-3), T(1e3)};
    const T scale = usual ? T(r.log_uniform(0.1, 30)) : r.pick(extremes), reach = scale * T(r.log_uniform(0.1, 30));
    const int64_t edges = s.edges.size / 2;
    Array<T> depth(s.pixels()), grad_alpha(s.pixels());
    std::copy(seen.depth.get(), seen.depth.get() + s.pixels(), depth.get());
    if (r.one_in(8)) fill_random(r, depth, true);  // not what rasterize saw
    fill_random(r, grad_alpha, wild);
    Output<T> alpha(s.pixels()), fraction(s.pixels()), grad_points(s.points.size, true);
    Output<int32_t> nearest(2 * s.pixels());
    repeat(r, name, [&](int threads) {
        k.soft_outline_forward(s.batch, s.points.get(), s.edges.get(), s.edge_faces.get(), edges, depth.get(), s.height,
                               s.width, scale, reach, threads, alpha.get(), nearest.get(), fraction.get());
    }, alpha, nearest, fraction);
    each(alpha, name, "alpha", [](T a) { return a >= 0 && a <= 1; });
    each(nearest, name, "nearest", [&](int32_t c) { return c >= -1 && (c < 2 * edges || c < s.faces.size / 3); });
    repeat(r, "soft_outline_backward", [&](int threads) {
        k.soft_outline_backward(s.batch, s.points.get(), s.edges.get(), depth.get(), s.height, s.width, scale, threads,
                                nearest.get(), fraction.get(), grad_alpha.get(), grad_points.get());
    }, grad_points);
    if (!wild && usual && s.ordinary) check_finite(grad_points, "soft_outline_backward", "gradient");
}

template <class T>
void fuzz_winding_number(Random& r, const Kernels<T>& k, const Scene<T>& s) {
    const int64_t count = r.below(40);
    Array<T> points(3 * count), verts(s.points.size);
    for (int64_t i = 0; i < points.size; ++i) points[i] = coordinate<T>(r, Style::mixed, 20);
    for (int64_t i = 0; i < verts.size; ++i) verts[i] = std::isfinite(s.points[i]) ? s.points[i] : T(0);  // as ops checks
    const int64_t faces = s.point_count() > 0 ? s.faces.size / 3 : 0;
    const double accuracies[] = {2, 1, 1e30, std::numeric_limits<double>::infinity()};
    const double accuracy = r.pick(accuracies);
    Output<T> out(count);
    repeat(r, "winding_number", [&](int threads) {
        k.winding_number(points.get(), count, verts.get(), s.faces.get(), faces, accuracy, threads, out.get());
    }, out);
    for (int64_t i = 0; i < count; ++i) {
        const bool finite = std::isfinite(points[3 * i]) && std::isfinite(points[3 * i + 1]) && std::isfinite(points[3 * i + 2]);
        check((finite || faces == 0) == static_cast<bool>(std::isfinite(out[i])), "winding_number", "not finite exactly where its point is not");
    }
}

template <class T>
void fuzz_scene(Random& r, const Kernels<T>& k) {
    const Scene<T> scene = random_scene<T>(r);
    fuzz_soft_silhouette(r, k, scene);
    const Seen<T> seen = fuzz_rasterize(r, k, scene);
    fuzz_antialias(r, k, scene, seen);
    fuzz_interpolate(r, k, scene, seen);
    fuzz_soft_color(r, k, scene);
    fuzz_soft_outline(r, k, scene, seen);
    fuzz_winding_number(r, k, scene);
}

}  // namespace fuzz
