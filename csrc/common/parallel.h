// parallel_for: the one way the kernels use threads.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

namespace invgraph {

// What the threads of one parallel_for share; it outlives the call where a helper starts late.
struct ParallelWork {
    std::atomic<int64_t> next{0}, done{0};
    int64_t count = 0;
    const void* body = nullptr;
    void (*call)(const void* body, int64_t item) = nullptr;
    std::mutex mutex;
    std::condition_variable finished;

    // Takes items in order until none is left. `body` is not touched after the last item, when its owner may have left.
    void run() {
        for (int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) {
            call(body, i);
            if (done.fetch_add(1, std::memory_order_acq_rel) + 1 == count) {
                std::lock_guard<std::mutex> lock(mutex);
                finished.notify_all();
            }
        }
    }
    void wait() {
        for (int spin = 0; spin < 4096; ++spin)
            if (done.load(std::memory_order_acquire) == count) return;
        std::unique_lock<std::mutex> lock(mutex);
        finished.wait(lock, [&] { return done.load(std::memory_order_acquire) == count; });
    }
};

// Calls body(i) once for every i in [0, count), on up to `threads` threads; items are handed out in order, one at a time.
//
// Helpers live for the call only: there is no pool to outlive a fork or to lock, so kernels may run from several Python
// threads at once. The caller waits for items, not for helpers: on a busy machine a helper that gets no core delays
// nothing, and finds nothing left to do when it does.
template <class Body>
void parallel_for(int64_t count, int threads, const Body& body) {
    if (threads > count) threads = static_cast<int>(count);
    if (threads <= 1) {
        for (int64_t i = 0; i < count; ++i) body(i);
        return;
    }
    auto work = std::make_shared<ParallelWork>();
    work->count = count;
    work->body = &body;
    work->call = [](const void* f, int64_t i) { (*static_cast<const Body*>(f))(i); };
    try {
        for (int t = 1; t < threads; ++t) std::thread([work] { work->run(); }).detach();
    } catch (const std::system_error&) {  // no more threads to be had: those that are there do the work
    }
    work->run();
    work->wait();
}

}  // namespace invgraph
