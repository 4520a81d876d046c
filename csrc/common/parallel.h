// parallel_for: the one way the kernels use threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace invgraph {

// Calls body(i) once for every i in [0, count), on up to `threads` threads; items are handed out in order, one at a time.
// Threads live for the call only: there is no pool to outlive a fork, to fight torch's over the cores, or to lock, so
// kernels may run from several Python threads at once. Starting one costs about 20 microseconds; small work stays serial.
template <class Body>
void parallel_for(int64_t count, int threads, const Body& body) {
    if (threads > count) threads = static_cast<int>(count);
    if (threads <= 1) {
        for (int64_t i = 0; i < count; ++i) body(i);
        return;
    }
    std::atomic<int64_t> next{0};
    auto work = [&] {
        for (int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) body(i);
    };
    std::vector<std::thread> helpers;
    helpers.reserve(threads - 1);
    for (int t = 1; t < threads; ++t) helpers.emplace_back(work);
    work();
    for (auto& helper : helpers) helper.join();
}

}  // namespace invgraph
