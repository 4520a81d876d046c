// fuzz SECONDS [FIRST_SCENE [LAST_SCENE]]: random scenes through every kernel, until the time is over.
//
// A scene that fails is repeated with its number: fuzz 1 NUMBER NUMBER.
#include <chrono>
#include <cstdint>
#include <new>

#include "common/scratch.h"
#include "kernels.h"

namespace invgraph {
namespace baseline { extern const KernelTable table; }
#ifdef INVGRAPH_X86
namespace avx2 { extern const KernelTable table; }
namespace avx512 { extern const KernelTable table; }
#endif
}  // namespace invgraph

// Fresh memory holds rubbish that changes from call to call, so that reading it shows.
void* operator new(std::size_t size) {
    void* p = std::malloc(size > 0 ? size : 1);
    if (!p) throw std::bad_alloc();
    std::memset(p, fuzz::fresh_byte.load(std::memory_order_relaxed), size);
    return p;
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }

// The kernels' scratch memory: of exactly its size and never used twice, unlike csrc/common/scratch.cpp.
namespace invgraph {
void* take_scratch(std::size_t bytes) {
    void* p = nullptr;
    if (posix_memalign(&p, 64, bytes > 0 ? bytes : 1) != 0) throw std::bad_alloc();
    std::memset(p, fuzz::fresh_byte.load(std::memory_order_relaxed), bytes);
    return p;
}
void give_scratch(void* memory) noexcept { std::free(memory); }
}  // namespace invgraph

extern "C" void __sanitizer_set_death_callback(void (*)(void));
extern "C" const char* __ubsan_default_options() { return "print_stacktrace=1"; }
extern "C" const char* __asan_default_options() { return "handle_abort=1"; }

int main(int argc, char** argv) {
    using Clock = std::chrono::steady_clock;
    const double seconds = argc > 1 ? std::atof(argv[1]) : 10;
    const int64_t first = argc > 2 ? std::atoll(argv[2]) : 0, last = argc > 3 ? std::atoll(argv[3]) : INT64_MAX;
    __sanitizer_set_death_callback([] { std::fprintf(stderr, "in %s\n", fuzz::current.c_str()); });

    std::vector<std::pair<const char*, const invgraph::KernelTable*>> tables{{"baseline", &invgraph::baseline::table}};
#ifdef INVGRAPH_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) tables.push_back({"avx2", &invgraph::avx2::table});
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        tables.push_back({"avx512", &invgraph::avx512::table});
#endif
    const auto begin = Clock::now();
    int64_t scene = first;
    for (; scene <= last && std::chrono::duration<double>(Clock::now() - begin).count() < seconds; ++scene) {
        fuzz::Random r(static_cast<uint64_t>(scene));
        const auto& [isa, table] = tables[r.below(static_cast<int64_t>(tables.size()))];
        const bool is_double = r.one_in(2);
        fuzz::current = "scene " + std::to_string(scene) + ", " + isa + (is_double ? ", double" : ", float");
        if (is_double) fuzz::fuzz_scene(r, table->f64);
        else fuzz::fuzz_scene(r, table->f32);
    }
    std::printf("%lld scenes, each through every kernel, and nothing found\n", static_cast<long long>(scene - first));
}
