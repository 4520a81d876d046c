// The helper threads behind parallel_for: started when first wanted, then kept, asleep between calls.
#include "common/parallel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#if !defined(_WIN32)
#include <pthread.h>
#include <sched.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace invgraph {
namespace {

// Rounds of waiting awake, some 100 to 200 microseconds: within that the next kernel of a step often comes, and waking
// a thread that sleeps costs some 50.
constexpr int kSpins = 4000;

// One round; now and then the core is offered to whoever else wants it.
void pause_round(int round) {
#if defined(__x86_64__)
    _mm_pause();
#endif
#if !defined(_WIN32)
    if (round % 64 == 63) sched_yield();
#endif
}

// What the threads of one parallel_for share; it outlives the call where a helper comes late.
struct Work {
    std::atomic<int64_t> next{0}, done{0};
    std::atomic<bool> failed{false};
    int64_t count;
    const void* body;
    void (*call)(const void* body, int64_t item);
    int wanted;  // helpers that may still join; guarded by the pool's mutex
    std::mutex mutex;
    std::condition_variable finished;
    std::exception_ptr error;  // the first; guarded by mutex

    Work(int64_t n, const void* f, void (*c)(const void*, int64_t), int helpers)
        : count(n), body(f), call(c), wanted(helpers) {}

    // Takes items in order until none is left. `body` is not touched after the last item, when its owner may have left.
    void run() noexcept {
        for (int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) {
            if (!failed.load(std::memory_order_relaxed)) {
                try {
                    call(body, i);
                } catch (...) {
                    std::lock_guard<std::mutex> lock(mutex);
                    if (!error) error = std::current_exception();
                    failed.store(true, std::memory_order_relaxed);
                }
            }
            if (done.fetch_add(1, std::memory_order_acq_rel) + 1 == count) {
                std::lock_guard<std::mutex> lock(mutex);
                finished.notify_all();
            }
        }
    }
    bool complete() const { return done.load(std::memory_order_acquire) == count; }
    void wait() {
        for (int round = 0; round < kSpins; ++round) {
            if (complete()) return;
            pause_round(round);
        }
        std::unique_lock<std::mutex> lock(mutex);
        finished.wait(lock, [&] { return complete(); });
    }
};

class Pool {
public:
    // Lets up to work->wanted helpers join. Where no thread can be had, those that are there do the work.
    void offer(const std::shared_ptr<Work>& work) {
        std::unique_lock<std::mutex> lock(mutex_);
        queue_.push_back(work);
        open_.store(static_cast<int>(queue_.size()), std::memory_order_release);
        try {
            for (; helpers_ < work->wanted; ++helpers_) std::thread([this] { help(); }).detach();
        } catch (const std::system_error&) {
        }
        const int wake = std::min(work->wanted, asleep_);
        lock.unlock();
        for (int i = 0; i < wake; ++i) offered_.notify_one();
    }
    void withdraw(const std::shared_ptr<Work>& work) {
        std::lock_guard<std::mutex> lock(mutex_);
        const auto at = std::find(queue_.begin(), queue_.end(), work);
        if (at != queue_.end()) queue_.erase(at);
        open_.store(static_cast<int>(queue_.size()), std::memory_order_release);
    }

private:
    [[noreturn]] void help() {
        for (;;) take()->run();
    }
    std::shared_ptr<Work> take() {
        for (int round = 0; round < kSpins && open_.load(std::memory_order_acquire) == 0; ++round) pause_round(round);
        std::unique_lock<std::mutex> lock(mutex_);
        ++asleep_;
        offered_.wait(lock, [&] { return !queue_.empty(); });
        --asleep_;
        std::shared_ptr<Work> work = queue_.front();
        if (--work->wanted == 0) queue_.pop_front();
        open_.store(static_cast<int>(queue_.size()), std::memory_order_release);
        return work;
    }

    std::mutex mutex_;
    std::condition_variable offered_;
    std::deque<std::shared_ptr<Work>> queue_;  // what helpers may join, oldest first
    std::atomic<int> open_{0};                 // the queue's length, to be read without the mutex
    int helpers_ = 0, asleep_ = 0;
};

// Never destroyed: at the end of the process its threads may still be asleep in it. A forked child has none of them, and
// perhaps a locked mutex, so it begins with a pool of its own.
std::atomic<Pool*> current{nullptr};

Pool& pool() {
#if !defined(_WIN32)
    static const int at_fork = pthread_atfork(nullptr, nullptr, [] { current.store(nullptr); });
    static_cast<void>(at_fork);
#endif
    Pool* known = current.load(std::memory_order_acquire);
    if (known) return *known;
    Pool* fresh = new Pool;
    if (current.compare_exchange_strong(known, fresh, std::memory_order_acq_rel)) return *fresh;
    delete fresh;
    return *known;
}

}  // namespace

void run_parallel(int64_t count, int threads, const void* body, void (*call)(const void* body, int64_t item)) {
    const int helpers = static_cast<int>(std::min<int64_t>(threads, count)) - 1;
    const auto work = std::make_shared<Work>(count, body, call, helpers);
    Pool& helping = pool();
    helping.offer(work);
    work->run();
    helping.withdraw(work);
    work->wait();
    if (work->error) std::rethrow_exception(work->error);
}

}  // namespace invgraph
