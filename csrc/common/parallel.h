// parallel_for: the one way the kernels use threads.
#pragma once

#include <cstdint>

namespace invgraph {

// Calls call(body, i) once for every i in [0, count), on up to `threads` threads; parallel_for below is its typed form.
void run_parallel(int64_t count, int threads, const void* body, void (*call)(const void* body, int64_t item));

// Calls body(i) once for every i in [0, count), on up to `threads` threads; items are handed out in order, one at a time.
// An exception that body throws, on whichever thread, reaches the caller; items that had not begun by then are left out.
//
// May be called from several threads at once, and after a fork. The caller works too and waits for items, not for
// helpers: on a busy machine a helper that gets no core delays nothing, and finds nothing left to do when it does.
template <class Body>
void parallel_for(int64_t count, int threads, const Body& body) {
    if (threads <= 1 || count <= 1) {
        for (int64_t i = 0; i < count; ++i) body(i);
        return;
    }
    run_parallel(count, threads, &body, [](const void* f, int64_t i) { (*static_cast<const Body*>(f))(i); });
}

}  // namespace invgraph
