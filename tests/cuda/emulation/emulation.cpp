#include "emulation.h"

#include <setjmp.h>
#include <ucontext.h>

#include <memory>
#include <mutex>
#include <random>
#include <vector>

namespace emulation {

Index thread, block, block_size, grid_size;

namespace {

constexpr int kLanes = 32;
constexpr std::size_t kStack = 256 * 1024;  // sanitizers make frames large

enum class State { ready, at_block_barrier, at_warp_barrier, finished };

struct Fiber {
    ucontext_t context;
    jmp_buf place;  // where it goes on, once it has begun
    bool begun;
    std::unique_ptr<char[]> stack;
    State state;
    bool says;  // at a block barrier: the predicate
};

// What a warp's lanes exchange. Two sets in turn: a lane may enter the next operation while another still reads.
struct Warp {
    uint64_t values[2][kLanes];
    int turn = 0;
};

std::mutex one_launch;  // kernels of several Python threads take turns
std::vector<Fiber> fibers;
std::vector<Warp> warps;
ucontext_t scheduler;
int running, thread_count, said;
const std::function<void()>* body;
unsigned seed;

// Changing places: contexts begin a fiber; after that jumps do, which ask nothing of the operating system and so are ten
// times faster. The sanitizers know contexts only.
#if defined(__SANITIZE_ADDRESS__)
void leave(Fiber& fiber) { swapcontext(&fiber.context, &scheduler); }
void resume(Fiber& fiber) { swapcontext(&scheduler, &fiber.context); }
#else
jmp_buf scheduler_place;

void leave(Fiber& fiber) {
    if (_setjmp(fiber.place) == 0) _longjmp(scheduler_place, 1);
}
__attribute__((noinline)) void resume(Fiber& fiber) {
    if (_setjmp(scheduler_place) != 0) return;
    if (fiber.begun) _longjmp(fiber.place, 1);
    fiber.begun = true;
    setcontext(&fiber.context);
}
#endif

void enter() {
    (*body)();
    fibers[running].state = State::finished;
    leave(fibers[running]);  // never comes back
}

void wait_in(State state) {
    Fiber& me = fibers[running];
    me.state = state;
    leave(me);
}

[[noreturn]] void diverged(const char* name, const char* what) {
    throw std::logic_error(std::string("emulated kernel ") + name + ": " + what);
}

// Lets those threads go on that wait for each other and are complete; says whether any did.
bool release(const char* name) {
    int waiting = 0, finished = 0;
    for (int t = 0; t < thread_count; ++t) {
        waiting += fibers[t].state == State::at_block_barrier;
        finished += fibers[t].state == State::finished;
    }
    bool released = false;
    for (int first = 0; first < thread_count; first += kLanes) {
        int here = 0;
        for (int t = first; t < first + kLanes; ++t) here += fibers[t].state == State::at_warp_barrier;
        if (here == 0) continue;
        if (here < kLanes) diverged(name, "a warp operation that not all lanes reach");
        for (int t = first; t < first + kLanes; ++t) fibers[t].state = State::ready;
        warps[first / kLanes].turn ^= 1;
        released = true;
    }
    if (released || waiting == 0) return released;
    if (waiting < thread_count) diverged(name, finished ? "a barrier after some threads have returned" : "a barrier that not all threads reach");
    said = 0;
    for (int t = 0; t < thread_count; ++t) said += fibers[t].says;
    for (int t = 0; t < thread_count; ++t) fibers[t].state = State::ready;
    return true;
}

void run_block(const char* name, std::mt19937& random) {
    for (int t = 0; t < thread_count; ++t) {
        Fiber& fiber = fibers[t];
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = fiber.stack.get();
        fiber.context.uc_stack.ss_size = kStack;
        fiber.context.uc_link = nullptr;
        fiber.state = State::ready;
        fiber.begun = false;
        makecontext(&fiber.context, enter, 0);
    }
    std::vector<int> order(thread_count);
    for (int t = 0; t < thread_count; ++t) order[t] = t;
    do {
        if (seed) std::shuffle(order.begin(), order.end(), random);
        for (const int t : order) {
            if (fibers[t].state != State::ready) continue;
            running = t;
            thread = {static_cast<unsigned>(t), 0, 0};
            resume(fibers[t]);
        }
    } while (release(name));
}

}  // namespace

void set_schedule(unsigned value) { seed = value; }

void run_blocks(const char* name, int64_t blocks, int threads, const std::function<void()>& kernel) {
    const std::lock_guard<std::mutex> lock(one_launch);
    if (threads % kLanes != 0) throw std::logic_error(std::string(name) + ": blocks must be whole warps");
    while (static_cast<int>(fibers.size()) < threads) {
        fibers.emplace_back();
        fibers.back().stack.reset(new char[kStack]);
    }
    warps.assign(threads / kLanes, Warp());
    thread_count = threads;
    body = &kernel;
    block_size = {static_cast<unsigned>(threads), 1, 1};
    grid_size = {static_cast<unsigned>(blocks), 1, 1};
    std::mt19937 random(seed);
    std::vector<int64_t> order(blocks);
    for (int64_t b = 0; b < blocks; ++b) order[b] = b;
    if (seed) std::shuffle(order.begin(), order.end(), random);
    for (const int64_t b : order) {
        block = {static_cast<unsigned>(b), 0, 0};
        run_block(name, random);
    }
}

void block_barrier() {
    fibers[running].says = false;
    wait_in(State::at_block_barrier);
}

int block_count(bool predicate) {
    fibers[running].says = predicate;
    wait_in(State::at_block_barrier);
    return said;
}

const uint64_t* exchange(unsigned mask, uint64_t value) {
    if (mask != 0xffffffffu) diverged("", "warp operations are for all lanes here");
    Warp& warp = warps[running / kLanes];
    uint64_t* values = warp.values[warp.turn];
    values[running % kLanes] = value;
    wait_in(State::at_warp_barrier);
    return values;
}

}  // namespace emulation
